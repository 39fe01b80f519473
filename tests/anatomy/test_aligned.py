from __future__ import annotations

import dataclasses
from functools import lru_cache

import numpy as np
import pytest
from scipy import ndimage

from napari_d24fad.anatomy.aligned import TemplatePlacer, box_of, find_aligned
from napari_d24fad.anatomy.common_grid import common_grid
from napari_d24fad.anatomy.deformation import Deformation
from napari_d24fad.anatomy.found import Anatomy
from napari_d24fad.anatomy.head_mr import mni_template
from napari_d24fad.errors import Code, D24fadError
from napari_d24fad.studies.scan import Scan
from tests.anatomy import known_head as heads

HEAD = heads.template()
PLACES = heads.places(HEAD.anatomy.shape, HEAD.volume.affine)


def scan_of(volume: heads.Volume, values: np.ndarray | None = None) -> Scan:
    return Scan(volume.values if values is None else values, volume.affine, modality="MR")


@lru_cache(maxsize=1)
def tilted() -> tuple[Scan, Anatomy, np.ndarray]:
    move = heads.turned("x", 20, (5, -8, 12))
    scan = scan_of(heads.drawn(move, low=(-110, -130, -100), high=(110, 130, 100)))
    return scan, find_aligned(scan, HEAD), move


def test_the_organ_of_a_tilted_head_is_found_in_its_own_voxels() -> None:
    scan, found, move = tilted()
    assert not found.problems
    points = heads.places(scan.grid, scan.affine)
    back = np.linalg.inv(move)
    radius = np.linalg.norm((points @ back[:3, :3].T + back[:3, 3]) / heads.HALF, axis=-1)
    mask = found.grid.expand(found.mask)
    assert mask.dtype == bool
    assert mask[radius < 0.9].mean() > 0.98
    assert mask[radius > 1.1].mean() < 0.02


def test_a_map_comes_back_to_the_voxels_it_was_read_from() -> None:
    scan, found, _ = tilted()
    back = found.grid.expand(found.values)
    mask = found.grid.expand(found.mask)
    assert np.corrcoef(back[mask], np.asarray(scan.voxels)[mask])[0, 1] > 0.8
    assert np.isnan(back[0, 0, 0])


def test_a_place_leads_to_the_voxel_of_the_scan() -> None:
    scan, found, move = tilted()
    place = np.array([12.0, 30.0, 8.0])
    index = np.linalg.inv(HEAD.volume.affine) @ [*place, 1.0]
    true = np.linalg.inv(scan.affine) @ move @ [*place, 1.0]
    assert np.linalg.norm(found.grid.scan_index(index[:3]) - true[:3]) * 4 < 4


def test_places_are_those_of_the_template_and_mirror_each_other() -> None:
    _, found, _ = tilted()
    place = TemplatePlacer(box_of(HEAD)).place(found)
    assert place.how == "affine and deformation"
    assert place.volume_change is not None
    np.testing.assert_allclose(place.coordinates[:, 2, 3, 4], [10, 14, 18])
    assert place.mirror is not None
    np.testing.assert_allclose(place.mirror[:, 2, 3, 4], [2, 3, HEAD.anatomy.shape[2] - 5])


def test_a_deformation_is_undone_on_the_way_back() -> None:
    stretch = Deformation((0.15 * PLACES).astype(np.float32), HEAD.volume.affine)
    scan = scan_of(heads.drawn(np.diag([1.15, 1.15, 1.15, 1.0]), noise=0.0))
    grid = common_grid(scan, HEAD.volume, np.eye(4), stretch)
    read = grid.expand(HEAD.volume.values)
    inside = np.linalg.norm(heads.places(scan.grid, scan.affine) / (1.15 * heads.HALF), axis=-1) < 0.85
    without = dataclasses.replace(grid, deformation=None).expand(HEAD.volume.values)
    error, before = (np.abs(each - np.asarray(scan.voxels))[inside].mean() for each in (read, without))
    assert error < 0.6 * before


