"""Computing for many slices at once what may need more memory than a device has."""

from __future__ import annotations

from collections.abc import Callable

import torch

from napari_d24fad.detection.encoding.devices import is_out_of_memory, return_memory
from napari_d24fad.detection.scoring.protocol import Features
from napari_d24fad.errors import Code, ModelError


def in_halves(compute: Callable[[slice], Features], chosen: slice) -> Features:
    """Computes something for a run of slices; where memory is short, for each half of it, and so on.

    Args:
        compute: Given a run, returns tensors whose first axis is the slice.
        chosen: The run, start and stop given.

    Raises:
        ModelError: OUT_OF_MEMORY if memory is too short for a single slice.
    """
    try:
        return compute(chosen)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        if chosen.stop - chosen.start <= 1:
            raise ModelError(Code.OUT_OF_MEMORY) from error
    # Not while the error is held: its traceback keeps what was computed so far.
    return_memory()
    middle = (chosen.start + chosen.stop) // 2
    halves = (slice(chosen.start, middle), slice(middle, chosen.stop))
    found = [in_halves(compute, half) for half in halves]
    return tuple(torch.cat(pair) for pair in zip(*found, strict=True))
