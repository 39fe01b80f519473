"""What a detection returns: the `AnomalyMap`, in the geometry of the scan examined."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class AnomalyMap:
    """Where a scan departs from its normal references.

    Attributes:
        values: ``(slices, rows, columns)`` float32 on the voxel grid of the scan; larger
            is more anomalous; NaN where nothing was examined.
        affine: ``(4, 4)``, that of the scan (array index to LPS mm).
        slice_axis: Array axis along which slices were examined, that of the scan.
        score: One number for the scan; comparable between scans that were examined
            with the same references, model and scoring.
        slice_scores: ``(n_slices,)`` float32 along `slice_axis`; NaN where not examined.
        weights: ``(n_slices, references, scales)`` float32: how much each reference
            counted for each slice and feature scale; each scale sums to 1; NaN where
            not examined.
        normal_level: The map value that a normal reference hardly exceeds when it is
            examined against the others (median over references of the 99.9th
            percentile). The overlay is transparent below it.
        reference_scores: ``(references,)`` float32: the score of each reference,
            examined against the others.
        reference_slice_scores: The same for single slices, ``(references, levels)``
            float32, NaN where not examined; what slice scores can be held against.
        reference_labels: One short name without identity per reference.
        scoring: How the map was computed: ``"paper"`` or ``"matched"``.
        model_name: Name of the model.
        model_sha256: SHA-256 of its weights.
        device: Where it ran, such as ``"cpu"`` or ``"cuda:0 (NVIDIA H100)"``.
        seconds: Wall time of encoding references and examining the scan.
        warnings: Plain sentences the user must see beside the result.
    """

    values: FloatArray = field(repr=False)
    affine: npt.NDArray[np.float64] = field(repr=False)
    slice_axis: int
    score: float
    slice_scores: FloatArray = field(repr=False)
    weights: FloatArray = field(repr=False)
    normal_level: float
    reference_scores: FloatArray = field(repr=False)
    reference_slice_scores: FloatArray = field(repr=False)
    reference_labels: tuple[str, ...]
    scoring: str
    model_name: str
    model_sha256: str
    device: str
    seconds: float
    warnings: tuple[str, ...] = ()

    def most_suspicious(self, count: int = 10) -> tuple[int, ...]:
        """Returns the slices with the highest scores, highest first.

        Args:
            count: How many at most.

        Returns:
            Indices along `slice_axis`; slices that were not examined are never among them.
        """
        order = np.argsort(-np.nan_to_num(self.slice_scores, nan=-np.inf), kind="stable")
        examined = order[np.isfinite(self.slice_scores[order])]
        return tuple(int(index) for index in examined[:count])
