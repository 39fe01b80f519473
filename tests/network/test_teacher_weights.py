import hashlib
import json
from pathlib import Path

import pytest
import torch

from napari_d24fad.errors import ArgumentError, Cancelled, Code, ModelError
from napari_d24fad.network.teacher_weights import (
    download_weights,
    import_weights,
    load_weights,
    weights_installed,
)
from napari_d24fad.network.teachers.catalogue import CATALOGUE, PublishedWeights
from napari_d24fad.progress import CancelToken

TENSORS = {
    "conv1.weight": torch.arange(30_000.0),
    "bn1.num_batches_tracked": torch.tensor(3),
    "fc.bias": torch.ones(2),
}


@pytest.fixture
def published(tmp_path):
    """A weights file as published, of a size that arrives in several pieces."""
    torch.save(TENSORS, tmp_path / "published.pth")
    return tmp_path / "published.pth"


def catalogue_of(file: Path, digits: int = 64) -> tuple[PublishedWeights, ...]:
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    return (PublishedWeights("resnet18", "resnet18.pth", sha256[:digits]),)


@pytest.fixture
def mirror(server, published, monkeypatch):
    server.content = published.read_bytes()
    monkeypatch.setenv("D24FAD_WEIGHTS_URL", server.url + "/mirror/")
    return server


def test_download_install_and_load(mirror, published, kept):
    assert not weights_installed("resnet18")
    steps = []
    download_weights("resnet18", catalogue=catalogue_of(published), progress=lambda *step: steps.append(step))
    assert mirror.requests == [("/mirror/resnet18.pth", None, None)]
    assert weights_installed("resnet18")
    loaded = load_weights("resnet18")
    assert loaded.keys() == {"conv1.weight", "bn1.num_batches_tracked"}
    torch.testing.assert_close(loaded["conv1.weight"], TENSORS["conv1.weight"])
    assert sorted(file.name for file in kept.rglob("*.*")) == ["resnet18.json", "resnet18.safetensors"]
    assert [fraction for fraction, _ in steps] == sorted(fraction for fraction, _ in steps)
    assert steps[-1][0] == 1.0


def test_what_is_installed_is_not_fetched_again(mirror, published):
    for _ in range(2):
        download_weights("resnet18", catalogue=catalogue_of(published))
    assert len(mirror.requests) == 1


def test_damage_is_noticed_on_use_and_repaired_by_a_download(mirror, published, kept):
    download_weights("resnet18", catalogue=catalogue_of(published))
    weights = kept / "imagenet" / "resnet18.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    with pytest.raises(ModelError) as caught:
        load_weights("resnet18")
    assert caught.value.code is Code.CHECKSUM_MISMATCH
    download_weights("resnet18", catalogue=catalogue_of(published))
    torch.testing.assert_close(load_weights("resnet18")["conv1.weight"], TENSORS["conv1.weight"])


@pytest.mark.parametrize("record", ["", "[]", '{"sha256": 1, "source_sha256": 2}'])
def test_a_damaged_record_counts_as_missing(mirror, published, kept, record):
    download_weights("resnet18", catalogue=catalogue_of(published))
    (kept / "imagenet" / "resnet18.json").write_text(record)
    assert not weights_installed("resnet18")
    with pytest.raises(ModelError) as caught:
        load_weights("resnet18")
    assert caught.value.code is Code.WEIGHTS_MISSING


def test_missing_weights_name_the_teacher():
    with pytest.raises(ModelError, match="wide_resnet50_2") as caught:
        load_weights("wide_resnet50_2")
    assert caught.value.code is Code.WEIGHTS_MISSING


def test_the_whole_checksum_counts_after_the_first_time(mirror, published, tmp_path):
    """A file that shares the published first digits, but is another, is refused from then on."""
    one_digit = catalogue_of(published, digits=1)
    download_weights("resnet18", catalogue=one_digit)
    other = tmp_path / "other.pth"
    for seed in range(1000):
        torch.save({"conv1.weight": torch.full((2,), float(seed))}, other)
        if catalogue_of(other, digits=1) == one_digit:
            break
    with pytest.raises(ModelError) as caught:
        import_weights(other, catalogue=one_digit)
    assert caught.value.code is Code.CHECKSUM_MISMATCH
    torch.testing.assert_close(load_weights("resnet18")["conv1.weight"], TENSORS["conv1.weight"])


def test_a_wrong_file_from_the_server_installs_nothing(mirror, published, kept):
    mirror.content = b"x" + mirror.content[1:]
    with pytest.raises(ModelError) as caught:
        download_weights("resnet18", catalogue=catalogue_of(published))
    assert caught.value.code is Code.CHECKSUM_MISMATCH
    assert [file for file in kept.rglob("*") if file.is_file()] == []


def test_cancelled_and_resumed(mirror, published):
    cancel = CancelToken()
    with pytest.raises(Cancelled):
        download_weights(
            "resnet18",
            catalogue=catalogue_of(published),
            progress=lambda *step: cancel.cancel(),
            cancel=cancel,
        )
    assert not weights_installed("resnet18")
    mirror.forget()
    download_weights("resnet18", catalogue=catalogue_of(published))
    assert weights_installed("resnet18")
    assert 0 < mirror.served[0] < len(mirror.content)


def test_import_without_network(published, tmp_path):
    renamed = published.rename(tmp_path / "from a memory stick")
    assert import_weights(renamed, catalogue=catalogue_of(renamed)) == "resnet18"
    torch.testing.assert_close(load_weights("resnet18")["conv1.weight"], TENSORS["conv1.weight"])
    assert renamed.exists()


def test_import_of_another_file(published):
    with pytest.raises(ModelError) as caught:
        import_weights(published)
    assert caught.value.code is Code.CHECKSUM_MISMATCH
    assert not weights_installed("resnet18")


def test_import_of_no_file(tmp_path):
    with pytest.raises(ModelError) as caught:
        import_weights(tmp_path)
    assert caught.value.code is Code.MODEL_CORRUPT


def test_code_in_a_weights_file_is_not_run(malicious):
    with pytest.raises(ModelError) as caught:
        import_weights(malicious, catalogue=catalogue_of(malicious))
    assert caught.value.code is Code.MODEL_CORRUPT
    assert not weights_installed("resnet18")


@pytest.mark.parametrize(
    "content", [[1, 2], {"a": 1}, {1: torch.ones(1)}, {"a": torch.tensor([torch.nan])}], ids=str
)
def test_a_file_without_weights(tmp_path, content):
    torch.save(content, tmp_path / "odd.pth")
    with pytest.raises(ModelError) as caught:
        import_weights(tmp_path / "odd.pth", catalogue=catalogue_of(tmp_path / "odd.pth"))
    assert caught.value.code is Code.MODEL_CORRUPT


def test_a_teacher_nothing_is_published_for():
    with pytest.raises(ArgumentError, match="resnet18, wide_resnet50_2"):
        download_weights("compact")


def test_the_catalogue_agrees_with_the_published_names():
    """torch.hub's convention: the name ends in the first eight digits of the SHA-256."""
    known = [entry for entry in CATALOGUE if not entry.asks]
    assert [entry.teacher for entry in known] == ["resnet18", "wide_resnet50_2"]
    for entry in known:
        assert entry.file == f"{entry.teacher}-{entry.sha256[:8]}.pth"


def test_the_record_keeps_the_whole_checksum(mirror, published, kept):
    download_weights("resnet18", catalogue=catalogue_of(published, digits=8))
    record = json.loads((kept / "imagenet" / "resnet18.json").read_text())
    assert record["source_sha256"] == hashlib.sha256(published.read_bytes()).hexdigest()
