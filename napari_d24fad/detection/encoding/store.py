"""Puts the features of a scan together: in memory, or past a budget in files that are memory-mapped."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from napari_d24fad.detection.scoring.protocol import Features
from napari_d24fad.errors import Code, ExportError
from napari_d24fad.studies.files.scratch import ScratchFolder

MEMORY_BUDGET = 2**29
"""Bytes of one scan that stay in memory: 1,360 slices with the embedded model."""


def collect(count: int, parts: Iterable[Features], *, held: int = 0) -> Features:
    """Puts together what a scan's slices are compared by.

    Args:
        count: Slices of all parts together.
        parts: Features of some slices after others, first axis the slice; taken one by one.
        held: Bytes of what was put together before for other slices of the scan.

    Returns:
        The same with first axis ``count``. Of a scan that exceeds `MEMORY_BUDGET` they are read from
        a temporary file whenever they are used; it goes away with them.

    Raises:
        ExportError: NO_SCRATCH_SPACE if there is no room for that file.
    """
    parts = iter(parts)
    first = next(parts)
    size = count * sum(feature[0].nbytes for feature in first)
    every = itertools.chain([first], parts)
    # What a GPU computed stays there: its memory is as large as what it is given to do.
    if held + size <= MEMORY_BUDGET or first[0].device.type != "cpu":
        return tuple(torch.cat(tensors) for tensors in zip(*every, strict=True))
    return _mapped(first, every)


def _mapped(like: Features, parts: Iterable[Features]) -> Features:
    try:
        folder = ScratchFolder()  # gone with the last that refers to it, so also if this fails
        paths = [folder.path / str(number) for number in range(len(like))]
        _write(paths, parts)
        return tuple(_map(path, each, folder) for path, each in zip(paths, like, strict=True))
    except OSError as error:
        raise ExportError(Code.NO_SCRATCH_SPACE) from error


def _write(paths: Sequence[Path], parts: Iterable[Features]) -> None:
    # Written, not only reserved: a full disk is an error here, and would end the program later.
    with ExitStack() as stack:
        files = [stack.enter_context(path.open("wb")) for path in paths]
        for part in parts:
            for file, feature in zip(files, part, strict=True):
                file.write(feature.contiguous().view(torch.uint8).numpy().tobytes())


def _map(path: Path, like: Tensor, folder: ScratchFolder) -> Tensor:
    # Copy on write, which nothing does: torch warns of memory that may not be written to.
    content = _Mapped(path, np.uint8, "c")
    content.folder = folder
    return torch.from_numpy(content).view(like.dtype).reshape(-1, *like.shape[1:])


class _Mapped(np.memmap):
    """A mapped file that keeps its temporary folder; a tensor made of it keeps both."""

    folder: ScratchFolder
