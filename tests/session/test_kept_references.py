from __future__ import annotations

import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.references.reference_set import References
from napari_d24fad.session import kept_references as module
from napari_d24fad.session.feature_cache import FeatureCache
from napari_d24fad.session.kept_references import KeptReferences
from napari_d24fad.session.stored import encoding_key
from napari_d24fad.studies.series import Series
from napari_d24fad.studies.study import open_study
from tests.detection.subjects import random_model
from tests.heads import write_study
from tests.session.cache_user import KEY, use_cache

LIMIT = 2**30


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study(tmp_path_factory.mktemp("study"))


def series_of(folder: Path) -> list[Series]:
    return [open_study(folder / f"reference-{number}").series[0] for number in (1, 2, 3)]


def made(
    cache: FeatureCache, folder: Path, detector: Detector | None = None
) -> tuple[References, list[bool]]:
    """The references, as a program that has just started gets them, and which were found by their files."""
    kept = KeptReferences(detector or Detector(random_model(), "cpu"), cache)
    encoded, found = [], []
    for series in series_of(folder):
        one = kept.find(series)
        found.append(one is not None)
        encoded.append(one or kept.encode(series.load(), series))
    return kept.reference_set(encoded), found


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The long steps that were really taken."""
    steps: list[str] = []
    for name in ("encode_scan", "reference_set"):
        own = getattr(Detector, name)

        def counting(self, *args, own=own, name=name, **settings):
            steps.append(name)
            return own(self, *args, **settings)

        monkeypatch.setattr(module.Detector, name, counting)
    return steps


def test_references_open_again_without_pixels_or_work(folder: Path, tmp_path: Path, work: list[str]) -> None:
    cache = FeatureCache(tmp_path, LIMIT)
    first, found = made(cache, folder)
    assert found == [False] * 3
    assert work == ["encode_scan"] * 3 + ["reference_set"]
    work.clear()
    again, found = made(cache, folder)
    assert found == [True] * 3
    assert work == []
    query = open_study(folder / "query").series[0].load()
    detector = Detector(random_model(), "cpu")
    expected, restored = (detector.detect(query, references) for references in (first, again))
    # Half precision: the last bit may depend on where in memory features lie.
    np.testing.assert_allclose(restored.values, expected.values, rtol=1e-3)
    np.testing.assert_array_equal(restored.reference_slice_scores, expected.reference_slice_scores)
    assert restored.p_value == expected.p_value
    assert [each.slices for each in restored.regions] == [each.slices for each in expected.regions]
    assert restored.reference_checks == expected.reference_checks
    # One less: what two of them show together was kept too.
    both = [
        detector.reference_set(each.encoded[:2], alignment=each.alignment).null.scores
        for each in (first, again)
    ]
    np.testing.assert_array_equal(*both)


def test_nothing_of_the_patient_or_the_files_is_kept(folder: Path, tmp_path: Path) -> None:
    made(FeatureCache(tmp_path, LIMIT), folder)
    names = [path.name for path in tmp_path.iterdir()]
    assert len(names) == 7  # three notes, three scans, one set
    for path in tmp_path.iterdir():
        assert len(path.stem) == 64
        content = path.read_bytes()
        for word in (b"reference-1", b"scan.nii", os.fsencode(folder)):
            assert word not in content


def test_pixels_decide_and_not_names(folder: Path, tmp_path: Path, work: list[str]) -> None:
    cache = FeatureCache(tmp_path / "cache", LIMIT)
    made(cache, folder)
    work.clear()
    moved = tmp_path / "elsewhere"
    for series in series_of(folder):
        place = moved / series.source.parent.name
        place.mkdir(parents=True)
        (place / "other.nii.gz").write_bytes(series.source.read_bytes())
    _, found = made(cache, moved)
    assert (found, work) == ([False] * 3, [])  # read, and then found by their pixels
    changed = next((moved / "reference-2").iterdir())
    changed.write_bytes(next((folder / "query").iterdir()).read_bytes())
    _, found = made(cache, moved)
    assert found == [True, False, True]
    assert work == ["encode_scan", "reference_set"]


def test_another_model_or_precision_finds_nothing(folder: Path, tmp_path: Path, work: list[str]) -> None:
    cache = FeatureCache(tmp_path, LIMIT)
    made(cache, folder)
    for other in (
        Detector(random_model(), "cpu", "paper"),
        Detector(random_model(), "cpu", precision="bfloat16"),
        Detector(random_model(), "cpu", ct_windows=((0.0, 80.0),)),
    ):
        work.clear()
        _, found = made(cache, folder, other)
        assert found == [False] * 3
        assert work == ["encode_scan"] * 3 + ["reference_set"]


def test_another_kind_of_device_or_rounding_finds_nothing(folder: Path) -> None:
    scan = series_of(folder)[0].load()
    detector = Detector(random_model(), "cpu")
    keys = [encoding_key(detector, scan, 64)]
    detector.device = torch.device("cuda")  # only named
    keys.append(encoding_key(detector, scan, 64))
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("high")  # which lets CUDA round to TF32
        keys.append(encoding_key(detector, scan, 64))
    finally:
        torch.set_float32_matmul_precision(before)
    assert len(set(keys)) == 3
    assert encoding_key(Detector(random_model(), "cpu"), scan, 64) == keys[0]


def test_equal_pixels_that_are_read_otherwise_are_other_features(folder: Path, tmp_path: Path) -> None:
    kept = KeptReferences(Detector(random_model(), "cpu"), FeatureCache(tmp_path, LIMIT))
    scan = series_of(folder)[0].load()
    plain = kept.encode(scan)
    turned = np.diag([1.0, -1.0, 1.0, 1.0])
    for other in (
        replace(scan, modality="CT"),  # has a window of its own
        replace(scan, affine=scan.affine @ turned),
        replace(scan, affine=scan.affine @ np.diag([1.0, 1.0, 2.0, 1.0])),
    ):
        found = kept.encode(other)
        expected = Detector(random_model(), "cpu").encode_scan(other)
        assert found.prepared.window == expected.prepared.window
        assert found.prepared.orientation == expected.prepared.orientation
        assert found.prepared.sampling == expected.prepared.sampling
        assert not np.array_equal(found.encoded.features[0], plain.encoded.features[0])
    assert kept.encode(scan).encoded.levels.tolist() == plain.encoded.levels.tolist()
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied", "foreign"])
def test_damaged_entries_are_computed_again(
    folder: Path, tmp_path: Path, work: list[str], damage: str
) -> None:
    cache = FeatureCache(tmp_path, LIMIT)
    first, _ = made(cache, folder)
    for path in tmp_path.iterdir():
        content = path.read_bytes()
        middle = len(content) * 3 // 4
        path.write_bytes(
            {
                "cut": content[:middle],
                "flipped": content[:middle] + bytes([content[middle] ^ 0x55]) + content[middle + 1 :],
                "emptied": b"",
                "foreign": b"\x02\0\0\0\0\0\0\0{}",
            }[damage]
        )
    work.clear()
    again, _ = made(cache, folder)
    assert work.count("encode_scan") >= 1
    np.testing.assert_array_equal(again.null.scores, first.null.scores)
    work.clear()
    made(cache, folder)
    assert work == []  # what was damaged has been replaced


def test_least_recently_used_make_way(tmp_path: Path) -> None:
    import torch

    cache = FeatureCache(tmp_path, 3000)
    values = torch.arange(250, dtype=torch.float32)
    for number in range(2):
        cache.put(f"{number:064x}", {"values": values + number}, {"number": number})
        os.utime(tmp_path / f"{number:064x}.safetensors", (time.time() - 100 + number,) * 2)
    assert cache.get(f"{0:064x}") is not None  # used now, so the other is the oldest
    cache.put(f"{2:064x}", {"values": values}, {"number": 2})
    kept = [cache.get(f"{number:064x}") for number in range(3)]
    assert kept[0] is not None
    assert kept[1] is None
    assert kept[2] is not None
    assert kept[2][1]["number"] == 2
    torch.testing.assert_close(kept[0][0]["values"], values)
    cache.put(f"{3:064x}", {"values": torch.zeros(1000)}, {})  # larger than everything
    assert cache.get(f"{3:064x}") is None
    assert FeatureCache(tmp_path, 0).get(f"{0:064x}") is None


@pytest.mark.parametrize("refused", ["os.utime", "safetensors.safe_open"])
def test_an_entry_that_the_system_refuses_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    import torch

    cache = FeatureCache(tmp_path, LIMIT)
    cache.put(KEY, {"values": torch.ones(3)}, {"number": 1})

    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError

    with monkeypatch.context() as patch:
        patch.setattr(refused, refuse)
        found = cache.get(KEY)
    assert (found is not None) == (refused == "os.utime")  # only the time of use is lost
    assert cache.get(KEY) is not None


def test_a_disk_that_takes_nothing_stops_nothing(folder: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    references, _ = made(FeatureCache(blocked / "features", LIMIT), folder)
    assert len(references.encoded) == 3


def test_two_processes_share_a_cache(tmp_path: Path) -> None:
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        found = list(pool.map(use_cache, [str(tmp_path)] * 2))
    assert min(found) > 30
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 3 * 9000
    assert all(len(path.name) == 64 + len(".safetensors") for path in tmp_path.iterdir())
