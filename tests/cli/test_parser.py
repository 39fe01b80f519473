"""Wrong arguments are told without what was typed, which may be the path of a patient's scan."""

from __future__ import annotations

import pytest

from napari_d24fad.cli.parser import read_arguments
from napari_d24fad.errors import ArgumentError, Code

TYPED = "scans/Smith's (choose from mine)\nJane"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([TYPED], "Argument COMMAND: invalid choice (choose from "),
        (["models", TYPED], "Argument ACTION: invalid choice (choose from "),
        (["detect", "a", "--scoring", TYPED], "Argument --scoring: invalid choice (choose from "),
        (["detect", "a", "--series", TYPED], "Argument --series: invalid int value."),
        (["detect", "a", f"--resample={TYPED}"], "Argument --resample: ignored explicit argument."),
        (["detect", "a", "--referenc=scans/Smith"], "Not understood: --referenc."),
        (["inspect", "a", TYPED], "Not understood: something after the last argument."),
    ],
)
def test_what_was_typed_is_not_quoted(words: list[str], told: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        read_arguments(words)
    assert refused.value.code is Code.BAD_ARGUMENT
    assert refused.value.detail.startswith(told)
    assert "Smith" not in refused.value.detail
    assert "Jane" not in refused.value.detail
