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
"""Bytes of one scan that stay in memory, or on the GPU: 1,360 slices with the embedded model."""

SHELF_BUDGET = 2**31
"""Bytes of many scans that stay in memory: 5,400 images with the embedded model."""

_ALIGNED = 64


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
    if held + size <= MEMORY_BUDGET:
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
                file.write(_bytes(feature.cpu().contiguous()))


def _map(path: Path, like: Tensor, folder: ScratchFolder) -> Tensor:
    # Copy on write, which nothing does: torch warns of memory that may not be written to.
    content = _Mapped(path, np.uint8, "c")
    content.folder = folder
    return torch.from_numpy(content).view(like.dtype).reshape(-1, *like.shape[1:])


def _bytes(feature: Tensor) -> bytes:
    return feature.view(torch.uint8).numpy().tobytes()


class Shelf:
    """Keeps the features of many scans off the GPU: in memory, and past a budget in one file.

    The file goes away with the last of the features in it.

    Args:
        budget: Bytes that stay in memory; None for `SHELF_BUDGET`.
    """

    def __init__(self, budget: int | None = None) -> None:
        self._left = SHELF_BUDGET if budget is None else budget
        self._folder: ScratchFolder | None = None

    def put(self, features: Features) -> Features:
        """Returns the same features on the CPU, bit by bit and in the same order in memory.

        Raises:
            ExportError: NO_SCRATCH_SPACE if there is no room for the file.
        """
        here = tuple(feature.cpu() for feature in features)
        size = sum(feature.nbytes for feature in here)
        if size > MEMORY_BUDGET:  # already in a file of its own: see `collect`
            return here
        if size <= self._left:
            self._left -= size
            return here
        try:
            return self._filed(here)
        except OSError as error:
            raise ExportError(Code.NO_SCRATCH_SPACE) from error

    def _filed(self, features: Features) -> Features:
        self._folder = self._folder or ScratchFolder()
        path = self._folder.path / "features"
        last = [feature.dim() == 4 and not feature.is_contiguous() for feature in features]
        # Channels last stay so: the last bits of a comparison depend on it.
        plain = [
            (feature.permute(0, 2, 3, 1) if is_last else feature).contiguous()
            for feature, is_last in zip(features, last, strict=True)
        ]
        with path.open("ab") as file:
            start = file.tell()
            places = []
            for feature in plain:
                places.append(file.tell() - start)
                file.write(_bytes(feature))
                file.write(bytes(-file.tell() % _ALIGNED))
            length = file.tell() - start
        content = _Mapped(path, np.uint8, "c", start, (length,))
        content.folder = self._folder
        whole = torch.from_numpy(content)
        found = []
        for feature, place, is_last in zip(plain, places, last, strict=True):
            read = whole[place : place + feature.nbytes].view(feature.dtype).reshape(feature.shape)
            found.append(read.permute(0, 3, 1, 2) if is_last else read)
        return tuple(found)


class _Mapped(np.memmap):
    """A mapped file that keeps its temporary folder; a tensor made of it keeps both."""

    folder: ScratchFolder
