"""How far float32 is rounded: torch's switches for TF32 and bfloat16, which belong to the whole process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

_WHOLE, _UNSET = "ieee", "none"

_Before = list[tuple[Any, str, str | bool]]
"""Owner, name and value of each switch that was changed."""

_lock = threading.Lock()
_inside = 0
_before: _Before = []


@contextmanager
def whole_float32() -> Iterator[None]:
    """A context in which convolutions and matrix products keep float32 as it is.

    By default torch rounds what CUDA convolutions take to TF32, whose 10 bits of mantissa are coarser
    than the 1e-4 within which published numbers are reproduced; users may allow more.

    The switches are the process's. Contexts may overlap in several threads: the last to end restores
    what the first found.
    """
    global _inside
    with _lock:
        if _inside == 0:
            _before.extend(_forbid())
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            while _inside == 0 and _before:
                owner, name, value = _before.pop()
                setattr(owner, name, value)


def rounding(device: torch.device) -> str:
    """Says how convolutions and matrix products on a device round float32 now: numbers depend on it."""
    backends: Any = torch.backends
    with _lock:
        if not _has_names():
            on_cuda = (backends.cudnn.allow_tf32, backends.cuda.matmul.allow_tf32)
            return " ".join(map(str, on_cuda if device.type == "cuda" else ()))
        cuda = (backends.cudnn.conv, backends.cuda.matmul)
        switches = cuda if device.type == "cuda" else (backends.mkldnn.conv, backends.mkldnn.matmul)
        found = [switch.fp32_precision for switch in switches]
        return " ".join(_WHOLE if value == _UNSET else value for value in found)


def _has_names() -> bool:
    """Whether torch names precisions, as from 2.9 on: once they are used, its older switches raise."""
    return hasattr(torch.backends, "fp32_precision")


def _forbid() -> _Before:
    """Lets nothing be rounded; returns what was changed, in this order."""
    backends: Any = torch.backends
    changed: _Before = []
    if not _has_names():
        for owner in (backends.cudnn, backends.cuda.matmul):
            changed.append((owner, "allow_tf32", owner.allow_tf32))
            owner.allow_tf32 = False
        return changed
    # From those that others inherit from downwards: a switch that then still says otherwise has a value
    # of its own, and only such a value may be written back to it.
    cuda = (backends.cudnn, backends.cudnn.conv, backends.cudnn.rnn, backends.cuda.matmul)
    for owner in (backends, *cuda, backends.mkldnn.conv, backends.mkldnn.matmul):
        if owner.fp32_precision != _WHOLE:
            changed.append((owner, "fp32_precision", owner.fp32_precision))
            owner.fp32_precision = _WHOLE
    return changed
