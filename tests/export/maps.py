"""Phantoms of the export tests: maps whose value tells where in the patient they lie."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from napari_d24fad.detection.references.reference_check import ReferenceCheck
from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.errors import Code
from napari_d24fad.studies.scan import Problem, Scan, SeriesIdentity

AXIS_ORDERS = tuple(itertools.permutations(range(3)))
SPACING = np.array([1.5, 0.75, 0.5])


def world_value(lps: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """2x + 3y + 5z in LPS mm; ``lps`` is (..., 3)."""
    return lps @ np.array([2.0, 3.0, 5.0])


def affine_of(
    order: tuple[int, ...] = (2, 1, 0), signs: tuple[int, ...] = (1, 1, 1), tilt: float = 0.0
) -> npt.NDArray[np.float64]:
    """Array axis n runs along LPS axis order[n]; ``tilt`` turns all about x and then z, in radians."""
    sine, cosine = np.sin(tilt), np.cos(tilt)
    about_x = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    about_z = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = about_z @ about_x @ (np.eye(3)[:, order] * signs) * SPACING
    affine[:3, 3] = (-31.25, 40.5, 12.75)
    return affine


def positions(grid: tuple[int, ...], affine: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """LPS mm of every voxel, (*grid, 3)."""
    index = np.stack(np.indices(grid), axis=-1)
    return index @ affine[:3, :3].T + affine[:3, 3]


def make_map(
    values: npt.NDArray[np.generic],
    affine: npt.NDArray[np.float64] | None = None,
    *,
    slice_axis: int = 0,
    normal_level: float = 1.0,
    slice_scores: npt.NDArray[np.generic] | None = None,
) -> AnomalyMap:
    """A map with two references; slice scores are the largest value of each slice."""
    values = values.astype(np.float32)
    count = values.shape[slice_axis]
    others = tuple(axis for axis in range(3) if axis != slice_axis)
    scores = values.max(axis=others) if slice_scores is None else slice_scores.astype(np.float32)
    weights = np.tile(np.array([[[0.25, 0.5, 0.75], [0.75, 0.5, 0.25]]], np.float32), (count, 1, 1))
    weights[~np.isfinite(scores)] = np.nan
    return AnomalyMap(
        values=values,
        affine=np.eye(4) if affine is None else affine,
        slice_axis=slice_axis,
        score=2.5,
        slice_scores=scores,
        weights=weights,
        normal_level=normal_level,
        reference_scores=np.array([0.75, 0.1], np.float32),
        reference_slice_scores=np.array([[0.5, np.nan], [0.25, 0.5]], np.float32),
        scoring="matched",
        model_name="compact",
        model_sha256="ab" * 32,
        device="cpu",
        seconds=1.23456,
        warnings=(Problem(Code.MODALITY_UNSTATED),),
        p_value=1 / 3,
        p_floor=1 / 3,
        slice_p_values=np.where(np.isfinite(scores), 2 / 3, np.nan).astype(np.float32),
        level_one_region=1.25,
        levels_by_rate={0.05: 0.5, 0.01: 0.75},
        reference_checks=(ReferenceCheck(0, 0.5, False, ""), ReferenceCheck(1, 4.5, True, "Look at it.")),
    )


def linear_map(grid: tuple[int, int, int], affine: npt.NDArray[np.float64]) -> AnomalyMap:
    """A map that holds 2x + 3y + 5z of every voxel's position."""
    return make_map(world_value(positions(grid, affine)), affine)


def make_scan(
    voxels: npt.NDArray[np.generic], affine: npt.NDArray[np.float64] | None = None, **attributes: object
) -> Scan:
    """A scan; without an affine it has no geometry."""
    settings = {"modality": "MR", "has_geometry": affine is not None, "identity": SeriesIdentity("T1")}
    matrix = np.eye(4) if affine is None else affine
    return Scan(voxels, matrix, **(settings | attributes))  # type: ignore[arg-type]  # a test's keywords
