"""What holds for every test: a home and a cache of its own, no features on disk; and a study for all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from napari_d24fad.settings import CACHE_VARIABLE, FEATURES_LIMIT_VARIABLE
from tests import isolation

isolation.isolate()  # before napari reads where its settings are

from tests.heads import write_study  # noqa: E402 - see above

_tests = count()
_LONGEST = (
    "viewer/test_demo.py",
    "viewer/walk/test_walk.py",
    "session/test_heads_by_mr.py",
    "faults/test_writes.py",
    "training/test_processes.py",
    "privacy/test_offline.py",
    "sessions/test_exporting.py",
    "cases/test_reading_list.py",
)


def pytest_unconfigure() -> None:
    isolation.clean()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # The longest first: at the end, one worker would wait a minute for the other.
    items.sort(key=lambda item: not any(name in item.nodeid for name in _LONGEST))


@pytest.fixture(autouse=True)
def _keeps_to_itself(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    cache = isolation.home_of_tests() / f"d24fad-{os.getpid()}-{next(_tests)}"
    monkeypatch.setenv(CACHE_VARIABLE, str(cache))
    monkeypatch.setenv(FEATURES_LIMIT_VARIABLE, "0")
    isolation.written.clear()
    yield
    assert not isolation.written, "a test wrote to a folder of the user"


@pytest.fixture(scope="session")
def _kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.getbasetemp()
    return (base if "PYTEST_XDIST_WORKER" not in os.environ else base.parent) / "kept"  # one for all workers


@pytest.fixture
def kept_features(_keeps_to_itself: None, _kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets tests find on disk what was encoded or aligned of the same scans before."""
    monkeypatch.setenv(CACHE_VARIABLE, str(_kept))
    monkeypatch.delenv(FEATURES_LIMIT_VARIABLE)


@pytest.fixture(scope="session")
def study_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study(tmp_path_factory.mktemp("study"))
