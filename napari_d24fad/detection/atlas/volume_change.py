"""The channel of volume: where anatomy is larger or smaller than the references'."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_d24fad.anatomy.grid import FloatArray, Millimetres
from napari_d24fad.detection.atlas.smoothing import masked_gaussian
from napari_d24fad.detection.atlas.volume import WorkingVolume


@dataclass(frozen=True, slots=True)
class VolumeChange:
    """The logarithm of local volume over that of the template; see `Place.volume_change`.

    Attributes:
        softening: See `Channel.softening`.
        sigma_mm: Smoothing along (z, y, x).
        sign: 1 for larger, -1 for smaller.
    """

    softening: float = 0.02
    sigma_mm: Millimetres = (3.0, 3.0, 3.0)
    sign: int = 1
    name: str = "larger"
    meaning: str = "larger than in the references"

    def measure(self, volume: WorkingVolume) -> FloatArray | None:
        """See `Channel.measure`; None where the scan was not deformed."""
        change = volume.place.volume_change
        if change is None:
            return None
        smooth = masked_gaussian(
            self.sign * change, volume.counted, self.sigma_mm, volume.anatomy.grid.spacing
        )
        return np.where(volume.counted, smooth, np.nan).astype(np.float32)
