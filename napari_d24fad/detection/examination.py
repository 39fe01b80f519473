"""A query's slices against the references: maps on its own grid, scores, weights and p-values of slices."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch

from napari_d24fad.detection.calibration import FloatArray, conformal_slice_p
from napari_d24fad.detection.comparison import compare_slices
from napari_d24fad.detection.encoded import Encoded, EncodedScan
from napari_d24fad.detection.null import combine_components, relative_to_expected, scan_score, smooth
from napari_d24fad.detection.references import References
from napari_d24fad.progress import CancelToken, Progress


@dataclass(frozen=True, slots=True, eq=False)
class ExaminedSlices:
    """What the comparison of all slices gave, in the order of the scan; see `AnomalyMap`."""

    values: FloatArray = field(repr=False)
    score: float
    slice_scores: FloatArray = field(repr=False)
    slice_p_values: FloatArray = field(repr=False)
    weights: FloatArray = field(repr=False)


@torch.inference_mode()
def examine_slices(
    query: EncodedScan, references: References, batch: int, progress: Progress, cancel: CancelToken
) -> ExaminedSlices:
    """Compares every encoded slice of a query with the references.

    Args:
        query: The scan to examine.
        references: What it is compared with.
        batch: Slices whose maps are computed at once.
        progress: Told how far this is.
        cancel: Stops it.

    Raises:
        Cancelled: If a stop was asked for.
    """
    prepared, method, null = query.prepared, references.scoring, references.null
    sampling = prepared.sampling
    side = method.map_side(sampling.side)
    upright = np.full(prepared.scan.grid, np.nan, np.float32)
    scores = np.empty(len(query.indices), np.float32)
    parts = []
    inside = sampling.inside(side)
    for start in range(0, len(query.indices), batch):
        chosen = range(start, min(start + batch, len(query.indices)))
        levels = query.encoded.levels[start : chosen.stop]
        own = Encoded(levels, tuple(f[start : chosen.stop] for f in query.encoded.features))
        own = own.aligned(method, references.statistics)
        distances, weights = compare_slices(
            own, range(len(chosen)), references.supports, method, side, cancel
        )
        combined = combine_components(distances, null.component_means)
        maps = smooth(relative_to_expected(combined, levels, null.expected), method.smoothing)
        scores[start : chosen.stop] = [float(method.image_score(m[inside.to(m.device)])) for m in maps]
        upright[list(query.indices[start : chosen.stop])] = sampling.to_slices(maps).cpu().numpy()
        parts.append(weights.cpu().numpy())
        progress(chosen.stop / len(query.indices), "Comparing slices")
    p_values = conformal_slice_p(
        scores, query.encoded.levels, null.slice_scores, [each.levels for each in references.aligned]
    )
    return ExaminedSlices(
        values=np.ascontiguousarray(prepared.orientation.invert(upright)),
        score=scan_score(scores),
        slice_scores=_per_slice(query, scores),
        slice_p_values=_per_slice(query, p_values),
        weights=_per_slice(query, np.concatenate(parts)),
    )


def _per_slice(query: EncodedScan, values: FloatArray) -> FloatArray:
    """Spreads values of encoded slices over all slices of the scan, in its own order."""
    every = np.full((query.scan.n_slices, *values.shape[1:]), np.nan, np.float32)
    every[list(query.indices)] = values
    return every[::-1].copy() if query.prepared.orientation.flips[0] else every
