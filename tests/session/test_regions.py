"""Examine only here, through the session: a head CT, volumes of no known kind, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from napari_d24fad.anatomy import carrying
from napari_d24fad.anatomy.find import find_anatomy
from napari_d24fad.anatomy.grid import BoolArray
from napari_d24fad.errors import ArgumentError, Code, PairingError
from napari_d24fad.progress import CancelToken, silent
from napari_d24fad.session.request import Drawn, Request
from napari_d24fad.session.saving import save
from napari_d24fad.session.session import DetectionSession
from napari_d24fad.studies.series import Series
from napari_d24fad.studies.study import open_study
from tests.anatomy.heads import Clot, Head, draw

COARSE = Head(spacing=(6.0, 3.0, 3.0), low=-42, high=72)
INSIDE, OUTSIDE = Clot((35, 20, 25), 12), Clot((-20, -40, 25), 12)


def _series(folder: Path, name: str, voxels: np.ndarray, affine: np.ndarray) -> Series:
    ras = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine[:, [2, 1, 0, 3]]
    nib.save(nib.Nifti1Image(np.asarray(voxels, np.float32).T, ras), folder / f"{name}.nii.gz")
    return open_study(folder / f"{name}.nii.gz").series[0]


def _head(folder: Path, name: str, head: Head) -> Series:
    scan = draw(head)[0]
    return _series(folder, name, scan.voxels, scan.affine)


def _as_read(series: Series, mask: BoolArray) -> BoolArray:
    return mask if mask.shape == series.grid else mask.T


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> tuple[Series, tuple[Series, ...]]:
    folder = tmp_path_factory.mktemp("heads")
    normal = [_head(folder, f"normal-{n}", replace(COARSE, seed=n, turn=3 * n)) for n in range(3)]
    query = _head(folder, "query", replace(COARSE, seed=9, clots=[INSIDE, OUTSIDE]))
    return query, tuple(normal)


def test_a_region_that_is_drawn_on_a_reference_is_examined_in_the_query(heads, tmp_path: Path) -> None:
    query, references = heads
    session = DetectionSession()
    request = Request(query, references, "compact", "cpu")
    whole = session.run(request, silent, CancelToken())
    ball = draw(replace(COARSE, seed=1, turn=3, clots=[Clot(INSIDE.at, 26)]))[2]
    drawn = Drawn.of(references[1], _as_read(references[1], ball))
    only_here = replace(request, regions=(drawn,))
    found = session.run(only_here, silent, CancelToken())
    inside, outside = (
        _as_read(query, draw(replace(COARSE, seed=9, clots=[clot]))[2]) for clot in (INSIDE, OUTSIDE)
    )
    examined = np.isfinite(found.anomaly.values)
    assert 0 < examined.sum() < 0.2 * np.isfinite(whole.anomaly.values).sum()
    assert any(outside[region.peak_index] for region in whole.anomaly.regions)
    assert inside[found.anomaly.regions[0].peak_index]
    assert all(examined[region.peak_index] for region in found.anomaly.regions)
    assert not any(outside[region.peak_index] for region in found.anomaly.regions)
    assert found.anomaly.region is not None
    assert found.anomaly.region.share == pytest.approx(examined.mean(), rel=1e-6)
    assert found.anomaly.region.volume_ml == pytest.approx(examined.sum() * 54 / 1000, rel=0.01)
    assert str(found.anomaly.region).startswith("Examined only inside the drawn region, ")
    report = save(found, tmp_path / "results")["results"][0]
    assert report["examined_region"]["text"] == str(found.anomaly.region)
    assert report["examined_region"]["volume_ml"] == found.anomaly.region.volume_ml
    assert whole.anomaly.region is None

    # The level at which all of it was examined is that of all of it again.
    again = session.run(request, silent, CancelToken())
    np.testing.assert_array_equal(again.anomaly.values, whole.anomaly.values)
    assert not only_here.differs_in_references_only(request)
    # With a reference less the region stays, though it is drawn on the one that was taken out.
    fewer = replace(only_here, references=(references[0], references[2]))
    assert only_here.differs_in_references_only(fewer)
    less = session.rescore(fewer, silent, CancelToken())
    np.testing.assert_array_equal(np.isfinite(less.anomaly.values), examined)


def test_a_region_outside_the_head_is_refused(heads) -> None:
    query, references = heads
    corner = np.zeros(query.grid, bool)
    corner[:3, :3, :3] = True
    request = Request(query, references, "compact", "cpu", regions=(Drawn.of(query, corner),))
    with pytest.raises(PairingError) as refused:
        DetectionSession().run(request, silent, CancelToken())
    assert refused.value.code is Code.REGION_EMPTY


def test_on_a_part_of_a_head_a_region_is_what_was_drawn(heads, tmp_path: Path) -> None:
    """Though the head is placed anew, where it fits the references."""
    _, references = heads
    head = replace(COARSE, seed=9, low=6, high=42)
    part = _head(tmp_path, "part", head)
    mask = _as_read(part, draw(replace(head, clots=[Clot(INSIDE.at, 20)]))[2])
    request = Request(part, references, "compact", "cpu", regions=(Drawn.of(part, mask),))
    found = DetectionSession().run(request, silent, CancelToken()).anomaly
    examined = np.isfinite(found.values)
    assert examined.sum() > 0.8 * mask.sum()
    assert not (examined & ~ndimage.binary_dilation(mask, iterations=1)).any()
    assert found.region is not None
    assert found.region.how == "drawn on this scan"


def test_slices_are_not_compared_where_a_region_is_drawn_in_a_volume(heads) -> None:
    query, references = heads
    mask = np.ones(query.grid, bool)
    request = Request(
        query, references, "compact", "cpu", scoring="matched", regions=(Drawn.of(query, mask),)
    )
    with pytest.raises(ArgumentError):
        DetectionSession().run(request, silent, CancelToken())


def _organ(seed: int, lesion: bool = False) -> tuple[np.ndarray, BoolArray, BoolArray]:
    """Draws a trunk with an organ of two layers in a stack of thick slices: of no kind that has a plan."""
    chance = np.random.default_rng(seed)
    z, y, x = np.indices((8, 64, 64), np.float32)
    y, x = y - 32 - chance.uniform(-3, 3), x - 32 - chance.uniform(-3, 3)
    values = np.where(np.hypot(y, x) < 26, 60.0, 0)
    far = np.hypot(y + 6, x - 8)
    organ = (far < 11) & (z > 1) & (z < 6)
    values[organ] = np.where(far < 6, 105, 90)[organ]
    spot = (np.hypot(y + 6, x - 17) < 2.5) & (z > 1) & (z < 5) & organ
    if lesion:
        values[spot] = 170
    values[(np.hypot(y - 14, x + 12) < 4)] = 250 if lesion else 60
    values = values + np.where(values > 0, chance.normal(0, 3, values.shape), 0)
    return np.clip(values, 0, None), organ, spot


def test_volumes_of_no_known_kind_are_compared_by_place_in_the_region(tmp_path: Path) -> None:
    affine = np.diag([3.0, 3.0, 9.0, 1.0])[:, [2, 1, 0, 3]]
    drawn_on, organ, _ = _organ(0)
    references = [_series(tmp_path, "r0", drawn_on, affine)]
    references += [_series(tmp_path, f"r{n}", _organ(n)[0], affine) for n in range(1, 4)]
    values, own, spot = _organ(9, lesion=True)
    query = _series(tmp_path, "query", values, affine)
    request = Request(query, tuple(references), "compact", "cpu", direction="brighter")
    without = DetectionSession().run(request, silent, CancelToken())
    assert without.anomaly.scoring == "matched"
    region = Drawn.of(references[0], _as_read(references[0], organ))
    found = DetectionSession().run(replace(request, regions=(region,)), silent, CancelToken())
    anomaly = found.anomaly
    assert (anomaly.scoring, anomaly.plan, anomaly.anatomy) == ("atlas", "drawn region", "drawn region")
    examined = np.isfinite(anomaly.values)
    carried = _as_read(query, own)
    assert 2 * (examined & carried).sum() / (examined.sum() + carried.sum()) > 0.8
    assert _as_read(query, spot)[anomaly.regions[0].peak_index]
    assert anomaly.region is not None
    assert anomaly.region.how == "carried by place in the anatomy's box"


def test_outlines_of_several_scans_are_read_and_placed_once_and_each_scan_keeps_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found_in: list[str] = []

    def find(scan, *more):
        found_in.append(scan.scan_hash())
        return find_anatomy(scan, *more)

    monkeypatch.setattr(carrying, "find_anatomy", find)
    affine = np.diag([3.0, 3.0, 9.0, 1.0])[:, [2, 1, 0, 3]]
    organs = [_organ(n) for n in range(4)]
    references = [_series(tmp_path, f"r{n}", values, affine) for n, (values, _, _) in enumerate(organs)]
    values, own, spot = _organ(9, lesion=True)
    query = _series(tmp_path, "query", values, affine)
    drawn = [Drawn.of(each, _as_read(each, organs[n][1])) for n, each in enumerate(references[:3])]
    request = Request(query, tuple(references), "compact", "cpu", direction="brighter", regions=tuple(drawn))
    session = DetectionSession()
    found = session.run(request, silent, CancelToken()).anomaly
    assert found.region is not None
    by_vote = "carried by place in the anatomy's box, by a vote of 3 outlines"
    assert found.region.how == by_vote
    assert found.region.references == (*["drawn on this scan"] * 3, by_vote)
    assert Code.REGION_UNEVEN in [problem.code for problem in found.warnings]
    assert _as_read(query, spot)[found.regions[0].peak_index]
    examined, carried = np.isfinite(found.values), _as_read(query, own)
    assert 2 * (examined & carried).sum() / (examined.sum() + carried.sum()) > 0.85
    assert len(found_in) == len(set(found_in)) == 5  # three outlines, and two scans they were carried to
    # Drawn on the query as well, it is examined there; nothing that was carried is carried again.
    more = replace(request, regions=(*drawn, Drawn.of(query, carried)))
    there = session.run(more, silent, CancelToken()).anomaly
    np.testing.assert_array_equal(np.isfinite(there.values), carried)
    assert Code.REGION_UNEVEN not in [problem.code for problem in there.warnings]


def test_a_mask_of_other_voxels_is_refused(heads) -> None:
    query, _ = heads
    with pytest.raises(PairingError) as refused:
        Drawn.of(query, np.ones((2, 3, 4), bool))
    assert refused.value.code is Code.REGION_UNMATCHED
    with pytest.raises(PairingError) as refused:
        Drawn.of(query, np.zeros(query.grid, bool))
    assert refused.value.code is Code.REGION_EMPTY
    one, other = Drawn.of(query, np.ones(query.grid, bool)), Drawn.of(query, np.ones(query.grid, bool))
    assert one == other
    assert one.read().all()


def test_in_single_images_the_region_takes_the_same_place_of_the_picture(tmp_path: Path) -> None:
    def picture(name: str, seed: int, rows: int, *spots: tuple[float, float]) -> Series:
        y, x = np.indices((rows, 60), np.float32)
        y = y / rows * 60
        values = 90 + 30 * np.cos(x / 9) + np.random.default_rng(seed).normal(0, 3, x.shape)
        for row, column in spots:
            values[np.hypot(y - row, x - column) < 5] = 230
        Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)).save(tmp_path / f"{name}.png")
        return open_study(tmp_path / f"{name}.png").series[0]

    references = tuple(picture(f"r{n}", n, 60) for n in range(3))
    query = picture("query", 9, 60, (15, 15), (45, 45))
    mask = np.zeros(references[1].grid, bool)
    mask[0, 32:58, 32:58] = True
    request = Request(query, references, "compact", "cpu", regions=(Drawn.of(references[1], mask),))
    session = DetectionSession()
    found = session.run(request, silent, CancelToken()).anomaly
    np.testing.assert_array_equal(np.isfinite(found.values), mask)
    assert all(mask[region.peak_index] for region in found.regions)
    assert found.region is not None
    assert found.region.how == "carried by place in the picture"
    assert str(found.region).startswith("Examined only inside the drawn region, 18.8% of the image")
    # Score, levels and references' scores are those of the region.
    whole = session.run(replace(request, regions=()), silent, CancelToken()).anomaly
    assert np.isfinite(whole.values).all()
    assert whole.region is None
    assert not np.array_equal(whole.reference_scores, found.reference_scores)
    beside = picture("beside", 9, 60, (15, 15))
    clean = session.run(replace(request, query=beside), silent, CancelToken()).anomaly
    assert clean.score < 0.7 * found.score
    assert not clean.regions or clean.regions[0].peak < found.regions[0].peak
