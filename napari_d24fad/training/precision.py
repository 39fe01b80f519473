"""Mixed precision: bfloat16 where the processor computes with it, float32 where it would only imitate it."""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch

_CPU_NAMES = ("avx512_bf16", "amx_bf16", "bf16")
"""What x86 and ARM processors call it. Without one, a convolution took four times as long as in float32."""


def has_bfloat16(device: torch.device) -> bool:
    """Tells whether a device has instructions for bfloat16.

    Args:
        device: A CPU or a CUDA device.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # Older than 2.10, torch cannot be asked; float32 is right everywhere.
    capabilities: dict[str, bool | int | str] = getattr(torch.cpu, "get_capabilities", dict)()
    return device.type == "cpu" and any(capabilities.get(name) for name in _CPU_NAMES)


def mixed_precision(device: torch.device) -> AbstractContextManager[None]:
    """Returns the context in which networks run while they are trained: autocast, or nothing changed."""
    return torch.autocast(device.type, torch.bfloat16, enabled=has_bfloat16(device))
