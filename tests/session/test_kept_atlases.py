"""What was measured place by place opens again in another program: nothing is read, measured or compared."""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields, is_dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from napari_d24fad.anatomy.common_grid import common_grid
from napari_d24fad.anatomy.deformation import Deformation
from napari_d24fad.anatomy.found import Anatomy, Kind
from napari_d24fad.anatomy.place import Place
from napari_d24fad.anatomy.volume import Volume
from napari_d24fad.detection.atlas.evenness import Evenness
from napari_d24fad.detection.atlas.examination import Levels
from napari_d24fad.detection.atlas.measured import MeasuredScan
from napari_d24fad.detection.atlas.normal import NormalMaps
from napari_d24fad.detection.atlas.scoring import AtlasReferences
from napari_d24fad.detection.channels.patches import Patches
from napari_d24fad.detection.channels.volume import Direction, WorkingVolume
from napari_d24fad.detection.plans.head_ct import head_ct_plan
from napari_d24fad.detection.references.calibration import Calibration
from napari_d24fad.errors import Code
from napari_d24fad.progress import CancelToken
from napari_d24fad.session import kept_atlases, measured_scans
from napari_d24fad.session.feature_cache import FeatureCache
from napari_d24fad.session.kept_atlases import KeptAtlases
from napari_d24fad.session.kept_sets import KeptSet
from napari_d24fad.session.records import pack, unpack
from napari_d24fad.settings import CACHE_VARIABLE, FEATURES_LIMIT_VARIABLE
from napari_d24fad.studies.nifti.series import NiftiSeries
from napari_d24fad.studies.scan import Problem, Scan
from napari_d24fad.studies.series import Series
from napari_d24fad.studies.study import open_study
from tests.anatomy.heads import Clot, Head
from tests.session.head_series import write_head

