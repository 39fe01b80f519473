"""The only place that opens files of tensors, and never by running code that is inside them."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import safetensors
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from napari_d24fad.atomic import atomic_file
from napari_d24fad.errors import Code, ModelError
from napari_d24fad.network.files import is_file
from napari_d24fad.network.layout import Stored, opened

Tensors = dict[str, Tensor]


def read_tensors(path: Path, check: Callable[[Mapping[str, Stored]], None] | None = None) -> Tensors:
    """Reads a safetensors file into memory of its own, floating point as float32.

    Args:
        path: The file.
        check: Given what the file says it holds, before any of it is loaded; refuses by raising.

    Raises:
        ModelError: MODEL_CORRUPT if it is not one, see `opened`, or if a value is not a
            finite number; what ``check`` raises.
    """
    with opened(path) as (file, layout):
        if check is not None:
            check(layout)
        stored = {name: file.get_tensor(name) for name in layout}
    # A copy, so that nothing goes on depending on the memory-mapped file.
    tensors = {
        name: tensor.to(torch.float32 if tensor.is_floating_point() else tensor.dtype, copy=True)
        for name, tensor in stored.items()
    }
    refuse_not_finite(tensors)
    return tensors


def map_tensors(path: Path) -> tuple[Tensors, dict[str, str]]:
    """Opens a safetensors file as it is stored; pages are read when they are touched.

    Returns:
        The tensors, which must not be written to, and the text in the header.

    Raises:
        ModelError: MODEL_CORRUPT if it is not one.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as stored:
            return {name: stored.get_tensor(name) for name in stored.keys()}, dict(stored.metadata() or {})  # noqa: SIM118 - no mapping
    # RuntimeError: the file is opened by its name twice, and another process may replace it in between.
    except (SafetensorError, OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(Code.MODEL_CORRUPT, "It is not a safetensors file.") from error


def read_metadata(path: Path) -> dict[str, str]:
    """Reads the text in the header of a safetensors file.

    Raises:
        ModelError: MODEL_CORRUPT if it is not one, see `opened`.
    """
    with opened(path) as (file, _):
        return dict(file.metadata() or {})


def write_tensors(
    tensors: Mapping[str, Tensor],
    path: Path,
    metadata: Mapping[str, str] | None = None,
    *,
    private: bool = False,
) -> None:
    """Writes a safetensors file; ``path`` is replaced only when all of it is on disk.

    Args:
        tensors: By name.
        path: The file.
        metadata: Text by key, kept in the header.
        private: See `atomic_file`.

    Raises:
        ModelError: MODEL_CORRUPT if a value is not a finite number.
        ExportError: CANNOT_WRITE.
    """
    refuse_not_finite(tensors)
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with atomic_file(path, private=private) as temporary:
        temporary.write_bytes(safetensors.torch.save(whole, dict(metadata) if metadata else None))


def read_pickled(path: Path) -> Mapping[object, object]:
    """Reads a ``.pth`` file of tensors and containers; anything else in it is refused unexecuted.

    Raises:
        ModelError: MODEL_CORRUPT if it is damaged, asks for code to be run, is compressed, so that
            it could fill the memory, or holds no mapping.
    """
    _refuse_compressed(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle can raise anything
        detail = "It is not a file of weights, or it holds more than weights and was not opened."
        raise ModelError(Code.MODEL_CORRUPT, detail) from error
    if not isinstance(content, Mapping):
        raise ModelError(Code.MODEL_CORRUPT, "It holds no named weights.")
    return content


def _refuse_compressed(path: Path) -> None:
    """Refuses a file that torch did not write: it stores the parts of its archives as they are."""
    try:
        if not is_file(path) or not zipfile.is_zipfile(path):
            return
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ModelError(Code.MODEL_CORRUPT, "It is damaged.") from error
    stored = sum(entry.file_size for entry in entries)
    if stored > path.stat().st_size or any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise ModelError(Code.MODEL_CORRUPT, "It is compressed, which weights are not.")


def named_tensors(content: object) -> Tensors:
    """Checks that a part of a ``.pth`` file is a state dict.

    Raises:
        ModelError: MODEL_CORRUPT if it is not a mapping of names to tensors.
    """
    if not isinstance(content, Mapping):
        raise ModelError(Code.MODEL_CORRUPT, "It holds no named weights.")
    tensors = {name: value for name, value in content.items() if isinstance(value, Tensor)}
    if len(tensors) < len(content) or not all(isinstance(name, str) for name in tensors):
        raise ModelError(Code.MODEL_CORRUPT, "It holds something that is not a named weight.")
    return tensors


def refuse_not_finite(tensors: Mapping[str, Tensor]) -> None:
    """Refuses weights that a diverged training or a damaged file left unusable.

    Raises:
        ModelError: MODEL_CORRUPT if any value is NaN or infinite.
    """
    # By NumPy: hundreds of small tensors are not worth waking torch's threads for.
    arrays = (tensor.detach().cpu().to(torch.float32).numpy() for tensor in tensors.values())
    if not all(np.isfinite(array).all() for array in arrays):
        raise ModelError(Code.MODEL_CORRUPT, "It holds values that are not finite numbers.")
