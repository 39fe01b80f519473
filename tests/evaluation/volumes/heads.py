"""A made-up T1-weighted head: scalp, dark skull, grey around white matter, ventricles, a neck."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_d24fad.studies.scan import Scan

SHAPE = (60, 72, 64)
MM = 3.0
AIR, FLUID, GREY, WHITE, SCALP = 0.0, 20.0, 70.0, 100.0, 130.0


def t1_head(seed: int, spread: float = 2.0) -> Scan:
    """Slices from inferior to superior, rows to posterior, columns to the left, 3 mm."""
    r = np.random.default_rng(seed)
    z, y, x = np.meshgrid(
        *(MM * (np.arange(length) - (length - 1) / 2) for length in SHAPE), indexing="ij", sparse=True
    )
    z = z - 6 + r.normal(0, 1)  # the brain lies above the middle of the scan

    def ellipsoid(*radii: float, at: tuple[float, float, float] = (0, 0, 0)) -> npt.NDArray[np.bool_]:
        parts = ((each - centre) / radius for each, centre, radius in zip((z, y, x), at, radii, strict=True))
        return np.asarray(sum(part**2 for part in parts) < 1)

    values = np.full(SHAPE, AIR)
    values[ellipsoid(76, 96, 82)] = SCALP
    neck = (y**2 + x**2 < 40**2) & (z < -40)
    values[np.broadcast_to(neck, SHAPE)] = SCALP
    values[ellipsoid(70, 90, 76)] = FLUID / 2  # the skull
    values[ellipsoid(62, 80, 66)] = GREY
    values[ellipsoid(50, 68, 54)] = WHITE
    for side in (-1, 1):
        values[ellipsoid(9, 26, 7, at=(14, 0, 10 * side))] = FLUID
    values = values + r.normal(0, spread, SHAPE)
    affine = np.array([[0, 0, MM, 0], [0, MM, 0, 0], [MM, 0, 0, 0], [0, 0, 0, 1]], float)
    return Scan(np.maximum(values, 0).astype(np.float32), affine, modality="MR")
