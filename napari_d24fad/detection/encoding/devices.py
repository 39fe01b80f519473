"""Where a detection can run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from napari_d24fad.errors import Code, ModelError

if TYPE_CHECKING:
    import torch

    from napari_d24fad.studies.scan import Problem

_NO_MEMORY = (
    "out of memory",  # CUDA's own, of whatever kind torch makes of it
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
    "CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED",
    "not enough memory",  # the CPU's
    "can't allocate memory",  # likewise, of torch on Linux
)
_LOST = (
    "CUDA error",
    "CUDNN_STATUS_EXECUTION_FAILED",
    "CUDNN_STATUS_INTERNAL_ERROR",
    "CUDNN_STATUS_MAPPING_ERROR",
)
_OUT_OF_MEMORY = 2
"""cudaErrorMemoryAllocation."""


class Device(NamedTuple):
    """A computing device.

    Attributes:
        name: What torch calls it, such as ``"cuda:0"``.
        label: What people call it, such as ``"NVIDIA H100"``.
    """

    name: str
    label: str


def available_devices() -> tuple[Device, ...]:
    """Returns CUDA devices that can compute, with their names, then the CPU. The first call imports torch."""
    import torch

    gpus = [
        Device(f"cuda:{index}", torch.cuda.get_device_name(index))
        for index in range(_gpus())
        if not _unsupported(index)
    ]
    return (*gpus, Device("cpu", "CPU"))


def choose_device(name: str) -> torch.device:
    """Turns the user's choice into a device.

    Args:
        name: ``"auto"`` (CUDA where there is one that can compute, see `passed_over`), ``"cpu"``,
            ``"cuda"`` or ``"cuda:N"``.

    Raises:
        ModelError: DEVICE_UNAVAILABLE.
    """
    import torch

    devices = available_devices()
    wanted = {"auto": devices[0].name, "cuda": "cuda:0"}.get(name, name)
    if wanted not in {device.name for device in devices}:
        why = "".join(f"{_unsupported(index)} " for index in range(_gpus()) if wanted == f"cuda:{index}")
        available = f"Available: {', '.join(device.name for device in devices)}."
        raise ModelError(Code.DEVICE_UNAVAILABLE, why + available)
    return torch.device(wanted)


def passed_over(name: str) -> Problem | None:
    """Says why a choice of ``"auto"`` takes the CPU though there is a graphics card; None if it does not."""
    if name != "auto" or choose_device(name).type != "cpu":
        return None
    from napari_d24fad.studies.scan import Problem  # imports numpy, which the help of the command can spare

    reasons = [_unsupported(index) for index in range(_gpus())]
    return Problem(Code.GPU_UNSUPPORTED, " ".join(reasons)) if reasons else None


def return_memory() -> None:
    """Gives GPU memory that nothing uses any more back, for other programs; without a GPU, nothing."""
    import torch

    torch.cuda.empty_cache()


def upload(tensor: torch.Tensor, device: torch.device | None) -> torch.Tensor:
    """Brings a tensor from the CPU to a device; to CUDA from page-locked memory, so that nothing waits."""
    if device is None or device.type != "cuda" or tensor.device.type != "cpu":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether a device lacked memory for a computation; it can go on, with a smaller one.

    cuBLAS and cuDNN ask for memory themselves and fail with errors of their own.
    """
    import torch

    if isinstance(error, torch.OutOfMemoryError) or getattr(error, "error_code", None) == _OUT_OF_MEMORY:
        return True
    return any(sign in str(error) for sign in _NO_MEMORY)


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

        if is_out_of_memory(error):
            raise ModelError(Code.OUT_OF_MEMORY) from None
        # torch before 2.8 has no kind of its own for it; cuBLAS and cuDNN have none today.
        told = any(sign in str(error) for sign in _LOST)
        if told or isinstance(error, getattr(torch, "AcceleratorError", ())):
            raise ModelError(Code.DEVICE_LOST) from None
        raise


def _gpus() -> int:
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def _unsupported(index: int) -> str:
    """Says why the installed torch cannot compute on a GPU; empty if it can.

    Programs for ``sm_XY`` run on GPUs of the same major version and no lower minor one, those of a
    suffix such as ``sm_90a`` on that alone; ``compute_XY`` is translated by the driver for that and all
    later ones (CUDA C++ Programming Guide, "Application Compatibility").
    """
    import torch

    built = torch.cuda.get_arch_list()
    if torch.version.hip or not built:  # of another maker, or torch does not tell
        return ""
    own = torch.cuda.get_device_capability(index)
    for architecture in built:
        found = re.fullmatch(r"(sm|compute)_(\d+)(\d)([a-z]?)", architecture)
        if not found:
            continue
        version = (int(found[2]), int(found[3]))
        if found[4] == "a":
            runs = version == own
        elif found[1] == "sm" or found[4] == "f":
            runs = version[0] == own[0] and version <= own
        else:
            runs = version <= own
        if runs:
            return ""
    name = torch.cuda.get_device_name(index)
    return f"{name} has compute capability {own[0]}.{own[1]}; PyTorch was built for {', '.join(built)}."
