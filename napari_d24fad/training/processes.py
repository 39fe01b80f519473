"""One process or several: what a training step needs to know of the others, through accelerate.

Several processes are started from outside, by ``accelerate launch`` or ``torchrun``. Each draws
episodes of its own and gradients are averaged, so that N processes see N times the images per step.
"""

from __future__ import annotations

import os
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from napari_d24fad.detection.encoding.devices import choose_device
from napari_d24fad.errors import ArgumentError, Code


class Processes(Protocol):
    """The processes that train together.

    Attributes:
        count: How many.
        rank: Number of this one, from 0; 0 reads the clock, validates and writes.
        device: Where this one computes.
    """

    count: int
    rank: int
    device: torch.device

    def share(self, module: nn.Module) -> nn.Module:
        """Returns a module that computes the same and averages gradients over the processes."""

    def mean(self, value: Tensor) -> Tensor:
        """Averages a scalar over the processes; the same in each, on the device."""

    def gather(self, value: Tensor) -> Tensor:
        """Collects a CPU tensor of every process, ``(count, ...)``."""


class SingleProcess:
    """The usual case: one process, which needs nothing but torch."""

    count = 1
    rank = 0

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def share(self, module: nn.Module) -> nn.Module:
        """Returns the module."""
        return module

    def mean(self, value: Tensor) -> Tensor:
        """Returns it."""
        return value

    def gather(self, value: Tensor) -> Tensor:
        """Adds the axis."""
        return value[None]


class SeveralProcesses:
    """One of the processes that a launcher started; each takes the GPU of its number, or the CPU."""

    def __init__(self, accelerator: Any) -> None:
        self._accelerator = accelerator
        self.count = int(accelerator.num_processes)
        self.rank = int(accelerator.process_index)
        self.device: torch.device = accelerator.device

    def share(self, module: nn.Module) -> nn.Module:
        """Wraps the module for distributed training."""
        shared: nn.Module = self._accelerator.prepare(module)
        return shared

    def mean(self, value: Tensor) -> Tensor:
        """Averages by all-reduce."""
        averaged: Tensor = self._accelerator.reduce(value.detach(), reduction="mean")
        return averaged

    def gather(self, value: Tensor) -> Tensor:
        """Gathers through the device, which the communication may be bound to."""
        gathered: Tensor = self._accelerator.gather(value.to(self.device)[None])
        return gathered.cpu()


def is_launched() -> bool:
    """Whether a launcher started this process as one of several."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def is_main_process() -> bool:
    """Whether this process speaks and writes: the only one, or number 0."""
    return not is_launched() or os.environ.get("RANK", "0") == "0"


def join_processes(device: str) -> Processes:
    """Finds out which processes train together.

    Args:
        device: See `choose_device`; a launcher's processes take a GPU each unless it is ``"cpu"``.

    Raises:
        ModelError: DEVICE_UNAVAILABLE.
        ArgumentError: BAD_ARGUMENT if there are several and accelerate is not installed.
    """
    if not is_launched():
        return SingleProcess(choose_device(device))
    try:
        from accelerate import Accelerator
    except ImportError as error:
        detail = "Several processes need the package accelerate: pip install 'napari-d24fad[train]'."
        raise ArgumentError(Code.BAD_ARGUMENT, detail) from error
    return SeveralProcesses(Accelerator(cpu=device == "cpu"))
