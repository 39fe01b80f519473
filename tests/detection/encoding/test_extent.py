"""What lies beside the body is neither scored nor coloured; made-up volumes whose parts are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.encoding.extent import SHRUNK
from napari_d24fad.detection.encoding.prepared import prepare
from napari_d24fad.studies.scan import Scan
from tests.detection.subjects import AFFINE, head, random_model

SIDE = 64
GRID = (10, 160, 200)


def _trunk(table: float = 300.0, seed: int = 0) -> tuple[Scan, np.ndarray, np.ndarray]:
    """A trunk on a table, 2 mm pixels; the scan, where the trunk is, and where the table is."""
    rows, columns = np.meshgrid(np.arange(GRID[1]), np.arange(GRID[2]), indexing="ij")
    body = np.broadcast_to(((rows - 70) / 50) ** 2 + ((columns - 100) / 75) ** 2 < 1, GRID)
    under = np.broadcast_to((rows >= 124) & (rows < 127), GRID)
    noise = np.random.default_rng(seed).normal(0, 10, GRID)
    voxels = np.select([body, under], [40.0, table], -1000.0) + noise
    affine = np.array([[0, 0, 2.0, 0], [0, 2.0, 0, 0], [5.0, 0, 0, 0], [0, 0, 0, 1]])
    return Scan(voxels.astype(np.float32), affine, modality="CT"), body, under


def test_the_mask_is_the_body_without_its_table() -> None:
    scan, body, under = _trunk()
    extent = prepare(scan, SIDE).extent
    assert extent is not None
    assert (extent.voxels & body).sum() > 0.98 * body.sum()
    assert not (extent.voxels & under).any()


def test_both_legs_are_examined() -> None:
    rows, columns = np.meshgrid(np.arange(GRID[1]), np.arange(GRID[2]), indexing="ij")
    legs = [((rows - 80) / r) ** 2 + ((columns - c) / r) ** 2 < 1 for c, r in ((55, 38), (145, 30))]
    voxels = np.where(legs[0] | legs[1], 50.0, -1000.0) + np.zeros(GRID)
    scan = Scan(voxels.astype(np.float32), _trunk()[0].affine, modality="CT")
    extent = prepare(scan, SIDE).extent
    assert extent is not None
    for leg in legs:
        assert (extent.voxels[5] & leg).sum() > 0.95 * leg.sum()


def test_the_network_sees_the_mask_where_the_scan_has_it() -> None:
    """The mask of each slice, brought back to the voxels, differs at its border alone."""
    prepared = prepare(_trunk()[0], SIDE)
    assert prepared.extent is not None
    inside = prepared.inside([4, 5], SIDE // SHRUNK)
    assert inside.shape == (2, SIDE // SHRUNK, SIDE // SHRUNK)
    back = prepared.sampling.to_slices(inside.float()).nan_to_num().numpy()
    voxels = prepared.extent.voxels[[4, 5]]
    assert (back[voxels] > 0.5).mean() > 0.93
    assert (back[~voxels] > 0.5).mean() < 0.05
    finer = prepared.inside([4], SIDE)[0]
    assert finer.shape == (SIDE, SIDE)
    assert finer.float().mean().item() == pytest.approx(inside[0].float().mean().item(), abs=0.02)


def test_what_lies_beside_the_body_changes_no_score() -> None:
    """A table as bright as metal in the query alone: no colour on it, and the score is that of the body."""
    detector = Detector(random_model(), "cpu")
    references = detector.encode([_trunk(seed=n)[0] for n in range(3)])
    scan, body, under = _trunk(3000.0, seed=9)
    found = detector.detect(scan, references)
    assert np.isnan(found.values[under]).all()
    assert not (np.isfinite(found.values) & ~body).any()
    assert found.anatomy == "body"
    plain = detector.detect(_trunk(seed=9)[0], references)
    assert found.score == pytest.approx(plain.score, rel=0.25)  # the network still sees the table near by


def test_a_scan_that_no_mask_holds_up_for_is_examined_as_a_whole() -> None:
    """A body in two of ten slices, and in the others what is too thin to be one."""
    scan, _, _ = _trunk()
    voxels = scan.voxels.copy()
    voxels[2:] = -1000
    voxels[2:, 70:76] = 300  # 12 mm
    prepared = prepare(Scan(voxels, scan.affine, modality="CT"), SIDE)
    assert len(prepared.examined) == GRID[0]
    assert prepared.extent is None
    assert torch.equal(prepared.inside([0], SIDE)[0], prepared.sampling.inside(SIDE))


def test_masks_stay_when_pixels_are_let_go() -> None:
    detector = Detector(random_model(), "cpu")
    whole = detector.encode_scan(head(0))
    light = whole.without_pixels()
    assert light.prepared.extent is None
    torch.testing.assert_close(
        light.prepared.inside(light.indices, 16), whole.prepared.inside(whole.indices, 16)
    )
    assert not whole.prepared.inside(whole.indices, 16).all()


def test_images_are_examined_as_they_are_framed() -> None:
    image = Scan(np.random.default_rng(0).integers(0, 255, (1, 40, 50)).astype(np.uint8), AFFINE)
    prepared = prepare(image, SIDE)
    assert prepared.extent is None
    assert not prepared.masks


def test_voxels_without_a_value_count_in_no_reference() -> None:
    """A block that is not a number, inside the body: the mask leaves it out, and stays when pixels go."""
    scan, body, _ = _trunk()
    voxels = scan.voxels.copy()
    hole = np.zeros(GRID, bool)
    hole[:, 50:90, 80:120] = True
    voxels[hole] = np.nan
    light = Detector(random_model(), "cpu").encode_scan(Scan(voxels, scan.affine, modality="CT"))
    extent = light.prepared.extent
    assert extent is not None
    assert not extent.voxels[hole].any()
    assert extent.voxels[body & ~hole].mean() > 0.9
    inside = light.without_pixels().prepared.inside(light.indices, SIDE)
    back = light.prepared.sampling.to_slices(inside.float()).nan_to_num().numpy()
    assert back[:, 56:84, 86:114].max() < 0.2
