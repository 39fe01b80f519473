"""What normal looks like in numbers: each reference examined against the others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from torch import Tensor

from napari_d24fad.detection.encoding.devices import upload
from napari_d24fad.detection.encoding.encoded import EncodedScan
from napari_d24fad.detection.references.alignment import Alignment, Compared
from napari_d24fad.detection.references.calibration import LeftOutMaps
from napari_d24fad.detection.references.pairing import MIN_REFERENCES
from napari_d24fad.detection.references.spread import Spread, measure_spread
from napari_d24fad.detection.scoring.matched import MatchedScoring
from napari_d24fad.errors import Code, PairingError
from napari_d24fad.progress import CancelToken, Progress, part

LEVELS = 16
NORMAL_PERCENTILE = 99.9
_EVERY = 4


@dataclass(frozen=True, slots=True, eq=False)
class Null:
    """Turns distances into a map, and says which map values normal scans reach.

    Attributes:
        component_means: ``(components,)`` mean distance of each component among the
            references; None where the scoring adds components as they are.
        expected: ``(levels, side, side)`` combined distance that references show at each
            place of the anatomy; None likewise.
        spread: Where maps of references vary; None where the scoring does not weigh places.
        normal_level: Median over the references of the 99.9th percentile of their own maps.
        scores: ``(references,)`` score of each reference against the others.
        slice_scores: ``(references, slices)`` the same per slice, NaN where there is none.
        one_more: Factor by which map values shrink with one reference more: a query is
            compared with one more than a reference is.
    """

    component_means: Tensor | None = field(repr=False)
    expected: Tensor | None = field(repr=False)
    spread: Spread | None = field(repr=False)
    normal_level: float
    scores: npt.NDArray[np.float32] = field(repr=False)
    slice_scores: npt.NDArray[np.float32] = field(repr=False)
    one_more: float


def combine_components(distances: Tensor, means: Tensor | None) -> Tensor:
    """Makes one map of several components.

    Args:
        distances: ``(N, components, side, side)``.
        means: Mean of each component among references, ``(components,)``; None adds
            the components as they are (paper).

    Returns:
        ``(N, side, side)``; with ``means``, 1 is what references show on average.
    """
    if means is None:
        return distances.sum(dim=1)
    return (distances / means[:, None, None]).mean(dim=1)


def expected_maps(maps: Tensor, levels: npt.NDArray[np.float64]) -> Tensor:
    """Averages reference maps per level of the anatomy, smooth over place and level.

    Args:
        maps: ``(N, side, side)`` combined maps of reference slices, on the CPU.
        levels: ``(N,)`` their positions within the anatomy, 0 to 1.

    Returns:
        ``(LEVELS, side, side)``; the mean of the local and the overall average, so that
        a place where references hardly differ does not divide by almost nothing.
    """
    side = maps.shape[-1]
    bins = np.minimum((levels * LEVELS).astype(int), LEVELS - 1)
    values = maps.numpy()
    # As a matrix product, which is many times faster than adding map by map.
    member = (np.arange(LEVELS)[:, None] == bins).astype(np.float64)
    total = (member @ values.reshape(len(values), -1)).reshape(LEVELS, side, side)
    total = ndimage.gaussian_filter(total, (0, side / 16, side / 16), mode="nearest")
    count = np.bincount(bins, minlength=LEVELS).astype(np.float64)
    # Far enough, and in float64, that every level borrows from the nearest one that references show.
    total = ndimage.gaussian_filter1d(total, 1.0, axis=0, mode="nearest", truncate=LEVELS)
    count = ndimage.gaussian_filter1d(count, 1.0, mode="nearest", truncate=LEVELS)
    local = total / count[:, None, None]
    return torch.from_numpy((0.5 * local + 0.5 * values.mean()).astype(np.float32))


def relative_to_expected(maps: Tensor, levels: npt.NDArray[np.float64], expected: Tensor | None) -> Tensor:
    """Divides maps by what references show at the same place.

    Args:
        maps: ``(N, side, side)`` combined maps.
        levels: ``(N,)`` positions within the anatomy, 0 to 1.
        expected: Of `expected_maps`; None leaves maps as they are.
    """
    if expected is None:
        return maps
    bins = np.minimum((levels * LEVELS).astype(int), LEVELS - 1)
    return maps / expected[upload(torch.from_numpy(bins), maps.device)]


def smooth(maps: Tensor, fraction: float) -> Tensor:
    """Smooths each map with a Gaussian inside its own slice, never across slices.

    Args:
        maps: ``(N, side, side)``.
        fraction: Standard deviation as a fraction of the side.
    """
    gaussian = upload(torch.from_numpy(_gaussian(maps.shape[-1], fraction * maps.shape[-1])), maps.device)
    return gaussian @ maps @ gaussian.T


@cache
def _gaussian(side: int, sigma: float) -> npt.NDArray[np.float32]:
    """SciPy's Gaussian filter of a line, its borders included, as a matrix: faster, and on any device."""
    return np.asarray(ndimage.gaussian_filter1d(np.eye(side), sigma, axis=0), np.float32)


