"""A query's slices against the references: maps on its own grid, scores, weights and p-values of slices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from napari_d24fad.detection.encoding.devices import upload
from napari_d24fad.detection.encoding.encoded import EncodedScan
from napari_d24fad.detection.encoding.halving import in_halves
from napari_d24fad.detection.references.alignment import Compared
from napari_d24fad.detection.references.calibration import FloatArray, conformal_slice_p
from napari_d24fad.detection.references.null import (
    Null,
    combine_components,
    relative_to_expected,
    scan_score,
    smooth,
)
from napari_d24fad.detection.references.reference_set import References
from napari_d24fad.errors import Code, PairingError
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
        PairingError: ``REGION_NOT_CARRIED``, if it shows nothing where alone is to be examined.
        Cancelled: If a stop was asked for.
    """
    prepared, method, null = query.prepared, references.scoring, references.null
    side = method.map_side(prepared.sampling.side)
    compared = references.alignment.compare(
        query, references.encoded, progress=part(progress, 0, 0.7), cancel=cancel
    )
    if not prepared.inside(query.indices, side, references.region).any():
        raise PairingError(Code.REGION_NOT_CARRIED, "The scan to examine shows nothing there.")
    upright = np.full(prepared.scan.grid, np.nan, np.float32)

    def drawn(run: slice) -> tuple[torch.Tensor, ...]:
        maps, weights = _maps(compared, run, null, references.shares, cancel)
        inside = upload(prepared.inside(query.indices[run], side, references.region), maps.device)
        slices = torch.from_numpy(prepared.to_slices(maps, query.indices[run]))
        return method.image_score(maps, inside), weights, slices

    parts = []
    hold_values: list[bool] = []
    for start in range(0, len(query.indices), _AT_ONCE):
        chosen = slice(start, min(start + _AT_ONCE, len(query.indices)))
        *found, slices = in_halves(drawn, chosen)
        upright[list(query.indices[chosen])] = slices.numpy()
        hold_values += [bool(np.isfinite(each).any()) for each in slices.numpy()]
        parts.append(found)
        progress(0.7 + 0.3 * chosen.stop / len(query.indices), "Drawing the map")
    if references.region is not None:
        upright[:, ~prepared.sampling.region_of_slices(references.region)] = np.nan
    scores, weights = (torch.cat(each).cpu().numpy() for each in zip(*parts, strict=True))
    scores[~np.array(hold_values)] = np.nan
    examined = np.isfinite(scores)
    p_values = conformal_slice_p(
        scores, query.encoded.levels, null.slice_scores, [each.encoded.levels for each in references.encoded]
    )
    return ExaminedSlices(
        values=np.ascontiguousarray(prepared.orientation.invert(upright)),
        score=scan_score(scores[references.ranked(query)]),
        slice_scores=per_slice(query, scores),
        slice_p_values=per_slice(query, np.where(examined, p_values, np.float32(np.nan))),
        weights=per_slice(query, np.where(examined[:, None, None], weights, np.float32(np.nan))),
    )


def maps_of(query: EncodedScan, references: References, cancel: CancelToken) -> torch.Tensor:
    """Returns the maps of the encoded slices of a scan, ``(n, side, side)``, before they are drawn.

    Raises:
        Cancelled: If a stop was asked for.
    """
    compared = references.alignment.compare(query, references.encoded, cancel=cancel)
    return _maps(compared, slice(None), references.null, references.shares, cancel)[0]


def draw_maps(query: EncodedScan, maps: torch.Tensor) -> FloatArray:
    """Draws maps ``(n, side, side)`` of the encoded slices on the grid of the scan, NaN elsewhere."""
    upright = np.full(query.prepared.scan.grid, np.nan, np.float32)
    upright[list(query.indices)] = query.prepared.to_slices(maps, query.indices)
    return np.ascontiguousarray(query.prepared.orientation.invert(upright))


def draw_slices(compared: Compared, references: References, cancel: CancelToken) -> FloatArray:
    """Draws the maps of all slices of a comparison.

    Args:
        compared: A scan, or a part of one, and the references.
        references: The references.
        cancel: Stops it.

    Returns:
        ``(n, rows, columns)`` in canonical order.

    Raises:
        Cancelled: If a stop was asked for.
    """
    maps, _ = _maps(compared, slice(None), references.null, references.shares, cancel)
    return compared.query.prepared.to_slices(maps, compared.query.indices)


def examine_slice(
    compared: Compared, position: int, references: References, shares: Sequence[float]
) -> FloatArray:
    """Draws the map of one slice at once, held against what these references showed before.

    Args:
        compared: A scan and some of the references, or others.
        position: Of the slice among those encoded.
        references: What the map is relative to.
        shares: How much each reference of ``compared`` counts.

    Returns:
        ``(1, rows, columns)`` in canonical order.
    """
    chosen = slice(position, position + 1)
    maps, _ = _maps(compared, chosen, references.null, shares, CancelToken())
    return compared.query.prepared.to_slices(maps, compared.query.indices[chosen])


@torch.inference_mode()
def _maps(
    compared: Compared, chosen: slice, null: Null, shares: Sequence[float], cancel: CancelToken
) -> tuple[torch.Tensor, torch.Tensor]:
    """Smoothed maps ``(n, side, side)`` of some slices, and weights ``(n, references, scales)``."""
    method, query = compared.method, compared.query
    side = method.map_side(query.prepared.sampling.side)
    distances, weights = compared.distances(chosen, side, shares, cancel)
    combined = combine_components(distances, null.component_means)
    relative = relative_to_expected(combined, query.encoded.levels[chosen], null.expected)
    maps = smooth(relative, method.smoothing)
    return (maps if null.spread is None else null.spread.weigh(maps)), weights


def per_slice(query: EncodedScan, values: FloatArray) -> FloatArray:
    """Spreads values of encoded slices over all slices of the scan, in its own order."""
    every = np.full((query.scan.n_slices, *values.shape[1:]), np.nan, np.float32)
    every[list(query.indices)] = values
    return every[::-1].copy() if query.prepared.orientation.flips[0] else every
