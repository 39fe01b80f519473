"""Lays a segmentation over the scan that it was made on, voxel on voxel."""

from __future__ import annotations

from itertools import product

import numpy as np
import numpy.typing as npt

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.segments.segmentation import Labels, Segments

_APART_MM = 0.1
"""How far a voxel may lie from that of the scan."""


def is_source(segments: Segments, scan: Scan) -> bool:
    """Whether a segmentation says that it was made on the series of a scan."""
    return scan.identity.series_uid in segments.source_series


def on_scan(segments: Segments, scan: Scan) -> tuple[Labels, ...]:
    """Returns the same segments on the grid of a scan; nothing is resampled.

    Args:
        segments: Made on the scan.
        scan: The scan, or its outline.

    Returns:
        As `Segments.layers`, in the order of the scan's axes.

    Raises:
        StudyError: ``AMBIGUOUS_GEOMETRY`` if its voxels are not voxels of the scan, or it lies in another
            frame of reference.
    """
    if not scan.in_patient or segments.frame_of_reference_uid != scan.identity.frame_of_reference_uid:
        raise StudyError(
            Code.AMBIGUOUS_GEOMETRY, "Scan and segmentation do not lie in one frame of reference."
        )
    to_scan = np.linalg.inv(np.asarray(scan.affine, float)) @ segments.affine
    whole = np.rint(to_scan)
    turn = whole[:3, :3].astype(int)
    # Each axis of the one is an axis of the other, perhaps backwards.
    if not (np.array_equal(np.abs(turn).sum(0), [1] * 3) and np.array_equal(np.abs(turn).sum(1), [1] * 3)):
        raise _other_voxels()
    corners = np.array(
        [(*each, 1) for each in product(*((0, size - 1) for size in segments.layers[0].shape))]
    )
    apart = scan.affine[:3, :3] @ (corners @ (to_scan - whole).T)[:, :3].T
    if np.linalg.norm(apart, axis=0).max() > _APART_MM:
        raise _other_voxels()
    return tuple(_put(each, turn, whole[:3, 3].astype(int), scan.grid) for each in segments.layers)


def _put(
    labels: Labels, turn: npt.NDArray[np.int_], shift: npt.NDArray[np.int_], grid: tuple[int, int, int]
) -> Labels:
    places = np.argwhere(labels)
    on_grid = places @ turn.T + shift
    if len(on_grid) and ((on_grid < 0).any() or (on_grid >= grid).any()):
        raise StudyError(Code.AMBIGUOUS_GEOMETRY, "The segmentation reaches beyond the scan.")
    put = np.zeros(grid, np.uint16)
    put[tuple(on_grid.T)] = labels[tuple(places.T)]
    return put


def _other_voxels() -> StudyError:
    return StudyError(Code.AMBIGUOUS_GEOMETRY, "The voxels of the segmentation are not those of the scan.")
