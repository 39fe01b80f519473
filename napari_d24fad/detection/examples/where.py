"""Where in a scan a place of the coarse grid lies, and which places a drawn lesion covers."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from napari_d24fad.detection.encoding.encoded import EncodedScan
from napari_d24fad.detection.examples.described import Places
from napari_d24fad.detection.examples.slices import Slices
from napari_d24fad.detection.result import FloatArray, Patch
from napari_d24fad.errors import Code, PairingError

_COVERED = 0.5
_SLICES = 3
"""So many slices are scored together, and taken to show the lesion where nobody said which do."""


def patch_of(image: EncodedScan, place: tuple[int, int], side: int) -> Patch:
    """Returns the voxels of a scan that a place stands for.

    Args:
        image: An encoded scan.
        place: The slice, of those encoded, and the place in it, row by row.
        side: Places along one side of a slice.
    """
    index = image.indices[place[0]]
    sampling, orientation = image.prepared.sampling, image.prepared.orientation
    step = sampling.side / side
    spans = [(index, index)]
    for number, origin, content, (low, high) in zip(
        divmod(place[1], side),
        sampling.origin,
        sampling.content,
        (sampling.rows, sampling.columns),
        strict=True,
    ):
        scale = (high - low) / content
        start = low + (number * step - origin) * scale
        first = min(max(math.floor(start), low), high - 1)
        spans.append((first, max(first, min(math.ceil(start + step * scale), high) - 1)))
    matrix = orientation.index_transform(image.scan.grid)
    corners = np.array([[*ends, 1] for ends in zip(*spans, strict=True)]) @ matrix.T
    low_index, high_index = (each[:3].astype(int).tolist() for each in (corners.min(0), corners.max(0)))
    return Patch(tuple(low_index), tuple(high_index))


def slices_with(shown: Iterable[int], image: EncodedScan) -> npt.NDArray[np.bool_]:
    """Returns which encoded slices of a volume stand for some slices of the scan, ``(n,)``.

    Args:
        shown: Canonical indices; a slice that was not encoded is stood for by the nearest that was.
        image: The volume.
    """
    indices = np.array(image.indices)
    chosen = np.zeros(len(indices), bool)
    for each in shown:
        chosen[np.abs(indices - each).argmin()] = True
    return chosen


def drawn_in_slices(region: npt.NDArray[np.bool_], image: EncodedScan) -> npt.NDArray[np.bool_]:
    """Brings a region of a volume to the network inputs of its encoded slices.

    Args:
        region: ``(slices, rows, columns)`` in canonical order.
        image: The volume.

    Returns:
        ``(n, side, side)``; a slice that was not encoded counts in the nearest that was.
    """
    sampling, indices = image.prepared.sampling, np.array(image.indices)
    drawn = np.zeros((len(indices), sampling.side, sampling.side), bool)
    for each in np.flatnonzero(region.any(axis=(1, 2))):
        drawn[np.abs(indices - each).argmin()] |= sampling.region_of_input(region[each])
    return drawn


def lesion_in_slices(
    lesion: npt.NDArray[np.bool_] | None, known: Slices, scores: FloatArray, maps: Tensor, top: float, at: int
) -> Places:
    """Returns which places of an abnormal volume show its lesion.

    Args:
        lesion: ``(slices, side, side)`` of the network inputs of the encoded slices, as it was drawn, or
            ``(slices,)`` which of them show it; None for the three that score highest. Of slices the most
            unusual places are taken.
        known: The volume.
        scores: ``(slices,)`` of its encoded slices, by the references alone.
        maps: ``(slices, side, side)``, likewise.
        top: Share of the places of slices that is taken: what the score of a slice is the mean of.
        at: Which of the examples it is, from 0.

    Raises:
        PairingError: ``LESION_OUTSIDE``, if none of it is examined.
    """
    inside = known.inside.reshape(len(scores), -1)
    if lesion is not None and lesion.ndim == 3:
        share = adaptive_avg_pool2d(torch.from_numpy(lesion)[:, None].float(), known.side).flatten().numpy()
        share = share[known.inside]
        found = np.flatnonzero((share >= min(_COVERED, float(share.max(initial=0)))) & (share > 0))
    else:
        if lesion is None:
            lesion = np.zeros(len(scores), bool)
            lesion[np.argsort(np.nan_to_num(scores, nan=-np.inf))[-_SLICES:]] = True
        chosen = np.flatnonzero((inside & lesion[:, None])[inside])
        unusual = (
            adaptive_avg_pool2d(maps[:, None].float(), known.side).flatten().numpy()[known.inside][chosen]
        )
        found = chosen[np.argsort(unusual, kind="stable")[-max(1, round(top * len(chosen))) :]]
    if not len(found):
        raise PairingError(Code.LESION_OUTSIDE, f"Abnormal example {at + 1}.", example=at)
    return found


def places_in(lesion: npt.NDArray[np.bool_], side: int) -> Places:
    """Returns the places that lie at least half in a lesion; of a small one those that hold most of it.

    Args:
        lesion: ``(side, side)`` of the network input.
        side: Places along one side of the coarse grid.
    """
    share = adaptive_avg_pool2d(torch.from_numpy(lesion)[None, None].float(), side).flatten().numpy()
    return np.flatnonzero(share >= min(_COVERED, float(share.max())))
