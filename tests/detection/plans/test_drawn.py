"""A drawn region of volumes of no known kind: made-up hearts, and real ones where they are there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from napari_d24fad.anatomy.find import drawn_region
from napari_d24fad.anatomy.found import Anatomy
from napari_d24fad.anatomy.grid import BoolArray
from napari_d24fad.detection.atlas.scoring import AtlasReferences
from napari_d24fad.detection.channels.volume import Direction
from napari_d24fad.detection.plans.drawn import drawn_plan
from napari_d24fad.metrics.scans import auroc
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.study import open_study

HEARTS = Path(__file__).resolve().parents[4] / "shared" / "data" / "volumes" / "emidec_lge"


class Drawn:
    """Finds what was drawn on each of some scans."""

    def __init__(self) -> None:
        self.masks: dict[str, BoolArray] = {}

    def __call__(self, scan: Scan, _: CancelToken) -> Anatomy:
        return drawn_region(scan, self.masks[scan.scan_hash()], how="drawn on this scan")


def _heart(drawn: Drawn, seed: int, *, scar: bool = False, beside: bool = False) -> tuple[Scan, BoolArray]:
    """Draws a short-axis stack: bright cavity, dark wall, each slice scaled by itself to eight bits."""
    chance = np.random.default_rng(seed)
    z, y, x = np.indices((7, 80, 80), np.float32)
    centre = 40 + chance.uniform(-6, 6, 2)
    stretch = chance.uniform(0.8, 1.25)  # as in pictures that were made square
    far = np.hypot((y - centre[0]) * stretch, (x - centre[1]) / stretch)
    outer = 24 - 1.6 * np.abs(z - 3)
    heart, cavity = far < outer, far < 0.65 * outer
    values = np.where(cavity, 150.0, np.where(heart, 50.0, 30.0))
    lesion = np.zeros(values.shape, bool)
    if scar:
        lesion = heart & ~cavity & (z >= 2) & (z <= 4) & (np.arctan2(y - centre[0], x - centre[1]) > 2.0)
        values[lesion] = 140
    values = ndimage.gaussian_filter(values, (0, 1.2, 1.2))
    if beside:
        values[(y < 8) & (x < 30)] = 400
    values += chance.normal(0, 6, values.shape)
    values *= chance.uniform(0.4, 1.0, (7, 1, 1))
    affine = np.diag([1.5, 1.5, 10.0, 1.0])[:, [2, 1, 0, 3]]
    scan = Scan(np.clip(values, 0, None).astype(np.float32), affine, modality="MR")
    drawn.masks[scan.scan_hash()] = heart
    return scan, lesion


@pytest.fixture(scope="module")
def hearts() -> tuple[Drawn, AtlasReferences]:
    drawn = Drawn()
    scans = [_heart(drawn, seed)[0] for seed in range(5)]
    return drawn, AtlasReferences.measure(scans, drawn_plan(drawn), Direction.BRIGHTER)


def test_a_scar_as_bright_as_the_cavity_is_found_in_the_wall(hearts: tuple[Drawn, AtlasReferences]) -> None:
    drawn, references = hearts
    scan, scar = _heart(drawn, 20, scar=True)
    found = references.examine(scan)
    told = found.coloured(1.0)
    assert scar[found.regions[0].peak_index]
    assert 2 * (told & scar).sum() / (told.sum() + scar.sum()) > 0.6
    assert found.score > 1.5 * max(references.normal_scores)
    assert references.examine(_heart(drawn, 21)[0]).score < 1.2 * max(references.normal_scores)
    mask = drawn.masks[scan.scan_hash()]
    values = found.map()
    np.testing.assert_array_equal(np.isfinite(values), mask)
    assert auroc(values[mask], scar[mask]) > 0.95
    # Brightness alone takes the cavity for it.
    assert auroc(scan.voxels[mask], scar[mask]) < 0.7


def test_what_lies_beside_the_region_changes_nothing(hearts: tuple[Drawn, AtlasReferences]) -> None:
    drawn, references = hearts
    found = references.examine(_heart(drawn, 20, scar=True)[0])
    other = references.examine(_heart(drawn, 20, scar=True, beside=True)[0])
    np.testing.assert_array_equal(found.map(), other.map())
    assert found.score == other.score
    assert found.regions == other.regions


def test_values_in_hu_are_compared_as_they_are() -> None:
    drawn = Drawn()
    scans = []
    for seed in range(5):
        scan, _ = _heart(drawn, seed)
        values = np.random.default_rng(seed).normal(40, 5, scan.grid).astype(np.float32)
        scans.append(Scan(values + (60 if seed == 4 else 0), scan.affine, modality="CT"))
        drawn.masks[scans[-1].scan_hash()] = drawn.masks[scan.scan_hash()]
    plan = drawn_plan(drawn, hounsfield=True)
    found = AtlasReferences.measure(scans[:4], plan, Direction.BRIGHTER).examine(scans[4])
    assert found.regions[0].unit == "HU"
    assert found.regions[0].amount == pytest.approx(60, abs=5)
    assert found.score > 4


@pytest.mark.skipif(not HEARTS.is_dir(), reason="the labelled hearts are not here")
def test_infarcts_of_real_hearts_are_found_better_than_by_brightness() -> None:
    """Eight normal hearts; the abnormal ones are of the half on which nothing was chosen."""
    drawn = Drawn()

    def load(path: Path) -> Scan:
        scan = open_study(path).series[0].load()
        drawn.masks[scan.scan_hash()] = _mask(path.name) > 0
        return scan

    def _mask(name: str) -> np.ndarray:
        return np.asarray(open_study(HEARTS / "anatomy" / name).series[0].load().voxels)

    normal = [load(path) for path in sorted((HEARTS / "normal").iterdir())[:8]]
    references = AtlasReferences.measure(normal, drawn_plan(drawn), Direction.BRIGHTER)
    values, raw, infarct = [], [], []
    for path in sorted((HEARTS / "abnormal").iterdir())[1::4]:
        scan = load(path)
        inside = drawn.masks[scan.scan_hash()]
        found = references.examine(scan).map()
        assert not np.isfinite(found)[~inside].any()
        values.append(np.nan_to_num(found[inside], nan=-9))
        raw.append(np.asarray(scan.voxels)[inside])
        infarct.append(_mask(path.name)[inside] >= 3)
    labels = np.concatenate(infarct)
    ours, brightness = (auroc(np.concatenate(each), labels) for each in (values, raw))
    assert ours > 0.85
    assert ours > brightness + 0.1
