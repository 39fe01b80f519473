"""What the commands print and write when all is well."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest
import tifffile
import torch

from napari_d24fad import __version__, cli
from napari_d24fad.cli.exits import SOME_REFUSED
from napari_d24fad.cli.sources import open_queries, open_references, stem_of
from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.series import Series
from tests.cli.conftest import Command, environment
from tests.studies.phantom import assert_world_linear, slice_datasets, write_series

SCHEMA_KEYS = {"schema", "notice", "tool", "versions", "results", "refused"}


def test_help_imports_little_names_every_command_and_the_exit_codes(d24fad: Command) -> None:
    done = d24fad("--help")
    assert done.returncode == 0
    assert {"inspect", "detect", "demo", "models", "train"} <= set(done.stdout.split())
    assert "exit status" in done.stdout
    imported = subprocess.run(
        [sys.executable, "-c", "import sys, napari_d24fad.cli; print(*sys.modules)"],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert {"torch", "napari", "numpy", "matplotlib"}.isdisjoint(imported)


def test_the_documented_exit_codes_are_those_of_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    told = {
        int(status) for status in re.findall(r"(?:^| {2,})(\d+)  \w", capsys.readouterr().out, re.MULTILINE)
    }
    document = (Path(__file__).resolve().parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    assert told == {int(status) for status in re.findall(r"^\| (\d+) \|", document, re.MULTILINE)}
    assert told == {0, SOME_REFUSED, cli.CANCELLED} | {cli.exit_status(code) for code in Code}


def test_detect_writes_a_map_in_the_query_geometry_and_a_report(
    d24fad: Command, tmp_path: Path, scans: Path, model: Path
) -> None:
    words = [scans / "query.nii.gz", "--reference", scans / "normal", "--model", model, "--device", "cpu"]
    done = d24fad("detect", *words)
    assert (done.returncode, done.stderr) == (0, "")
    out = tmp_path / "d24fad-output"
    assert sorted(path.name for path in out.iterdir()) == ["anomaly.nii.gz", "overlay.png", "report.json"]
    query, anomaly = nibabel.load(scans / "query.nii.gz"), nibabel.load(out / "anomaly.nii.gz")
    assert (anomaly.affine == query.affine).all()
    assert anomaly.shape == query.shape
    assert np.isfinite(anomaly.get_fdata()).any()
    assert "most suspicious of 12 slices" in done.stdout
    assert re.search(r"p-value [\d.]+ \(3 references can show no less than 0\.25\)", done.stdout)
    assert "Research use only" in done.stdout
    report = json.loads((out / "report.json").read_text())
    result = report["results"][0]
    assert result["files"] == ["anomaly.nii.gz", "overlay.png"]
    assert [each["label"][:12] for each in result["references"]] == [f"Reference {n}:" for n in (1, 2, 3)]
    assert str(scans) not in json.dumps(report)


def test_json_alone_goes_to_stdout_and_images_are_named_after_themselves_if_asked(
    d24fad: Command, tmp_path: Path, scans: Path, model: Path
) -> None:
    queries = [scans / "a.png", scans / "b.png"]
    words = [
        "--reference",
        scans / "colour",
        "--model",
        model,
        "--out",
        "out",
        "--json",
        "--show-identity",
        "--scoring",
        "paper",
    ]
    done = d24fad("detect", *queries, *words)
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    assert report.keys() == SCHEMA_KEYS
    assert [result["scoring"] for result in report["results"]] == ["paper", "paper"]
    names = {"a_anomaly.tiff", "a_overlay.png", "b_anomaly.tiff", "b_overlay.png", "report.json"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    assert tifffile.imread(tmp_path / "out" / "a_anomaly.tiff").shape == (48, 40)


def test_inspect_numbers_series_as_detect_takes_them(
    d24fad: Command, tmp_path: Path, scans: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_series(tmp_path / "study" / "one", slice_datasets())
    write_series(tmp_path / "study" / "two", slice_datasets(grid=(8, 6, 7)))[4].unlink()
    (tmp_path / "study" / "notes.txt").write_text("x")
    assert cli.main(["inspect", str(tmp_path / "study"), "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed["schema"] == "d24fad-inspect/1"
    assert [series["number"] for series in listed["series"]] == [1, 2]
    assert [problem["code"] for problem in listed["problems"]] == ["S13"]
    refused = [series["refusal"]["code"] if series["refusal"] else None for series in listed["series"]]
    assert sorted(refused, key=str) == [None, "S06"]
    done = d24fad("inspect", "study")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["No.", "Series", "Description", "Files", "Problems"]
    assert [line.split()[0] for line in lines[1:3]] == ["1", "2"]
    assert "S06" in done.stdout
    # The number takes the series, here the one that cannot be loaded.
    number = str(refused.index("S06") + 1)
    assert cli.main(["detect", str(tmp_path / "study"), "--series", number, "--reference", str(scans)]) == 3
    assert "S06" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["--series", "3"],
        ["--series", "0"],
        ["other", "--series", "1"],
        ["--window", "1"],
        ["--window", "5,1"],
    ],
)
def test_numbers_that_make_no_sense(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    scans: Path,
    words: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert (
        cli.main(["detect", str(scans / "query.nii.gz"), *words, "--reference", str(scans / "normal")]) == 2
    )
    assert "error A01" in capsys.readouterr().err


def test_a_reference_folder_leaves_out_what_cannot_be_loaded_and_says_so(tmp_path: Path) -> None:
    write_series(tmp_path / "broken", slice_datasets(grid=(8, 6, 7)))[4].unlink()
    write_series(tmp_path / "good", slice_datasets())
    references, problems = open_references([tmp_path])
    assert [reference.label for reference in references] == ["MR axial 5 x 6 x 7, 4.0 x 1.5 x 0.8 mm"]
    assert [problem.code for problem in problems] == [Code.MISSING_SLICE]
    assert str(problems[0]).endswith("A series of reference path 1 was left out.")
    with pytest.raises(StudyError, match="S06"):
        open_references([tmp_path / "good", tmp_path / "broken"])


def test_missing_slices_are_computed_only_if_the_user_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_series(tmp_path, slice_datasets(grid=(8, 6, 7)))[4].unlink()
    (refused,) = open_queries([tmp_path], None)
    assert isinstance(refused.found, StudyError)
    assert refused.found.code is Code.MISSING_SLICE
    (query,) = (each.found for each in open_queries([tmp_path], None, resample=True))
    assert isinstance(query, Series)
    assert query.label == "MR axial 8 x 6 x 7, 4.0 x 1.5 x 0.8 mm, resampled"
    assert_world_linear(query.load())
    references, problems = open_references([tmp_path], resample=True)
    assert len(references) == 1
    assert [problem.code for problem in problems] == [Code.RESAMPLED]
    assert str(problems[0]).endswith("Reference 1.")
    assert cli.main(["inspect", str(tmp_path), "--json"]) == 0
    (series,) = json.loads(capsys.readouterr().out)["series"]
    assert (series["refusal"]["code"], series["resampled"]) == ("S06", query.label)


@pytest.mark.parametrize(
    ("name", "stem"),
    [("knee.nii.gz", "knee"), ("knee.nii", "knee"), ("knee.1.png", "knee.1"), ("IM0001", "IM0001")],
)
def test_results_are_named_after_the_file(tmp_path: Path, name: str, stem: str) -> None:
    (tmp_path / name).touch()
    assert stem_of(tmp_path / name) == stem
    assert stem_of(tmp_path) == tmp_path.name


def test_models_verify_import_and_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], model: Path
) -> None:
    monkeypatch.setenv("D24FAD_CACHE", str(tmp_path))
    assert cli.main(["models", "verify", str(model)]) == 0
    assert capsys.readouterr().out.startswith("random is intact: SHA-256 ")
    assert cli.main(["models", "import", str(model)]) == 0
    assert capsys.readouterr().out == "random is installed.\n"
    assert cli.main(["models", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [each["embedded"] for each in listed["models"] if each["name"] == "random"] == [False]
    assert listed["imagenet_weights"] == {"resnet18": False, "wide_resnet50_2": False}
    assert cli.main(["models", "list"]) == 0
    assert re.search(
        r"^random +compact +matched +you +Random weights$", capsys.readouterr().out, re.MULTILINE
    )


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"napari-d24fad {__version__}\n"


def test_what_was_not_foreseen_is_one_line_and_a_trace_only_on_demand(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = "Doe, Jane\nis in the message"

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError(said)

    monkeypatch.setattr("napari_d24fad.cli.inspect.open_study", fail)
    assert cli.main(["inspect", "x"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("d24fad: error A99: ")
    assert error.count("\n") == 1
    assert "ZeroDivisionError" in error
    assert "Jane" not in error
    assert cli.main(["inspect", "x", "--debug"]) == 1
    traced = capsys.readouterr().err
    assert "raise ZeroDivisionError(said)" in traced
    assert "Jane" not in traced


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (["train", "data", "--out", "new.safetensors"], "training.train.train_model"),
        (["evaluate", "data"], "evaluation.reading.read_labelled"),
        (["benchmark"], "detection.detector.Detector.load"),
    ],
)
def test_every_command_tells_a_device_without_free_memory_by_its_code(
    words: list[str],
    where: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError

    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(f"napari_d24fad.{where}", fail)
    assert cli.main(words) == 5
    assert capsys.readouterr().err.startswith("d24fad: error M08: ")
