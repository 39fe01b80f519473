"""The body without table and arms; tissue that was cut out."""

from __future__ import annotations

import numpy as np

from napari_d24fad.anatomy.find import drawn_region, find_anatomy
from napari_d24fad.anatomy.found import Kind
from napari_d24fad.studies.scan import Scan

AFFINE = np.array([[0, 0, 2.0, 0], [0, 2.0, 0, 0], [5.0, 0, 0, 0], [0, 0, 0, 1]])
Y, X = np.ogrid[:120, :180]


def trunk() -> tuple[Scan, np.ndarray]:
    """A trunk with a lung, two arms apart and a table beneath, in HU."""
    plane = np.full((120, 180), -1000.0)
    body = ((Y - 55) / 40) ** 2 + ((X - 90) / 55) ** 2 < 1
    plane[body] = 40
    plane[((Y - 50) / 20) ** 2 + ((X - 70) / 15) ** 2 < 1] = -850
    for centre in (14, 166):
        plane[(Y - 60) ** 2 + (X - centre) ** 2 < 100] = 50
    plane[95:97, 20:160] = 200
    noise = np.random.default_rng(0).normal(0, 10, (6, 120, 180))
    return Scan((plane + noise).astype(np.float32), AFFINE, modality="CT"), np.stack([body] * 6)


def test_body_without_table_and_arms() -> None:
    scan, body = trunk()
    anatomy = find_anatomy(scan)
    mask = anatomy.grid.expand(anatomy.mask)
    assert anatomy.kind is Kind.BODY
    assert 2 * (mask & body).sum() / (mask.sum() + body.sum()) > 0.97
    assert not mask[:, 95:97, 20:40].any()
    assert not mask[:, :, :24].any()


def test_stripped_brain_is_tissue() -> None:
    values = np.random.default_rng(0).normal(100, 10, (6, 120, 180)).astype(np.float32)
    brain = np.stack([((Y - 60) / 40) ** 2 + ((X - 90) / 50) ** 2 < 1] * 6)
    anatomy = find_anatomy(Scan(np.where(brain, values, 0), AFFINE, modality="MR"))
    assert anatomy.kind is Kind.TISSUE
    assert (anatomy.grid.expand(anatomy.mask) == brain).all()


def test_drawn_region() -> None:
    scan, body = trunk()
    anatomy = drawn_region(scan, body)
    assert anatomy.kind is Kind.REGION
    assert (anatomy.grid.expand(anatomy.mask) == body).all()


def test_a_spinal_canal_is_not_the_inside_of_a_skull() -> None:
    """A trunk in HU whose vertebrae enclose a canal of 4 cm2 over 20 cm: 80 ml, as a part of a head may."""
    rows, columns = np.meshgrid(np.arange(160), np.arange(200), indexing="ij")
    trunk = ((rows - 80) / 55) ** 2 + ((columns - 100) / 80) ** 2 < 1
    from_canal = np.hypot(rows - 100, columns - 100)
    plane = np.select([from_canal < 5.6, from_canal < 10, trunk], [30.0, 700.0, 40.0], -1000.0)
    voxels = np.repeat(plane[np.newaxis], 40, axis=0).astype(np.float32)
    found = find_anatomy(Scan(voxels, AFFINE, modality="CT"))
    assert found.kind is Kind.BODY
    assert found.mask[:, 40, 50].all()


def test_a_round_field_of_view_is_no_cut_out_organ() -> None:
    """A quarter of the picture is padding of -2000; air and table within the circle are no body."""
    scan, body = trunk()
    outside = (Y - 60) ** 2 + (X - 90) ** 2 > 75**2
    assert outside.mean() > 0.2
    padded = Scan(np.where(outside, -2000, scan.voxels).astype(np.float32), AFFINE, modality="CT")
    found = find_anatomy(padded)
    assert found.kind is Kind.BODY
    mask = found.grid.expand(found.mask)
    assert 2 * (mask & body).sum() / (mask.sum() + body.sum()) > 0.97
