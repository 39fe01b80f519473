"""Limits: what they are, how the environment changes them, and what is said where they are exceeded."""

from __future__ import annotations

import pytest

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.files.limits import (
    HEADER_VARIABLE,
    LIMIT_VARIABLE,
    Limits,
    check_size,
    in_gib,
    limits,
)


def test_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(LIMIT_VARIABLE, raising=False)
    monkeypatch.delenv(HEADER_VARIABLE, raising=False)
    assert limits() == Limits(decoded=8 * 2**30, header=256 * 2**20)


def test_the_environment_changes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LIMIT_VARIABLE, "0.5")
    monkeypatch.setenv(HEADER_VARIABLE, "64")
    assert (limits().decoded, limits().header) == (2**29, 2**26)


@pytest.mark.parametrize("text", ["", "much", "nan", "inf", "-1", "0", "1e300"])
def test_nonsense_changes_nothing(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(LIMIT_VARIABLE, text)
    monkeypatch.setenv(HEADER_VARIABLE, text)
    assert limits() == Limits()


def test_a_size_at_the_limit_is_allowed_and_one_beyond_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LIMIT_VARIABLE, "1")
    check_size((256, 1024, 1024))
    with pytest.raises(
        StudyError, match=r"needs 1\.0 GiB; D24FAD_MEMORY_LIMIT_GIB sets the limit, now 1\.0"
    ) as caught:
        check_size((257, 1024, 1024))
    assert caught.value.code is Code.TOO_LARGE
    with pytest.raises(StudyError, match=r"needs 3\.0 GiB"):
        check_size((256, 1024, 1024), 3)


def test_sizes_that_no_float_holds() -> None:
    assert in_gib(3 * 2**29) == "1.5 GiB"
    assert in_gib(10**400) == "more than a million GiB"
