"""Reads JSON that may come from anywhere: every field is there, once, and of its type, or it is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_d24fad.errors import Code, ModelError
from napari_d24fad.network.files import is_file

SHA256 = re.compile(r"[0-9a-f]{64}")

_MAX_BYTES = 1 << 20
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def fault(detail: str) -> ModelError:
    """Returns the refusal of a file that is not as it should be."""
    return ModelError(Code.MODEL_CORRUPT, detail)


def read_text(path: Path) -> str:
    """Reads a small UTF-8 file.

    Raises:
        ModelError: MODEL_CORRUPT if it is missing, too large or not text.
    """
    try:
        if not is_file(path):  # opening a pipe would wait
            raise fault("The card beside the weights is missing or cannot be read.")
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
        if len(raw) > _MAX_BYTES:
            raise fault("The card beside the weights is too large.")
        return raw.decode("utf-8")
    except OSError as error:
        raise fault("The card beside the weights is missing or cannot be read.") from error
    except UnicodeDecodeError as error:
        raise fault("The card beside the weights is not UTF-8 text.") from error


def parse_object(text: str, what: str = "The card") -> dict[str, Any]:
    """Parses a JSON object; a key given twice is refused, at any depth.

    Args:
        text: The JSON.
        what: What a refusal names.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise fault(f"{what} states a field twice.")
        return dict(pairs)

    try:
        raw = json.loads(text, object_pairs_hook=unique)
        # Refuses what Python's parser lets through: NaN, numbers out of range, broken Unicode.
        json.dumps(raw, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise fault(f"{what} is not JSON.") from error
    return as_object(raw, what)


def as_object(raw: object, what: str) -> dict[str, Any]:
    """Returns ``raw`` if it is a JSON object."""
    if not isinstance(raw, dict):
        raise fault(f"{what} is not a JSON object.")
    return raw


def expect_keys(raw: Mapping[str, object], expected: set[str], what: str) -> None:
    """Refuses missing and unknown fields."""
    missing = sorted(expected - raw.keys())
    if missing:
        raise fault(f"{what} lacks {', '.join(missing)}.")
    if len(raw) > len(expected):
        # Counted, not named: a file from anywhere may say anything there.
        raise fault(f"{what} has {len(raw) - len(expected)} unknown field(s).")


def text(raw: Mapping[str, object], key: str, *, may_be_empty: bool = False) -> str:
    """Returns a field of text; control characters, which could steer a terminal, are refused."""
    value = raw.get(key)
    if not isinstance(value, str) or not (value.strip() or may_be_empty) or _CONTROL.search(value):
        raise fault(f"The field {key} is not text.")
    return value


def matching(raw: Mapping[str, object], key: str, pattern: re.Pattern[str]) -> str:
    """Returns a field of text that all of a pattern fits."""
    value = text(raw, key)
    if not pattern.fullmatch(value):
        raise fault(f"The field {key} is malformed.")
    return value


def choice(raw: Mapping[str, object], key: str, choices: tuple[str, ...]) -> str:
    """Returns a field of text that is one of a few."""
    value = text(raw, key)
    if value not in choices:
        raise fault(f"The field {key} is none of {', '.join(choices)}.")
    return value


def flag(raw: Mapping[str, object], key: str) -> bool:
    """Returns a field that is true or false."""
    value = raw.get(key)
    if not isinstance(value, bool):
        raise fault(f"The field {key} is not true or false.")
    return value


def integer(raw: Mapping[str, object], key: str) -> int:
    """Returns a field that is a whole number of 64 bits."""
    value = raw.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not -(2**63) <= value < 2**63:
        raise fault(f"The field {key} is not a whole number.")
    return value


def items(raw: Mapping[str, object], key: str) -> list[object]:
    """Returns a field that is a list."""
    value = raw.get(key)
    if not isinstance(value, list):
        raise fault(f"The field {key} is not a list.")
    return value
