"""Whether what was read is what a case expects: every voxel, all corners, every code."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from napari_d24fad.errors import StudyError
from napari_d24fad.studies.orientation import canonical
from napari_d24fad.studies.scan import Photometric, Scan
from napari_d24fad.studies.series import Series
from napari_d24fad.studies.study import open_study
from tests.studies import phantom
from tests.studies.corpus.case import Case, Picture, Refused, Volume


def check(case: Case, folder: Path) -> None:
    """Writes a case, opens it, and compares everything that comes of it."""
    path = case.write(folder)
    if case.refused is not None:
        with pytest.raises(StudyError) as caught:
            open_study(path)
        assert caught.value.code is case.refused
        return
    study = open_study(path)
    assert [problem.code for problem in study.problems] == list(case.problems)
    assert len(study.series) == len(case.expected), [one.identity.description for one in study.series]
    for series, expected in list(zip(study.series, case.expected, strict=True))[:: case.every]:
        check_series(series, expected)


def check_series(series: Series, expected: Volume | Picture | Refused) -> None:
    """Loads a series, or sees it refused."""
    if isinstance(expected, Refused):
        with pytest.raises(StudyError) as caught:
            series.load()
        assert caught.value.code is expected.code
        assert expected.says in caught.value.detail
        assert (series.remedy is None) == (expected.remedy is None)
        if series.remedy is not None and expected.remedy is not None:
            assert series.refusal is not None
            check_series(series.remedy, expected.remedy)
        return
    scan = series.load()
    assert scan.grid == series.grid
    assert [problem.code for problem in scan.problems] == list(expected.problems)
    assert series.thumbnail().size
    if isinstance(expected, Picture):
        assert series.spacing is None
        assert not scan.has_geometry
        assert scan.photometric is (
            Photometric.COLOUR if expected.values.shape[-1] == 3 else expected.photometric
        )
        difference = np.abs(np.asarray(scan.voxels, float).reshape(expected.values.shape) - expected.values)
        assert difference.max() <= expected.tolerance
        return
    assert series.identity.description.endswith(expected.name)
    assert series.label.endswith(expected.label)
    for each in (scan, canonical(scan)):
        check_volume(each, expected)


def check_volume(scan: Scan, expected: Volume) -> None:
    """Compares places with the truth, and values with the phantom at these places."""
    assert scan.has_geometry
    affine, values = np.asarray(scan.affine), np.asarray(scan.voxels, float)
    if not expected.slanted:
        np.testing.assert_allclose(
            corners(affine, scan.grid), corners(expected.affine, expected.grid), atol=0.02
        )
    cosines = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    np.testing.assert_allclose(cosines.T @ cosines, np.eye(3), atol=0.09 if expected.label else 1e-3)
    index = np.indices(scan.grid).reshape(3, -1)
    world = affine[:3, :3] @ index + affine[:3, 3:]
    if expected.values is not None:
        assert scan.is_colour
        at = np.round(np.linalg.solve(expected.affine[:3, :3], world - expected.affine[:3, 3:])).astype(int)
        there = expected.values[tuple(at)]
        assert np.abs(values.reshape(-1, 3) - there).max() <= expected.tolerance
        return
    difference = np.abs(values.reshape(-1) - phantom.world_value(world))
    assert np.nanmax(difference) <= expected.tolerance
    scanned = np.linalg.solve(expected.affine[:3, :3], world - expected.affine[:3, 3:])
    ends = np.array(expected.grid)[:, np.newaxis] - 1
    inside = ((scanned > -1e-3) & (scanned < ends + 1e-3)).all(axis=0)
    assert np.isnan(difference[inside]).sum() == expected.padding
    assert np.isnan(difference[~inside]).all()
    assert inside.mean() > 0.3


def corners(affine: np.ndarray, grid: tuple[int, ...]) -> np.ndarray:
    """The places of the eight corner voxels in LPS mm, in an order of their own."""
    index = np.array(list(itertools.product(*((0, length - 1) for length in grid)))).T
    places = affine[:3, :3] @ index + affine[:3, 3:]
    return places[:, np.lexsort(np.round(places, 3))]
