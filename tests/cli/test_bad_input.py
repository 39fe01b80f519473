"""Every bad input is refused with its code on one line, and leaves nothing behind."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest

from napari_d24fad.cli import main
from tests.cli.conftest import Command, write_nifti
from tests.studies.phantom import slice_datasets, write_series

Bad = Callable[[Path, Path], list[str | Path]]
OUT = "results"


@pytest.fixture
def d24fad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """Runs the command in this process: starting Python and torch for each refusal takes seconds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("D24FAD_CACHE", str(tmp_path / "cache"))

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        typed = list(map(str, words))
        status = main(typed)
        told = capfd.readouterr()
        return subprocess.CompletedProcess(typed, status, told.out, told.err)

    return run


def check_refusal(status: int, output: str, errors: str, folder: Path, code: str, expected: int) -> None:
    lines = errors.splitlines()
    assert len(lines) == 1, errors
    assert re.match(rf"d24fad: error {code}: \S", lines[0])
    assert status == expected
    assert output == ""
    assert "Traceback" not in errors
    assert str(folder) not in errors


def content_of(folder: Path) -> list[Path]:
    """All that is in a folder but what was encoded of references, which the next try needs not do again."""
    cache = folder / "cache"
    return sorted(path for path in folder.rglob("*") if path != cache and cache not in path.parents)


def refused(command: Command, folder: Path, code: str, status: int, words: list[str | Path]) -> None:
    before = content_of(folder)
    done = command(*words)
    check_refusal(done.returncode, done.stdout, done.stderr, folder, code, status)
    assert content_of(folder) == before


def normal(scans: Path) -> list[str | Path]:
    return ["--reference", scans / "normal", "--out", OUT]


def empty_folder(folder: Path, scans: Path) -> list[str | Path]:
    (folder / "study").mkdir()
    return ["study", *normal(scans)]


def no_images_inside(folder: Path, scans: Path) -> list[str | Path]:
    (folder / "study" / "deeper").mkdir(parents=True)
    (folder / "study" / "deeper" / "notes.txt").write_text("no image")
    return ["study", *normal(scans)]


def text_named_dcm(folder: Path, scans: Path) -> list[str | Path]:
    (folder / "scan.dcm").write_text("This is no DICOM file. " * 20)
    return ["scan.dcm", *normal(scans)]


def truncated_dicom(folder: Path, scans: Path) -> list[str | Path]:
    files = write_series(folder / "study", slice_datasets())
    files[2].write_bytes(files[2].read_bytes()[:-40])
    return ["study", *normal(scans)]


