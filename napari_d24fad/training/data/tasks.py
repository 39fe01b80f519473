"""What a network is trained on: a task is normal images of one kind."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from napari_d24fad.detection.encoding.prepared import prepare
from napari_d24fad.studies.scan import Scan

MIN_IMAGES = 10
_BATCH = 16


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """Normal images of one organ and modality.

    Attributes:
        name: Name of the task, that of its folder.
        images: ``(N, 3, side, side)`` uint8.
    """

    name: str
    images: Tensor = field(repr=False)


def network_images(scan: Scan, side: int) -> Tensor:
    """Turns a scan into network images just as the detection does.

    Args:
        scan: A volume or an image.
        side: Side of the images in pixels.

    Returns:
        ``(slices, 3, side, side)`` uint8; only slices that hold anatomy.

    Raises:
        PairingError: NOTHING_TO_EXAMINE if a volume holds no anatomy.
        StudyError: CONSTANT_IMAGE.
    """
    prepared = prepare(scan, side)
    starts = range(0, len(prepared.examined), _BATCH)
    batches = [prepared.inputs(prepared.examined[start : start + _BATCH]) for start in starts]
    return torch.cat([(batch * 255).round().to(torch.uint8) for batch in batches])
