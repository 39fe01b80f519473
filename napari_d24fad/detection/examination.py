"""A query's slices against the references: maps on its own grid, scores, weights and p-values of slices."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch

from napari_d24fad.detection.calibration import FloatArray, conformal_slice_p
from napari_d24fad.detection.encoded import EncodedScan
from napari_d24fad.detection.null import combine_components, relative_to_expected, scan_score, smooth
from napari_d24fad.detection.references import References
from napari_d24fad.progress import CancelToken, Progress, part

_AT_ONCE = 16
"""Slices whose maps are drawn at once."""


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
    query: EncodedScan, references: References, progress: Progress, cancel: CancelToken
) -> ExaminedSlices:
    """Compares every encoded slice of a query with the references.

    Args:
        query: The scan to examine.
        references: What it is compared with.
        progress: Told how far this is.
        cancel: Stops it.

    Raises:
        Cancelled: If a stop was asked for.
    """
    prepared, method, null = query.prepared, references.scoring, references.null
    sampling = prepared.sampling
    side = method.map_side(sampling.side)
    compared = references.alignment.compare(
        query, references.encoded, progress=part(progress, 0, 0.7), cancel=cancel
    )
    upright = np.full(prepared.scan.grid, np.nan, np.float32)
    scores = np.empty(len(query.indices), np.float32)
    parts = []
    inside = sampling.inside(side)
    for start in range(0, len(query.indices), _AT_ONCE):
        chosen = slice(start, min(start + _AT_ONCE, len(query.indices)))
        distances, weights = compared.distances(chosen, side, references.shares, cancel)
        combined = combine_components(distances, null.component_means)
        relative = relative_to_expected(combined, query.encoded.levels[chosen], null.expected)
        maps = smooth(relative, method.smoothing)
        scores[chosen] = method.image_score(maps[:, inside.to(maps.device)]).cpu().numpy()
        upright[list(query.indices[chosen])] = sampling.to_slices(maps).cpu().numpy()
        parts.append(weights.cpu().numpy())
        progress(0.7 + 0.3 * chosen.stop / len(query.indices), "Drawing the map")
    p_values = conformal_slice_p(
        scores, query.encoded.levels, null.slice_scores, [each.encoded.levels for each in references.encoded]
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
