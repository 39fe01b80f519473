"""The rate of large matrix products, which the rate of a network is held against."""

from __future__ import annotations

import time

import torch

_SIDE = {"cuda": 8192, "cpu": 2048}
_REPEATS = 10


@torch.inference_mode()
def product_rate(device: torch.device, dtype: torch.dtype) -> float:
    """Measures floating-point operations per second of a large square matrix product.

    Args:
        device: Where.
        dtype: Of the matrices.
    """
    side = _SIDE.get(device.type, _SIDE["cpu"])
    first, second = (torch.ones(side, side, device=device, dtype=dtype) for _ in range(2))
    best = float("inf")
    for _ in range(_REPEATS):
        started = now(device)
        first @ second
        best = min(best, now(device) - started)
    return 2 * side**3 / best


def now(device: torch.device) -> float:
    """Returns the time in seconds once all that a device was given to do is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