LIMIT = 2**30
COARSE = Head(spacing=(6.0, 3.0, 3.0), low=-30, high=60)
PLAN = head_ct_plan()
UP = Direction.BRIGHTER
_FLAT = Calibration(np.zeros(1), np.zeros(1), 1.0, np.zeros(1, np.float32))
_LEVELS = Levels(1.0, 50.0, (1.0, 1.0, 1.0), (True, True, True))
LEARNED = AtlasReferences(PLAN, UP, (), {}, _LEVELS, (1.0,), (), NormalMaps(_FLAT, (), ()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("of-miller-1950")
    for number in range(4):
        write_head(folder, f"normal-{number}", replace(COARSE, seed=number, turn=3 * number))
    write_head(folder, "query", replace(COARSE, seed=9, clots=[Clot((35, 20, 25), 12)]))
    return folder


def series(folder: Path, count: int = 3) -> list[Series]:
    return [open_study(folder / f"normal-{number}.nii.gz").series[0] for number in range(count)]


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """The long steps that were really taken."""
    return counted(monkeypatch)


def counted(patch: pytest.MonkeyPatch) -> Counter[str]:
    steps: Counter[str] = Counter()

    def count(owner: object, name: str) -> None:
        own = getattr(owner, name)

        def counting(*args, **settings):
            steps[name] += 1
            return own(*args, **settings)

        patch.setattr(owner, name, counting)

    count(NiftiSeries, "_read")
    count(measured_scans, "measure_scan")
    count(Patches, "distance")
    count(kept_atlases, "_learn")
    return steps


def made(cache: FeatureCache, scans: list[Series], plan=PLAN, direction=UP) -> AtlasReferences:
    """The references, as a program that has just started gets them."""
    kept = KeptAtlases(cache)
    measured = []
    for one in scans:
        found = kept.find(one, plan, direction)
        if found is None:
            scan = one.load()
            found = measured_scans.measure_scan(scan, plan, direction, CancelToken())
            kept.keep(one, scan, plan, direction, found)
        measured.append(found)
    return kept.references(measured, plan, direction)


def test_a_set_opens_again_without_reading_or_measuring(folder: Path, tmp_path: Path, work) -> None:
    cache = FeatureCache(tmp_path, LIMIT)
    first = made(cache, series(folder))
    assert work == {"_read": 3, "measure_scan": 3, "distance": 6, "_learn": 1}
    work.clear()
    again = made(cache, series(folder))
    assert not work
    query = open_study(folder / "query.nii.gz").series[0].load()
    expected, found = first.examine(query), again.examine(query)
    same(expected.fused, found.fused)
    same(expected.regions, found.regions)
    for name in ("levels", "normal_scores", "normal_masses", "normal", "problems", "standards"):
        same(getattr(first, name), getattr(again, name))


def test_another_choice_of_references_compares_only_what_is_new(folder: Path, tmp_path: Path, work) -> None:
    cache = FeatureCache(tmp_path, LIMIT)
    made(cache, series(folder))
    work.clear()
    fewer = made(cache, series(folder)[:2])
    assert work == {"_learn": 1}
    work.clear()
    made(cache, series(folder, 4)[::-1])
    assert work == {"_read": 1, "measure_scan": 1, "distance": 6, "_learn": 1}
    work.clear()
    same(fewer.normal_scores, made(FeatureCache(tmp_path, 0), series(folder)[:2]).normal_scores)
    assert work == {"_read": 2, "measure_scan": 2, "distance": 2, "_learn": 1}  # nothing is kept there


def test_references_marked_in_another_order_are_the_same_set(folder: Path, tmp_path: Path, work) -> None:
    cache = FeatureCache(tmp_path, LIMIT)
    first = made(cache, series(folder))
    work.clear()
    again = made(cache, [series(folder)[at] for at in (2, 0, 1)])
    assert not work
    assert [each.identity for each in again.scans] == [first.scans[at].identity for at in (2, 0, 1)]
    fresh = made(FeatureCache(tmp_path, 0), [series(folder)[at] for at in (2, 0, 1)])
    for found in (again, fresh):
        np.testing.assert_allclose(
            found.normal_scores, [first.normal_scores[at] for at in (2, 0, 1)], rtol=1e-4
        )
    np.testing.assert_allclose(again.normal.calibration.peaks, fresh.normal.calibration.peaks, rtol=1e-4)
    for one, other in zip(again.normal.slice_scores, fresh.normal.slice_scores, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


def test_a_set_that_numbers_its_references_keeps_their_order() -> None:
    doubt = Problem(Code.MIRRORED_REFERENCE, "It is reference 2.")
    for problems in ((), (doubt,)):
        assert KeptSet.of(replace(LEARNED, problems=problems)).is_numbered == bool(problems)


def test_what_would_measure_otherwise_finds_nothing(
    folder: Path, tmp_path: Path, work, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = FeatureCache(tmp_path, LIMIT)
    made(cache, series(folder, 2))
    for plan, direction in (
        (PLAN, Direction.DARKER),
        (replace(PLAN, name="other"), UP),
        (replace(PLAN, weights={}), UP),
        (replace(PLAN, channels=(*PLAN.channels[:-1], Patches(step=3))), UP),
    ):
        work.clear()
        made(cache, series(folder, 2), plan, direction)
        assert work["measure_scan"] == 2
        assert work["_learn"] == 1
    monkeypatch.setattr(kept_atlases, "_code", lambda: "another version")
    work.clear()
    made(cache, series(folder, 2))
    assert work["measure_scan"] == 2


@pytest.mark.parametrize("damage", ["cut", "flipped", "foreign", "other class"])
def test_what_is_damaged_is_made_anew(folder: Path, tmp_path: Path, work, damage: str) -> None:
    cache = FeatureCache(tmp_path, LIMIT)
    first = made(cache, series(folder, 2))
    KeptAtlases(FeatureCache(tmp_path / "other", LIMIT)).keep_plan(
        one := series(folder)[0], one.load(), "head"
    )
    name = max((tmp_path / "other").iterdir(), key=lambda path: path.stat().st_size).read_bytes()
    for path in tmp_path.glob("*.safetensors"):
        content = path.read_bytes()
        middle = len(content) * 3 // 4
        path.write_bytes(
            {
                "cut": content[:middle],
                "flipped": content[:middle] + bytes([content[middle] ^ 0x55]) + content[middle + 1 :],
                "foreign": b"\x02\0\0\0\0\0\0\0{}",
                "other class": name if len(content) > 2 * len(name) else content,
            }[damage]
        )
    work.clear()
    again = made(cache, series(folder, 2))
    assert (work["measure_scan"], work["_learn"]) == (2, 1)
    same(first.normal_scores, again.normal_scores)


def test_no_name_and_no_path_is_kept(folder: Path, tmp_path: Path) -> None:
    made(FeatureCache(tmp_path, LIMIT), series(folder))
    assert len(list(tmp_path.iterdir())) == 10  # three notes, three scans, three pairs, one set
    for path in tmp_path.iterdir():
        assert len(path.stem) == 64
        content = path.read_bytes()
        for word in (b"miller", b"1950", b"normal-1", b".nii", os.fsencode(folder)):
            assert word not in content


def test_a_part_of_a_head_among_the_references_is_kept_where_it_was_placed(
    folder: Path, tmp_path: Path, work
) -> None:
    write_head(tmp_path, "part", replace(COARSE, seed=5, low=6, high=42))
    scans = [*series(folder, 3), open_study(tmp_path / "part.nii.gz").series[0]]
    cache = FeatureCache(tmp_path / "cache", LIMIT)
    first = made(cache, scans)
    assert first.scans[3].volume.place.partial
    work.clear()
    again = made(cache, scans)
    assert not work
    same(first.scans[3].volume.place, again.scans[3].volume.place)
    assert first.scans[3].identity == again.scans[3].identity


def examined_elsewhere(folder: Path, cache: Path) -> tuple[Counter[str], float]:
    """Examines a head by a session of another process; what it did."""
    from napari_d24fad.session.scripting import Session

    os.environ[CACHE_VARIABLE], os.environ[FEATURES_LIMIT_VARIABLE] = str(cache), "1"
    with pytest.MonkeyPatch.context() as patch:
        steps = counted(patch)
        query = open_study(folder / "query.nii.gz").series[0]
        examination = Session("compact", "cpu").examine(query, series(folder))
    return steps, examination.anomaly.score


def test_another_process_finds_them(folder: Path, tmp_path: Path) -> None:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        steps, score = pool.submit(examined_elsewhere, folder, tmp_path).result()
    assert (steps["measure_scan"], steps["_learn"]) == (4, 1)
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        again, same_score = pool.submit(examined_elsewhere, folder, tmp_path).result()
    assert again == {"_read": 1, "measure_scan": 1, "distance": 3}  # of the query alone
    assert same_score == score


def test_a_scan_on_a_common_grid_is_kept_whole(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    shape = (6, 7, 8)
    scan = Scan(random.random((5, 9, 9)).astype(np.float32), np.diag([-1.0, -1.0, 3.0, 1.0])[:, [2, 1, 0, 3]])
    template = Volume(random.random(shape).astype(np.float32), np.diag([2.0, 2.0, 2.0, 1.0])[:, [2, 1, 0, 3]])
    field = Deformation(random.random((*shape, 3)).astype(np.float32), template.affine)
    grid = common_grid(scan, template, np.eye(4), field)
    mask = random.random(shape) > 0.3
    values = np.where(mask, random.random(shape), np.nan).astype(np.float32)
    problems = (Problem(Code.NOT_ALIGNED, "It is too dark."),)
    anatomy = Anatomy(Kind.INTRACRANIAL, grid, mask, values, problems=problems)
    place = Place(np.indices(shape, np.float32), mask.astype(np.float32), None, values, how="affine")
    volume = WorkingVolume(anatomy, place, values, mask, mask.astype(np.int8), 2, "%", 100.0)
    described = {(-1, "far"): {"index": np.zeros((3, 0), np.int32), "highest": np.full(3, -np.inf)}}
    found = MeasuredScan("a b", volume, {(0, "value"): values}, {}, described, {("c", (0, "far")): values})
    kept = KeptAtlases(FeatureCache(tmp_path, LIMIT))
    image = open_study(write_head(tmp_path, "any", COARSE)).series[0]
    kept.keep(image, image.load(), PLAN, UP, found)
    same(kept.find(image, PLAN, UP), replace(found, compared={}))


def same(one: object, other: object) -> None:
    """Equal to the last bit, arrays and all."""
    if isinstance(one, np.ndarray):
        assert isinstance(other, np.ndarray)
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    elif isinstance(one, dict):
        assert isinstance(other, dict)
        assert list(one) == list(other)
        for key in one:
            same(one[key], other[key])
    elif isinstance(one, (tuple, list)):
        assert isinstance(other, (tuple, list))
        assert len(one) == len(other)
        for mine, theirs in zip(one, other, strict=True):
            same(mine, theirs)
    elif is_dataclass(one):
        assert type(one) is type(other)
        for each in fields(one):
            same(getattr(one, each.name), getattr(other, each.name))
    else:
        assert one == other or (one != one and other != other)


def test_what_evens_maps_is_kept_with_a_set() -> None:
    made = replace(LEARNED, evenness=Evenness(2.5))
    kept = unpack(pack(KeptSet.of(made), kept_atlases._CLASSES), kept_atlases._CLASSES)
    assert kept.references((), PLAN, UP).evenness == Evenness(2.5)
