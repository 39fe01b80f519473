from __future__ import annotations

import numpy as np
import pytest

from napari_d24fad.anatomy import deformation
from napari_d24fad.anatomy.deformation import Deformation, deform, warped
from napari_d24fad.anatomy.volume import Volume
from napari_d24fad.errors import Cancelled
from napari_d24fad.progress import CancelToken
from tests.anatomy import known_head as heads

HEAD = heads.template()
PLACES = heads.places(HEAD.anatomy.shape, HEAD.volume.affine)


def in_ventricles(wider: float = 1.0) -> np.ndarray:
    centres = [(np.array([side * 12.0, 0.0, 8.0]), np.array([7.0, 26.0, 9.0]) * wider) for side in (-1, 1)]
    inside = [np.linalg.norm((PLACES - centre) / half, axis=-1) < 1 for centre, half in centres]
    return inside[0] | inside[1]


def stretched(by: float) -> Deformation:
    """A field that leads to ``by`` times the distance from the middle."""
    return Deformation(((by - 1) * PLACES).astype(np.float32), HEAD.volume.affine)


def test_the_log_jacobian_is_that_of_a_known_stretch() -> None:
    change = stretched(1.1).log_jacobian()
    np.testing.assert_allclose(change, 3 * np.log(1.1), atol=1e-4)


def test_the_log_jacobian_does_not_depend_on_how_the_array_lies() -> None:
    rng = np.random.default_rng(0)
    shape, affine = heads.grid([0, 0, 0], [40, 40, 40], [4, 4, 4])
    field = rng.standard_normal((*shape, 3)).astype(np.float32) * 0.2
    flipped = affine.copy()
    flipped[:3, 0] *= -1
    flipped[:3, 3] += (shape[0] - 1) * affine[:3, 0]
    here = Deformation(field, affine).log_jacobian()
    there = Deformation(field[::-1], flipped).log_jacobian()
    np.testing.assert_allclose(there[::-1], here, atol=1e-5)


def test_a_scan_is_read_where_the_field_leads() -> None:
    scan = heads.drawn(np.diag([1.1, 1.1, 1.1, 1.0]), noise=0.0)
    straight = heads.drawn(noise=0.0).values
    read = warped(scan, HEAD.volume, np.eye(4), stretched(1.1))
    # Not at the edge of the brain, which a voxel of 4 mm blurs.
    deep = np.linalg.norm(PLACES / heads.HALF, axis=-1) < 0.85
    assert np.abs(read - straight)[deep].mean() < 0.4 * np.abs(scan.values - straight)[deep].mean()


def test_wide_ventricles_are_larger_on_the_map_and_nothing_else_is() -> None:
    wide = heads.drawn(wider=1.35, noise=0.0)
    result = deform(HEAD.volume, wide, HEAD.compared)
    change = Volume(result.log_jacobian(), result.affine).values
    assert not result.diverged
    inside, far = in_ventricles(), HEAD.anatomy & ~in_ventricles(3.0)
    assert change[inside].mean() > 0.06
    assert np.abs(change[far]).mean() < 0.02


def test_a_large_tumour_is_not_registered_away() -> None:
    near = np.linalg.norm(PLACES - np.array([25.0, 20.0, 12.0]), axis=-1)
    ill = heads.drawn(noise=0.0)
    tumour = near < 40
    ill = Volume(np.where(tumour, np.float32(0.1), ill.values), ill.affine)
    result = deform(HEAD.volume, ill, HEAD.compared)
    read = warped(ill, HEAD.volume, np.eye(4), result)
    left = (read < 0.4) & (HEAD.volume.values > 0.6)
    before = tumour & HEAD.anatomy & (HEAD.volume.values > 0.6)
    assert left.sum() > 0.6 * before.sum()


def test_a_field_that_goes_too_far_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    wide = heads.drawn(np.diag([1.1, 1.0, 1.0, 1.0]))
    used = deform(HEAD.volume, wide, HEAD.compared)
    assert not used.diverged
    furthest = float(np.abs(used.moves).max())
    assert furthest > 1
    monkeypatch.setattr(deformation, "_FURTHEST", 0.9 * furthest)
    refused = deform(HEAD.volume, wide, HEAD.compared)
    assert refused.diverged
    assert not refused.moves.any()


def test_noise_against_noise_folds_nothing() -> None:
    noise, other = (
        np.random.default_rng(seed).random(HEAD.anatomy.shape).astype(np.float32) * 8 for seed in (1, 2)
    )
    result = deform(Volume(noise, HEAD.volume.affine), Volume(other, HEAD.volume.affine), HEAD.compared)
    assert np.exp(result.log_jacobian()).min() > 0.1


def test_what_was_not_measured_stays_unmeasured() -> None:
    scan = heads.drawn()
    values = scan.values.copy()
    values[:, :, :10] = np.nan
    read = warped(Volume(values, scan.affine), HEAD.volume, np.eye(4), stretched(1.0))
    assert np.isnan(read[:, :, :9]).all()
    assert np.isfinite(read[:, :, 12:]).all()


def test_deformation_can_be_cancelled() -> None:
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        deform(HEAD.volume, heads.drawn(), HEAD.compared, token)
