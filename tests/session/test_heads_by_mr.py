"""Heads by MR through the session: MNI152 itself, turned, stretched and recoloured, written as files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_d24fad.anatomy.head_mr import mni_template
from napari_d24fad.anatomy.volume import resample
from napari_d24fad.detection.plans import choice, head_mr
from napari_d24fad.detection.plans.choice import plan_for
from napari_d24fad.errors import Code, PairingError
from napari_d24fad.progress import CancelToken, silent
from napari_d24fad.session.request import Drawn, Example, Request
from napari_d24fad.session.session import DetectionSession
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.series import Series
from napari_d24fad.studies.study import open_study
from tests.anatomy import known_head as heads

MASS = np.array([28.0, 10.0, 20.0])
SHAPE, AFFINE = heads.grid([-90, -115, -75], [90, 90, 95], [4.0, 4.0, 4.0])


def head(seed: int, *, mass: float = 0.0, flair: bool = False) -> Scan:
    """A stripped head of 4 mm, like a T1 or, with grey matter brighter than white, a FLAIR."""
    template, rng = mni_template(), np.random.default_rng(seed)
    move = heads.turned("x", rng.uniform(-6, 6), tuple(rng.uniform(-4, 4, 3)))
    back = np.linalg.inv(move)
    values = resample(template.volume.values, template.volume.affine, SHAPE, AFFINE, back, outside=0.0)
    points = heads.places(SHAPE, AFFINE) @ back[:3, :3].T + back[:3, 3]
    brain = values > 0.05
    if flair:
        values = np.interp(values, (0, 0.35, 0.65, 0.9), (0, 0.3, 1.0, 0.9)).astype(np.float32)
    values += np.float32(0.03) * rng.standard_normal(SHAPE).astype(np.float32)
    values += np.float32(mass) * (np.linalg.norm(points - MASS, axis=-1) < 10)
    return Scan((np.where(brain, values, 0) * rng.uniform(200, 900)).astype(np.float32), AFFINE)


def noise(radius: float) -> Scan:
    """Noise in a ball: no head."""
    inside = np.linalg.norm(heads.places(SHAPE, AFFINE), axis=-1) < radius
    values = inside * np.random.default_rng(0).random(SHAPE)
    return Scan(values.astype(np.float32), AFFINE, modality="MR")


def series(folder: Path, name: str, scan: Scan) -> Series:
    ras = np.diag([-1.0, -1.0, 1.0, 1.0]) @ scan.affine[:, [2, 1, 0, 3]]
    nib.save(nib.Nifti1Image(np.asarray(scan.voxels, np.float32).T, ras), folder / f"{name}.nii.gz")
    return open_study(folder / f"{name}.nii.gz").series[0]


@pytest.fixture(scope="module", autouse=True)
def _coarse() -> Iterator[None]:
    """Plans work with voxels of 4 mm, as those of the heads are: an eighth of the time."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (choice, head_mr):
            patch.setattr(module, "mni_template", lambda: mni_template(4))
        patch.setattr(head_mr, "_SHALLOWEST_MM", 4.0)  # of smaller voxels, too, the outermost are left out
        yield


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> tuple[Series, ...]:
    folder = tmp_path_factory.mktemp("references")
    return tuple(series(folder, f"normal-{seed}", head(seed)) for seed in range(3))


def test_a_mass_moves_score_and_p_and_another_contrast_is_refused(references, tmp_path: Path) -> None:
    session = DetectionSession()

    def run(name: str, scan: Scan, *abnormal: Example):
        request = Request(series(tmp_path, name, scan), references, "compact", "cpu", abnormal=abnormal)
        return session.run(request, silent, CancelToken())

    healthy, ill = run("healthy", head(9)).anomaly, run("ill", head(9, mass=-0.4))
    anomaly = ill.anomaly
    assert (anomaly.scoring, anomaly.plan, anomaly.direction) == ("atlas", "head T1", "both")
    assert anomaly.score > healthy.score + 0.5
    assert anomaly.p_value == anomaly.p_floor < healthy.p_value
    assert anomaly.regions[0].meaning.startswith("darker than the references by")
    assert "% of the brain's median" in anomaly.regions[0].meaning
    coloured = anomaly.values >= anomaly.level_one_region
    assert not (coloured & (np.asarray(ill.scan.voxels) == 0)).any()
    # The change of volume stands beside it, with levels and words of its own.
    assert [each.plan for each in anomaly.beside] == ["volume"]
    larger = next(each for each in anomaly.channels if each.side == "larger")
    held = session.held(ill)
    assert held is not None
    assert held.channel_map(larger).shape == ill.scan.grid

    other = run("flair", head(8, flair=True)).anomaly
    assert other.scoring != "atlas"
    assert Code.CONTRAST_DIFFERS in [problem.code for problem in other.warnings]

    # A mass of another head teaches that darker is meant; the place that it is like is the mass.
    marked = series(tmp_path, "marked", head(6, mass=-0.4))
    drawn = np.linalg.norm(heads.places(SHAPE, AFFINE) - MASS, axis=-1) < 14
    taught = run("ill", head(9, mass=-0.4), Example(marked, "mass", Drawn.of(marked, drawn))).anomaly
    assert taught.examples is not None
    assert taught.examples.plain_score == pytest.approx(anomaly.score, rel=1e-6)
    assert taught.score > anomaly.score
    assert drawn[taught.examples.place.centre]
    assert drawn[taught.examples.example_place.centre]
    assert [each.plan for each in taught.beside] == ["volume"]
    with pytest.raises(PairingError) as caught:
        run("ill", head(9, mass=-0.4), Example(series(tmp_path, "flair", head(8, flair=True))))
    assert caught.value.code is Code.EXAMPLE_NOT_COMPARED

    none = run("noise", noise(300)).anomaly
    assert none.scoring != "atlas"
    assert Code.NOT_ALIGNED in [problem.code for problem in none.warnings]


def test_the_plan_follows_from_the_tissues_and_not_from_the_header() -> None:
    names = [plan.name if (plan := plan_for(scan)) else "" for scan in (head(1), head(1, flair=True))]
    assert names == ["head T1", "head MR"]
    assert plan_for(replace(head(1), modality="PT")) is None
    assert plan_for(noise(60)) is None  # it can be aligned, as any ball can
    assert plan_for(noise(300)) is None