def scan_score(slice_scores: npt.NDArray[np.float32]) -> float:
    """One number for a scan: the mean of its three highest slice scores.

    One slice alone may stand out by noise; a lesion worth finding spans several.
    """
    values = np.sort(slice_scores[np.isfinite(slice_scores)])
    return float(values[-3:].mean())


@torch.inference_mode()
def measure_null(
    references: Sequence[EncodedScan],
    alignment: Alignment,
    shares: Sequence[float],
    progress: Progress,
    cancel: CancelToken,
    region: npt.NDArray[np.bool_] | None = None,
) -> tuple[Null, tuple[LeftOutMaps, ...]]:
    """Examines every reference against the others, in the same way as a query against all.

    What a query's map is divided by comes from all references; the map of a reference is
    divided by what the others show, or it would look more normal than any query can.

    Args:
        references: The references.
        alignment: What they are compared by.
        shares: How much each of them counts, above 0 and up to 1.
        progress: Told how far this is.
        cancel: Stops it.
        region: ``(side, side)`` of the network input: what is examined; None for all of it.

    Raises:
        PairingError: ``REGION_NOT_CARRIED``, if a reference shows nothing there.
        Cancelled: If a stop was asked for.
    """
    method = alignment.method
    side = method.map_side(references[0].prepared.sampling.side)
    compared, distances = [], []
    for index, reference in enumerate(references):
        tell = part(progress, index / len(references), (index + 1) / len(references))
        others = [each for each in references if each is not reference]
        compared.append(alignment.compare(reference, others, progress=tell, cancel=cancel))
        counted = [share for at, share in enumerate(shares) if at != index]
        distances.append(compared[-1].distances(slice(None), side, counted, cancel)[0])
        progress((index + 1) / len(references), "Comparing references with each other")
    means = torch.cat(distances).mean(dim=(0, 2, 3)).clamp(min=1e-6) if method.standardised else None
    combined = [combine_components(components, means) for components in distances]
    sums = _sums_with_fewer(compared, shares, side, means, combined, cancel)
    # Only here the device is waited for; what follows are small maps, quick on the CPU.
    one_more = _one_more(len(references), *sums.tolist())
    combined = list(torch.split(torch.cat(combined).cpu(), [len(maps) for maps in combined]))
    left_out = []
    for index, (maps, each) in enumerate(zip(combined, references, strict=True)):
        expected = _expected(combined, references, index) if method.relative else None
        smoothed = smooth(relative_to_expected(maps, each.encoded.levels, expected), method.smoothing)
        inside = each.prepared.inside(each.indices, side, region)
        if not inside.any():
            raise PairingError(Code.REGION_NOT_CARRIED, f"Reference {index + 1} shows nothing there.")
        left_out.append(LeftOutMaps(smoothed.numpy(), inside.numpy(), each.encoded.levels))
    spread = measure_spread(left_out, mirrored=method.mirrored) if method.weighed else None
    if method.weighed:
        left_out = _weighed(left_out, mirrored=method.mirrored)
    slice_scores = np.full((len(references), max(len(r.indices) for r in references)), np.nan, np.float32)
    for row, alone in zip(slice_scores, left_out, strict=True):
        row[: len(alone.maps)] = method.image_score(
            torch.from_numpy(alone.maps), torch.from_numpy(alone.inside)
        ).numpy()
    scores = np.array([scan_score(row) for row in slice_scores], np.float32)
    # The median, so that one abnormal reference does not hide what the query shows.
    peaks = [np.percentile(alone.values(), NORMAL_PERCENTILE) for alone in left_out]
    null = Null(
        means,
        upload(_expected(combined, references), distances[0].device) if method.relative else None,
        None if spread is None else spread.on(distances[0].device),
        float(np.median(peaks)),
        scores,
        slice_scores,
        one_more,
    )
    return null, tuple(left_out)


