"""Where in a scan a place of the coarse grid lies, and which places a drawn lesion covers."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import adaptive_avg_pool2d

from napari_d24fad.detection.encoding.encoded import EncodedScan
from napari_d24fad.detection.examples.described import Places
from napari_d24fad.detection.result import Patch

_COVERED = 0.5


def patch_of(image: EncodedScan, place: int, side: int) -> Patch:
    """Returns the voxels of a single image that a place stands for.

    Args:
        image: An encoded image.
        place: Of the coarse grid, row by row.
        side: Places along one side of that grid.
    """
    sampling, orientation = image.prepared.sampling, image.prepared.orientation
    step = sampling.side / side
    spans = [(image.indices[0], image.indices[0])]
    for number, origin, content, (low, high) in zip(
        divmod(place, side), sampling.origin, sampling.content, (sampling.rows, sampling.columns), strict=True
    ):
        scale = (high - low) / content
        start = low + (number * step - origin) * scale
        first = min(max(math.floor(start), low), high - 1)
        spans.append((first, max(first, min(math.ceil(start + step * scale), high) - 1)))
    matrix = orientation.index_transform(image.scan.grid)
    corners = np.array([[*ends, 1] for ends in zip(*spans, strict=True)]) @ matrix.T
    low_index, high_index = (each[:3].astype(int).tolist() for each in (corners.min(0), corners.max(0)))
    return Patch(tuple(low_index), tuple(high_index))


def places_in(lesion: npt.NDArray[np.bool_], side: int) -> Places:
    """Returns the places that lie at least half in a lesion; of a small one those that hold most of it.

    Args:
        lesion: ``(side, side)`` of the network input.
        side: Places along one side of the coarse grid.
    """
    share = adaptive_avg_pool2d(torch.from_numpy(lesion)[None, None].float(), side).flatten().numpy()
    return np.flatnonzero(share >= min(_COVERED, float(share.max())))
