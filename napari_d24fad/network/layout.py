"""What a safetensors file says it holds, checked before any of it is loaded.

safetensors itself refuses headers beyond the file, tensors that overlap, leave bytes out or are
cut off, and sizes that do not fit a shape. It reads, and we refuse: headers that would take
gigabytes of memory, a name given twice, unknown fields, and numbers that weights are not made of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from napari_d24fad.network.files import is_file
from napari_d24fad.network.strict_json import fault, parse_object

_LONGEST_HEADER = 2**24
_LENGTH = 8
_METADATA = "__metadata__"
_FIELDS = {"dtype", "shape", "data_offsets"}
_DTYPES = frozenset(("F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8", "BOOL"))


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


@contextmanager
def opened(path: Path) -> Iterator[tuple[Any, Mapping[str, Stored]]]:
    """Opens a safetensors file for torch; a tensor is loaded when it is asked for.

    Yields:
        What `safetensors.safe_open` gives, and what it holds.

    Raises:
        ModelError: MODEL_CORRUPT if it is not one, is cut off, names a tensor twice, or holds
            numbers of another kind than weights are made of.
    """
    _check_header(path)
    try:
        with safe_open(path, framework="pt") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 - no mapping
            layout = {
                name: Stored(each.get_dtype(), tuple(each.get_shape())) for name, each in slices.items()
            }
            if any(each.dtype not in _DTYPES for each in layout.values()):
                raise fault("A tensor holds numbers of a kind that weights are not made of.")
            yield file, layout
    # RuntimeError: the file is opened by its name twice, and another process may replace it in between.
    except (SafetensorError, OSError, ValueError, KeyError, RuntimeError) as error:
        raise fault("It is not a safetensors file, or it is cut off.") from error


def _check_header(path: Path) -> None:
    if not is_file(path):  # opening a pipe would wait
        raise fault("The file cannot be read.")
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(_LENGTH), "little")
            if length > _LONGEST_HEADER:
                raise fault("It is not a safetensors file, or its header is too long.")
            text = file.read(length).decode("utf-8")
    except OSError as error:
        raise fault("The file cannot be read.") from error
    except UnicodeDecodeError as error:
        raise fault("It is not a safetensors file.") from error
    header = parse_object(text, "The header")
    entries = [entry for name, entry in header.items() if name != _METADATA and isinstance(entry, dict)]
    if not all(entry.keys() <= _FIELDS for entry in entries):
        raise fault("A tensor has an unknown field.")
