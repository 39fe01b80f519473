"""What a comparison of features gives, for tests of what the atlas makes of it."""

from __future__ import annotations

import numpy as np

from napari_d24fad.detection.result import AnomalyMap


def features_of(grid: tuple[int, int, int], references: int) -> AnomalyMap:
    """A map of zeros on a grid."""
    slices = grid[0]
    return AnomalyMap(
        values=np.zeros(grid, np.float32),
        affine=np.eye(4),
        slice_axis=0,
        score=0.0,
        slice_scores=np.zeros(slices, np.float32),
        weights=np.full((slices, references, 2), 1 / references, np.float32),
        normal_level=0.0,
        reference_scores=np.zeros(references, np.float32),
        reference_slice_scores=np.zeros((references, slices), np.float32),
        scoring="matched",
        model_name="compact",
        model_sha256="",
        device="cpu",
        seconds=0.0,
        p_floor=1 / (references + 1),
    )
