"""The brain window of CT, in which scans in Hounsfield units and scans saved as pictures are read alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from napari_d24fad.anatomy.grid import FloatArray

BONE = 245.0  # grey level of 95 HU


@dataclass(frozen=True, slots=True)
class BrainWindow:
    """How values of a scan become grey levels of the brain window (level 40 HU, width 120 HU).

    Attributes:
        slope: Grey levels per unit of the scan.
        intercept: Grey level of 0.
        unit: ``"HU"``, or ``"grey levels"`` of a scan that was saved as 8-bit pictures.
    """

    slope: float
    intercept: float
    unit: str

    def grey(self, values: FloatArray) -> FloatArray:
        """Returns grey levels from 0 to 255; NaN as air."""
        grey = np.clip(values * np.float32(self.slope) + np.float32(self.intercept), 0, 255)
        return np.asarray(np.nan_to_num(grey), np.float32)


def brain_window(voxels: npt.NDArray[np.generic], modality: str) -> BrainWindow | None:
    """Tells how the values of a scan are to be read.

    Args:
        voxels: Of the scan.
        modality: DICOM Modality, empty if unknown.

    Returns:
        None if they are neither HU nor 8-bit pictures of a window that bone is white in.
    """
    some = np.asarray(voxels[tuple(slice(None, None, max(1, n // 64)) for n in voxels.shape)], np.float32)
    some = some[np.isfinite(some)]
    if not some.size:
        return None
    low, high = float(some.min()), float(some.max())
    if low < -200 and high > 300 and modality in ("CT", ""):
        return BrainWindow(255 / 120, 20 * 255 / 120, "HU")
    saturated = float((some >= 250).mean())
    if low >= 0 and 250 <= high <= 255 and modality in ("CT", "") and saturated > 0.005:
        return BrainWindow(1.0, 0.0, "grey levels")
    return None
