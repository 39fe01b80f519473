"""What a detector gets without looking at the anatomy: single statistics of a whole scan.

An abnormal collection often differs from the normal one in brightness, sharpness or
size. A detector is worth something only above the best of these.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import ndimage

from napari_d24fad.metrics.scans import auroc
from napari_d24fad.studies.scan import Scan


def statistics(scan: Scan) -> dict[str, float]:
    """Measures a scan as a whole, as it is stored: before any windowing that might hide a difference.

    Args:
        scan: An image or a volume.

    Returns:
        By name: brightness (mean, 10th and 90th percentile), contrast (standard deviation),
        sharpness (mean length of the gradient in the slice), bytes per pixel after
        compression, columns per row, and for colour the mean of each channel and of the
        saturation.
    """
    voxels = np.moveaxis(np.nan_to_num(scan.voxels.astype(np.float32)), scan.slice_axis, 0)
    found: dict[str, float] = {}
    grey = voxels
    if scan.is_colour:
        found = {name: float(voxels[..., at].mean()) for at, name in enumerate(("red", "green", "blue"))}
        found["saturation"] = float((voxels.max(axis=-1) - voxels.min(axis=-1)).mean())
        grey = voxels.mean(axis=-1)
    low, high = float(grey.min()), float(grey.max())
    eight_bits = ((grey - low) * (255 / (high - low))).astype(np.uint8)
    gradient = [ndimage.sobel(grey, axis) for axis in (1, 2)]
    return found | {
        "mean": float(grey.mean()),
        "10th percentile": float(np.percentile(grey, 10)),
        "90th percentile": float(np.percentile(grey, 90)),
        "contrast": float(grey.std()),
        "sharpness": float(np.hypot(*gradient).mean()),
        "bytes per pixel": len(zlib.compress(eight_bits.tobytes(), 1)) / grey.size,
        "columns per row": grey.shape[2] / grey.shape[1],
    }


def best_statistic(found: Sequence[Mapping[str, float]], abnormal: Sequence[bool]) -> tuple[str, float]:
    """Finds the statistic that tells normal from abnormal best, whichever way round.

    Args:
        found: Of `statistics`, for each scan; names that not all share are left out.
        abnormal: The label of each scan; both labels occur.

    Returns:
        Its name and its AUROC, at least 0.5.
    """
    best = ("", 0.0)
    for name in sorted(set(found[0]).intersection(*found)):
        value = auroc([each[name] for each in found], abnormal)
        if max(value, 1 - value) > best[1]:
            best = (name, max(value, 1 - value))
    return best
