"""What the network sees in axial slices: features of the teacher's first two stages."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_d24fad.anatomy.grid import FloatArray

if TYPE_CHECKING:
    from napari_d24fad.network.d24fad import D24FAD

CELL = 2
"""Voxels along rows and columns to a place of the features."""

_MODEL = (
    "compact"  # embedded: nothing is downloaded, and what is measured does not depend on the model chosen
)
_FINER = 2  # slices are made so many times as large
_BATCH = 8


def seen(pictures: FloatArray, around: float = 0.0) -> npt.NDArray[np.float32]:
    """Returns what the teacher's first two stages see, each stage of unit length.

    Args:
        pictures: ``(slices, rows, columns)`` in 0..1.
        around: What lies beyond them.

    Returns:
        ``(slices, rows / 2, columns / 2, channels)``.
    """
    import torch
    from torch.nn import functional

    from napari_d24fad.network.normalise import normalise

    network = _network()
    multiple = network.teacher.multiple
    slices = torch.from_numpy(pictures.astype(np.float32, copy=False))[:, None]
    finer = functional.interpolate(slices, scale_factor=_FINER, mode="bilinear", align_corners=False)
    rows, columns = (-(-length // CELL) for length in pictures.shape[1:])
    beyond = (0, -finer.shape[3] % multiple, 0, -finer.shape[2] % multiple)
    finer = functional.pad(finer, beyond, value=around)
    found = []
    with torch.inference_mode():
        for first in range(0, len(finer), _BATCH):
            batch = finer[first : first + _BATCH]
            scales = network.teacher(normalise(batch.expand(-1, 3, -1, -1))).scales
            fine, coarse = (each / each.norm(dim=1, keepdim=True).clamp_min(1e-6) for each in scales[:2])
            coarse = functional.interpolate(coarse, fine.shape[2:], mode="bilinear", align_corners=False)
            found.append(torch.cat([fine, coarse], dim=1)[:, :, :rows, :columns])
    return np.asarray(torch.cat(found).permute(0, 2, 3, 1).contiguous().numpy())


@lru_cache(maxsize=1)
def _network() -> D24FAD:
    from napari_d24fad.network.checkpoint import load_model

    return load_model(_MODEL).network