def _weighed(left_out: list[LeftOutMaps], *, mirrored: bool) -> list[LeftOutMaps]:
    """Weighs the maps of each reference by the spread of the others."""
    weighed = []
    for index, one in enumerate(left_out):
        spread = measure_spread(left_out[:index] + left_out[index + 1 :], mirrored=mirrored)
        weighed.append(replace(one, maps=spread.weigh(torch.from_numpy(one.maps)).numpy()))
    return weighed


def _one_more(count: int, fewer: float, before: float) -> float:
    """How values go from K - 1 references to K, from how they go from K - 2 to K - 1.

    Nearest-neighbour distances fall as a power of the number of references.

    Args:
        count: K.
        fewer: Of `_sums_with_fewer`.
        before: Likewise.
    """
    if count == MIN_REFERENCES or before <= 0:
        return 1.0
    exponent = max(0.0, math.log(fewer / before) / math.log((count - 1) / (count - 2)))
    return float((1 - 1 / count) ** exponent)


def _sums_with_fewer(
    compared: Sequence[Compared],
    shares: Sequence[float],
    side: int,
    means: Tensor | None,
    combined: Sequence[Tensor],
    cancel: CancelToken,
) -> Tensor:
    """Leaves a second reference out: the sums of maps with K - 2 references and with K - 1.

    In every few slices, on the device, which is not waited for.

    Returns:
        Both sums, ``(2,)`` float64; 0 where there are too few references to leave out two.
    """
    count = len(compared)
    if count == MIN_REFERENCES:
        return torch.zeros(2, dtype=torch.float64)
    # Every other one is left out in turn, or the order of the references would decide; of fewer slices.
    chosen = slice(None, None, _EVERY * (count - 1))
    more = [maps[chosen] for maps in combined]
    method = compared[0].method
    every = [[share for at, share in enumerate(shares) if at != index] for index in range(count)]
    if isinstance(method, MatchedScoring) and count == method.nearest + 1:
        # The others are as many as are averaged, the query's references one more: only the query has a
        # choice. What a first choice gains is seen with one fewer to average.
        method = replace(method, nearest=method.nearest - 1)
        compared = [replace(each, method=method) for each in compared]
        found = [
            each.distances(chosen, side, own, cancel)[0] for each, own in zip(compared, every, strict=True)
        ]
        more = [combine_components(distances, means) for distances in found]
    fewer = [
        combine_components(distances, means).sum(dtype=torch.float64)
        for each, own in zip(compared, every, strict=True)
        for distances in each.distances_without_one(chosen, side, own, cancel)
    ]
    before = [(count - 1) * maps.sum(dtype=torch.float64) for maps in more]
    return torch.stack([torch.stack(fewer).sum(), torch.stack(before).sum()])


def _expected(
    combined: Sequence[Tensor], references: Sequence[EncodedScan], leave_out: int | None = None
) -> Tensor:
    kept = [index for index in range(len(combined)) if index != leave_out]
    levels = np.concatenate([references[index].encoded.levels for index in kept])
    return expected_maps(torch.cat([combined[index] for index in kept]), levels)
