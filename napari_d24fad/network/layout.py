"""What a safetensors file says it holds, checked before any of it is loaded."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from napari_d24fad.errors import Code, ModelError
from napari_d24fad.network import strict_json as strict
from napari_d24fad.network.files import is_file

_LONGEST_HEADER = 2**24
_LENGTH = 8
_METADATA = "__metadata__"
_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor of a file.

    Attributes:
        dtype: As the format names it, such as ``"F32"``.
        shape: Its lengths.
    """

    dtype: str
    shape: tuple[int, ...]

    @property
    def is_floating_point(self) -> bool:
        """Whether its values are floating-point numbers."""
        return "F" in self.dtype


def read_layout(path: Path) -> Mapping[str, Stored]:
    """Reads the header of a safetensors file; whether the tensors lie side by side, its library checks.

    Raises:
        ModelError: MODEL_CORRUPT if it is not one, is cut off, names a tensor twice, or holds
            numbers of another kind than weights are made of.
    """
    header = strict.parse_object(_header(path), "The header")
    size = 0
    stored = {}
    for name, raw in header.items():
        if name == _METADATA:
            continue
        entry = strict.as_object(raw, "A tensor")
        strict.expect_keys(entry, {"dtype", "shape", "data_offsets"}, "A tensor")
        dtype = strict.choice(entry, "dtype", tuple(_BYTES))
        shape, offsets = _lengths(entry, "shape"), _lengths(entry, "data_offsets")
        if len(offsets) != 2 or offsets[1] - offsets[0] != math.prod(shape) * _BYTES[dtype]:
            raise strict.fault("The size of a tensor does not fit its shape.")
        size = max(size, offsets[1])
        stored[name] = Stored(dtype, shape)
    if size > path.stat().st_size:
        raise strict.fault("It ends before its weights do.")
    return stored


def _header(path: Path) -> str:
    if not is_file(path):
        raise ModelError(Code.MODEL_CORRUPT, "The file cannot be read.")
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(_LENGTH), "little")
            if length > _LONGEST_HEADER:
                raise strict.fault("It is not a safetensors file, or its header is too long.")
            raw = file.read(length)
        if len(raw) < length or not raw.startswith(b"{"):
            raise strict.fault("It is not a safetensors file.")
        return raw.decode("utf-8")
    except OSError as error:
        raise strict.fault("The file cannot be read.") from error
    except UnicodeDecodeError as error:
        raise strict.fault("It is not a safetensors file.") from error


def _lengths(entry: Mapping[str, object], key: str) -> tuple[int, ...]:
    lengths = tuple(strict.integer({key: item}, key) for item in strict.items(entry, key))
    if min(lengths, default=0) < 0:
        raise strict.fault(f"The field {key} is malformed.")
    return lengths
