from __future__ import annotations

import gc
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.encoding import store as feature_store
from napari_d24fad.detection.encoding.store import Shelf, collect
from napari_d24fad.detection.streaming import encode_and_show
from napari_d24fad.errors import Code, ExportError
from tests.detection.subjects import head, random_model


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(feature_store, "MEMORY_BUDGET", 0)
    return tmp_path


def parts() -> list[tuple[torch.Tensor, ...]]:
    torch.manual_seed(0)
    made = []
    for count in (3, 1, 2):
        wide = torch.rand(count, 4, 5, 6).half().to(memory_format=torch.channels_last)
        made.append((wide, torch.rand(count), torch.rand(count, 2).bfloat16()))
    return made


def test_files_hold_what_memory_would(temporary: Path) -> None:
    expected = tuple(torch.cat(tensors) for tensors in zip(*parts(), strict=True))
    found = collect(6, iter(parts()))
    (folder,) = temporary.iterdir()
    assert sum(path.stat().st_size for path in folder.iterdir()) == sum(each.nbytes for each in expected)
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        assert torch.equal(one, other)
    last = found[2][1:3]
    del found, one
    gc.collect()
    assert folder.exists(), "a part of one of them is still in use"
    assert torch.equal(last, expected[2][1:3])
    del last
    gc.collect()
    assert not list(temporary.iterdir())


def test_only_past_the_budget(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = sum(tensor.nbytes for part in parts() for tensor in part)
    monkeypatch.setattr(feature_store, "MEMORY_BUDGET", size)
    small = collect(6, parts())
    assert not list(temporary.iterdir())
    large = collect(6, parts(), held=1)
    assert list(temporary.iterdir())
    for one, other in zip(small, large, strict=True):
        assert torch.equal(one, other)


def test_no_room_is_told(monkeypatch: pytest.MonkeyPatch, temporary: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/dev/full")
    with pytest.raises(ExportError) as caught:
        collect(6, parts())
    assert caught.value.code is Code.NO_SCRATCH_SPACE


def test_an_interrupted_encoding_leaves_nothing(temporary: Path) -> None:
    def broken() -> object:
        yield parts()[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collect(6, broken())
    gc.collect()
    assert not list(temporary.iterdir())


def test_a_volume_past_the_budget_gets_the_same_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    detector = Detector(random_model(), "cpu")
    references = detector.encode([head(n) for n in (1, 2)])
    query = head(0, grid=(60, 40, 36))
    expected = encode_and_show(detector, query, references, None, lambda _: None)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(feature_store, "MEMORY_BUDGET", 2**20)
    found = encode_and_show(detector, query, references, None, lambda _: None)
    assert list(tmp_path.iterdir())
    for one, other in zip(found.encoded.features, expected.encoded.features, strict=True):
        assert torch.equal(one, other)
    np.testing.assert_array_equal(
        detector.examine(found, references).values, detector.examine(expected, references).values
    )


def test_a_shelf_gives_back_what_was_put_on_it_to_the_last_bit(temporary: Path) -> None:
    features = [tuple(tensor for tensor in part) for part in parts()]
    size = sum(tensor.nbytes for tensor in features[0])
    shelf = Shelf(budget=size)
    feature_store.MEMORY_BUDGET = 2**29  # `temporary` brings it back
    kept = [shelf.put(each) for each in features]
    assert all(one is other for one, other in zip(kept[0], features[0], strict=True))  # within the budget
    (folder,) = temporary.iterdir()
    assert sum(path.name == "features" for path in folder.iterdir()) == 1
    for scan, expected in zip(kept, features, strict=True):
        for one, other in zip(scan, expected, strict=True):
            assert one.dtype == other.dtype
            assert one.stride() == other.stride()
            assert torch.equal(one, other)
    last = kept[2][1]
    del kept, shelf, scan, one
    gc.collect()
    assert folder.exists(), "one of them is still in use"
    assert torch.equal(last, features[2][1])
    del last
    gc.collect()
    assert not list(temporary.iterdir())
