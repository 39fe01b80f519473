"""How many floating-point operations teacher and student take."""

from __future__ import annotations

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from napari_d24fad.network.d24fad import D24FAD


@torch.inference_mode()
def operations(network: D24FAD, size: int) -> int:
    """Counts the operations of one image, a multiplication and an addition as two.

    Args:
        network: On any device.
        size: Side of the image in pixels.
    """
    device = next(network.parameters()).device
    image = torch.zeros(1, 3, size, size, device=device)
    # Attention in single products: torch counts none of what a CPU does in one step.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        embedding = network.teacher(image).embedding
        if network.has_student:
            network.student(embedding)
    return int(counter.get_total_flops())