def test_slices_of_the_scan_get_the_scores_of_where_they_cross() -> None:
    scan = scan_of(heads.drawn(spacing=(8.0, 4.0, 4.0)))
    grid = common_grid(scan, HEAD.volume, np.eye(4), None)
    assert grid.slice_axis == 0
    ramp = np.arange(HEAD.anatomy.shape[0], dtype=np.float32)
    ramp[:4] = np.nan
    read = grid.scan_slices(ramp)
    assert len(read) == scan.n_slices
    assert np.isnan(read[:2]).all()
    np.testing.assert_allclose(read[2:20], np.arange(2, 20) * 2, atol=0.01)
    assert grid.scan_slice_range(10, 13) == (5, 6)


def test_what_cannot_be_aligned_is_refused() -> None:
    thin = heads.drawn(low=(-92, -108, 0), high=(92, 108, 9), spacing=(3.0, 4.0, 4.0))
    with pytest.raises(D24fadError) as refusal:
        find_aligned(scan_of(thin), HEAD)
    assert refusal.value.code is Code.NOT_ALIGNED


def test_noise_in_the_outline_of_a_brain_is_told() -> None:
    rng = np.random.default_rng(0)
    inside = np.linalg.norm(PLACES / heads.HALF, axis=-1) < 0.9
    found = find_aligned(
        scan_of(HEAD.volume, np.where(inside, rng.random(inside.shape), 0).astype(np.float32)), HEAD
    )
    assert Code.CONTRAST_DIFFERS in [problem.code for problem in found.problems]


def test_another_sequence_is_said() -> None:
    inverse = heads.drawn(noise=0.0)
    points = heads.places(inverse.values.shape, inverse.affine)
    brain = np.linalg.norm(points / heads.HALF, axis=-1) < 1
    values = np.where(brain, 1.9 - inverse.values, inverse.values).astype(np.float32)
    found = find_aligned(scan_of(inverse, values), HEAD)
    assert Code.CONTRAST_DIFFERS in [problem.code for problem in found.problems]
    other = find_aligned(scan_of(inverse, values), HEAD, like_template=False)
    assert Code.CONTRAST_DIFFERS not in [problem.code for problem in other.problems]


def test_a_stripped_brain_is_its_own_mask() -> None:
    scan = heads.drawn(noise=0.0)
    points = heads.places(scan.values.shape, scan.affine)
    left = (np.linalg.norm(points / heads.HALF, axis=-1) < 1) & (points[..., 0] < 40)
    found = find_aligned(scan_of(scan, np.where(left, scan.values, 0).astype(np.float32)), HEAD)
    mask = found.grid.expand(found.mask)
    beside = ~ndimage.binary_dilation(left, iterations=1)
    assert mask[beside].sum() < 0.005 * left.sum()
    assert mask[left].mean() > 0.9


def test_a_scan_without_the_organ_is_refused() -> None:
    neck = heads.drawn(low=(-20, -20, -186), high=(20, 20, -150))
    with pytest.raises(D24fadError) as refusal:
        find_aligned(scan_of(neck, np.zeros_like(neck.values)), HEAD)
    assert refusal.value.code is Code.NOT_ALIGNED


def test_the_template_is_symmetric_and_lies_as_patient_space_does() -> None:
    template = mni_template()
    np.testing.assert_array_equal(template.anatomy, template.anatomy[:, :, ::-1])
    assert (np.diag(template.volume.affine[:3, 2::-1]) > 0).all()
    middle = (template.volume.affine @ [0, 0, (template.anatomy.shape[2] - 1) / 2, 1])[0]
    assert abs(middle) < 1
    # The anterior commissure is the origin: white matter, about in the middle of the brain.
    assert 1700 < template.anatomy.sum() * 8 / 1000 < 2000
    origin = np.rint(np.linalg.inv(template.volume.affine) @ [0, 0, 0, 1]).astype(int)[:3]
    assert template.anatomy[tuple(origin)]
