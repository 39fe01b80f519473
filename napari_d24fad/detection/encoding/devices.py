"""Where a detection can run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from napari_d24fad.errors import Code, ModelError

if TYPE_CHECKING:
    import torch


class Device(NamedTuple):
    """A computing device.

    Attributes:
        name: What torch calls it, such as ``"cuda:0"``.
        label: What people call it, such as ``"NVIDIA H100"``.
    """

    name: str
    label: str


def available_devices() -> tuple[Device, ...]:
    """Returns CUDA devices with their names, then the CPU. The first call imports torch."""
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    gpus = [Device(f"cuda:{index}", torch.cuda.get_device_name(index)) for index in range(count)]
    return (*gpus, Device("cpu", "CPU"))


def choose_device(name: str) -> torch.device:
    """Turns the user's choice into a device.

    Args:
        name: ``"auto"`` (CUDA where there is one), ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.

    Raises:
        ModelError: DEVICE_UNAVAILABLE.
    """
    import torch

    devices = available_devices()
    wanted = {"auto": devices[0].name, "cuda": "cuda:0"}.get(name, name)
    if wanted not in {device.name for device in devices}:
        raise ModelError(Code.DEVICE_UNAVAILABLE, f"Available: {', '.join(d.name for d in devices)}.")
    return torch.device(wanted)


def return_memory() -> None:
    """Gives GPU memory that nothing uses any more back, for other programs; without a GPU, nothing."""
    import torch

    torch.cuda.empty_cache()


@contextmanager
def device_faults() -> Iterator[None]:
    """Turns what torch raises when a device fails into a refusal.

    After a device was lost, nothing that lies in its memory can be used any more.

    Raises:
        ModelError: DEVICE_LOST, or OUT_OF_MEMORY where halving a batch was of no help.
    """
    try:
        yield
    except RuntimeError as error:
        import torch

        if isinstance(error, torch.OutOfMemoryError):
            raise ModelError(Code.OUT_OF_MEMORY) from None
        # torch before 2.8 has no kind of its own for it.
        if isinstance(error, getattr(torch, "AcceleratorError", ())) or "CUDA error" in str(error):
            raise ModelError(Code.DEVICE_LOST) from None
        raise
