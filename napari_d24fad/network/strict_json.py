"""Reads JSON that may come from anywhere: what pydantic checks, and what Python's parser lets through."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, StringConstraints, TypeAdapter, ValidationError

from napari_d24fad.errors import Code, ModelError
from napari_d24fad.network.files import is_file

_MAX_BYTES = 1 << 20
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_Read = TypeVar("_Read")


def _plain(value: str) -> str:
    if _CONTROL.search(value):
        raise ValueError("it holds control characters")  # which could steer a terminal
    return value


def _said(value: str) -> str:
    if not value.strip():
        raise ValueError("it is empty")
    return value


Text = Annotated[str, AfterValidator(_plain)]
"""Text that may be empty."""

Line = Annotated[Text, AfterValidator(_said)]
"""Text that says something."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""64 lower-case hexadecimal digits."""


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
    """Parses a JSON object; a key given twice is refused, at any depth, as are numbers beyond 64 bits.

    Args:
        text: The JSON.
        what: What a refusal names.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise fault(f"{what} states a field twice.")
        return dict(pairs)

    try:
        raw = json.loads(text, object_pairs_hook=unique, parse_int=_whole)
        # Refuses what Python's parser lets through: NaN, numbers out of range, broken Unicode.
        json.dumps(raw, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise fault(f"{what} is not JSON, or holds a number beyond 64 bits.") from error
    if not isinstance(raw, dict):
        raise fault(f"{what} is not a JSON object.")
    return raw


def _whole(digits: str) -> int:
    value = int(digits)
    if not -(2**63) <= value < 2**63:
        raise ValueError
    return value


def checked(kind: TypeAdapter[_Read], raw: dict[str, Any], what: str = "The card") -> _Read:
    """Returns a parsed object as what it should be.

    Args:
        kind: Of it.
        raw: See `parse_object`.
        what: What a refusal names.

    Raises:
        ModelError: MODEL_CORRUPT with the field at fault.
    """
    try:
        return kind.validate_python(raw)
    except ValidationError as error:
        raise fault(_sentence(error, what)) from error


def _sentence(error: ValidationError, what: str) -> str:
    errors = error.errors(include_url=False, include_input=False)
    unknown = sum(each["type"] == "unexpected_keyword_argument" for each in errors)
    first = errors[0]
    if unknown:
        # Counted, not named: a file from anywhere may say anything there.
        return f"{what} has {unknown} unknown field(s)."
    path = ".".join(str(part) for part in first["loc"][:1])
    if first["type"] == "missing" and len(first["loc"]) == 1:
        return f"{what} lacks {path}."
    reason = first["msg"].removeprefix("Value error, ")
    return f"The field {path} is malformed: {reason[:1].lower()}{reason[1:]}."