def truncated_nifti(folder: Path, scans: Path) -> list[str | Path]:
    whole = gzip.decompress((scans / "query.nii.gz").read_bytes())
    (folder / "scan.nii.gz").write_bytes(gzip.compress(whole[: len(whole) // 2]))
    return ["scan.nii.gz", *normal(scans)]


def truncated_reference(folder: Path, scans: Path) -> list[str | Path]:
    whole = (scans / "query.nii.gz").read_bytes()
    (folder / "reference.nii.gz").write_bytes(whole[: len(whole) // 2])
    references = [scans / "normal" / "1.nii.gz", "reference.nii.gz"]
    return [scans / "query.nii.gz", "--reference", *references, "--out", OUT]


def missing_slice(folder: Path, scans: Path) -> list[str | Path]:
    write_series(folder / "study", slice_datasets(grid=(8, 6, 7)))[3].unlink()
    return ["study", *normal(scans)]


def constant_image(folder: Path, scans: Path) -> list[str | Path]:
    write_nifti(folder / "scan.nii.gz", np.full((6, 8, 9), 7.0))
    return ["scan.nii.gz", *normal(scans)]


def infinite_image(folder: Path, scans: Path) -> list[str | Path]:
    voxels = nibabel.load(scans / "query.nii.gz").get_fdata().T
    voxels[3, 4, 5] = np.inf
    write_nifti(folder / "scan.nii.gz", voxels)
    return ["scan.nii.gz", *normal(scans)]


def one_reference(folder: Path, scans: Path) -> list[str | Path]:
    return [scans / "query.nii.gz", "--reference", scans / "normal" / "1.nii.gz", "--out", OUT]


def no_reference(folder: Path, scans: Path) -> list[str | Path]:
    return [scans / "query.nii.gz", "--out", OUT]


def query_among_references(folder: Path, scans: Path) -> list[str | Path]:
    # Under another name and compression: its content tells.
    (folder / "other.nii").write_bytes(gzip.decompress((scans / "normal" / "2.nii.gz").read_bytes()))
    return ["other.nii", *normal(scans)]


def colour_against_grey(folder: Path, scans: Path) -> list[str | Path]:
    return [scans / "a.png", *normal(scans)]


def several_series(folder: Path, scans: Path) -> list[str | Path]:
    return [scans / "normal", *normal(scans)]


def missing_path(folder: Path, scans: Path) -> list[str | Path]:
    return ["nowhere", *normal(scans)]


def unknown_model(folder: Path, scans: Path) -> list[str | Path]:
    return [scans / "query.nii.gz", *normal(scans), "--model", "nonsense"]


def window_for_mr(folder: Path, scans: Path) -> list[str | Path]:
    return [scans / "query.nii.gz", *normal(scans), "--window", "-160,240"]


@pytest.mark.parametrize(
    ("bad", "code", "status"),
    [
        (empty_folder, "S03", 3),
        (no_images_inside, "S03", 3),
        (text_named_dcm, "S04", 3),
        (truncated_dicom, "S05", 3),
        (truncated_nifti, "S05", 3),
        (truncated_reference, "S05", 3),
        (missing_slice, "S06", 3),
        (constant_image, "S10", 3),
        (infinite_image, "S11", 3),
        (one_reference, "P01", 4),
        (no_reference, "P01", 4),
        (query_among_references, "P02", 4),
        (colour_against_grey, "P05", 4),
        (several_series, "S12", 3),
        (missing_path, "S01", 3),
        (unknown_model, "M01", 5),
        (window_for_mr, "A01", 2),
    ],
)
def test_detect_refuses(
    d24fad: Command, tmp_path: Path, scans: Path, model: Path, bad: Bad, code: str, status: int
) -> None:
    words = bad(tmp_path, scans)
    chosen = [] if "--model" in words else ["--model", model]
    refused(d24fad, tmp_path, code, status, ["detect", *words, *chosen])


@pytest.mark.parametrize("size", [0, -8])
def test_a_damaged_model_is_refused(
    d24fad: Command, tmp_path: Path, scans: Path, model: Path, size: int
) -> None:
    shutil.copy(model.with_suffix(".json"), tmp_path)
    (tmp_path / model.name).write_bytes(model.read_bytes()[:size])
    words = ["detect", scans / "query.nii.gz", *normal(scans), "--model", f"./{model.name}"]
    refused(d24fad, tmp_path, "M0[25]", 5, words)


def test_a_model_without_a_good_card_is_refused(
    d24fad: Command, tmp_path: Path, scans: Path, model: Path
) -> None:
    shutil.copy(model, tmp_path)
    (tmp_path / model.name).with_suffix(".json").write_text('{"format": 1, "name": NaN}')
    refused(d24fad, tmp_path, "M02", 5, ["models", "verify", f"./{model.name}"])


def places_without_permission(folder: Path) -> list[str]:
    (folder / "file").touch()
    places = ["file", "file/results"]
    if Path("/proc/self").exists():
        places.append("/proc/results")
    if os.geteuid() != 0:
        (folder / "locked").mkdir(mode=0o500)
        places += ["locked", "locked/results"]
    return places


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="POSIX permissions")
def test_a_place_without_write_permission_is_refused_before_any_work(
    d24fad: Command, tmp_path: Path, scans: Path, model: Path
) -> None:
    for place in places_without_permission(tmp_path):
        words = [scans / "query.nii.gz", "--reference", scans / "normal", "--model", model]
        refused(d24fad, tmp_path, "X01", 6, ["detect", *words, "--out", place])


def test_results_of_another_scan_are_not_replaced_and_nothing_is_computed(
    tmp_path: Path, scans: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / OUT
    out.mkdir()
    earlier = {"overlay.png": "a picture", "report.json": '{"results": []}'}
    for name, text in earlier.items():
        (out / name).write_text(text)
    words = [
        "detect",
        scans / "query.nii.gz",
        "--reference",
        scans / "normal",
        "--model",
        model,
        "--out",
        out,
    ]
    status = main(list(map(str, words)))
    told = capsys.readouterr()
    check_refusal(status, told.out, told.err, tmp_path, "X04", 6)
    assert {path.name: path.read_text() for path in out.iterdir()} == earlier


@pytest.mark.parametrize(
    ("words", "code", "status"),
    [
        (["inspect", "nowhere"], "S01", 3),
        (["detect"], "A01", 2),
        (["detect", "a", "--nonsense"], "A01", 2),
        (["models", "verify", "nonsense"], "M01", 5),
        (["models", "import", "nowhere.pth"], "M0[12]", 5),
        (["models", "download", "alexnet"], "A01", 2),
        (["models", "convert", "nowhere.pth", "--out", "m.safetensors"], "M0[12]", 5),
        (["train", "nowhere", "--out", "m.safetensors"], "S01", 3),
        (["evaluate", "nowhere"], "S01", 3),
    ],
)
def test_other_commands_refuse(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: str,
    status: int,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("D24FAD_CACHE", str(tmp_path / "cache"))
    returned = main(words)
    told = capsys.readouterr()
    check_refusal(returned, told.out, told.err, tmp_path, code, status)
    assert list(tmp_path.iterdir()) == []
