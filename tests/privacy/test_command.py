"""The command on marked studies: what it prints, logs, writes, and what its errors say."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from napari_d24fad import cli
from tests.privacy.conftest import Traces
from tests.privacy.marked import MARK, NEEDLES, found_in, write_dicom, write_nifti, write_picture

KINDS = {"dicom": write_dicom, "nifti": write_nifti, "picture": write_picture}


@pytest.fixture(params=KINDS)
def study(request: pytest.FixtureRequest, tmp_path: Path) -> list[Path]:
    """A query and two references of one kind, marked, below a folder with the mark in its name."""
    return [KINDS[request.param](tmp_path / f"{MARK} study", seed) for seed in range(3)]


def run(capfd: pytest.CaptureFixture[str], traces: Traces, *words: object) -> tuple[int, str]:
    status = cli.main([str(word) for word in words])
    said = "".join(capfd.readouterr())
    traces.said.append(said)
    return status, said


def detect(query: Path, *references: Path, out: Path, model: Path) -> list[object]:
    return ["detect", query, "--reference", *references, "--model", model, "--device", "cpu", "--out", out]


def test_marks_are_where_they_can_be_found(study: list[Path]) -> None:
    files = [study[0]] if study[0].is_file() else list(study[0].iterdir())
    for file in files:
        content = file.read_bytes()
        content = gzip.decompress(content) if file.suffix == ".gz" else content
        assert found_in(file.name)
        assert content.count(MARK.encode()) > (500 if file.suffix == ".dcm" else 0)
    if files[0].suffix == ".dcm":
        assert all(needle.encode() in content.lower() for needle in NEEDLES[:3])


def test_nothing_says_whose_the_study_is(
    study: list[Path], model: Path, traces: Traces, capfd: pytest.CaptureFixture[str]
) -> None:
    query, *references = study
    for words in (["inspect", query], ["inspect", query, "--json"], ["inspect", query.parent, "--debug"]):
        assert run(capfd, traces, *words)[0] == 0
    # What --json prints is what report.json holds.
    words = detect(query, *references, out=traces.out, model=model)
    assert run(capfd, traces, *words[:2], query, *words[2:], "--debug")[0] == 0
    assert len(list(traces.out.iterdir())) == 5
    assert traces.leaks() == []


def test_no_error_says_whose_the_study_is(
    study: list[Path], model: Path, traces: Traces, capfd: pytest.CaptureFixture[str]
) -> None:
    query, *references = study
    good = detect(query, *references, out=traces.out / "new", model=model)
    damaged = query if query.is_file() else sorted(query.iterdir())[2]
    blocked = traces.home / "blocked"
    blocked.touch()
    wrong: list[tuple[str, list[object]]] = [
        ("P02", detect(query, query, *references, out=traces.out, model=model)),
        ("P01", detect(query, references[0], out=traces.out, model=model)),
        ("P07", detect(query, references[0], references[0], out=traces.out, model=model)),
        ("S01", ["inspect", query.parent / f"no {MARK}"]),
        ("S01", detect(query, query.parent / f"no {MARK}", out=traces.out, model=model)),
        ("X01", detect(query, *references, out=blocked / "new", model=model)),
        ("M01", detect(query, *references, out=traces.out, model=query.parent / f"no {MARK}.safetensors")),
        ("M02", detect(query, *references, out=traces.out, model=damaged)),
        ("A01", ["inspect", query, MARK]),
        ("A01", [*good, "--series", "9"]),
        ("A01", [*good, "--window", MARK]),
        ("M07", [*good, "--device", MARK]),
        ("T01", ["train", query, "--out", traces.out / "new.safetensors"]),
        ("T01", ["evaluate", query.parent, "--task", "none", "--out", traces.out / "evaluation"]),
        ("M05", ["models", "import", damaged]),
        ("M02", ["models", "verify", damaged]),
        ("M02", ["models", "convert", damaged, "--out", traces.home / "converted.safetensors"]),
    ]
    content = damaged.read_bytes()
    for code, words in wrong:
        for debug in ([], ["--debug"]):
            status, said = run(capfd, traces, *words, *debug)
            assert status != 0, words
            assert f"error {code}: " in said, (words, said)
    for length in (0, 60, 400, len(content) * 2 // 3):
        with traces.aside():
            damaged.write_bytes(content[:length])
        for debug in ([], ["--debug"]):
            assert run(capfd, traces, "inspect", damaged, *debug)[0] in (0, 3)
            assert run(capfd, traces, *good, *debug)[0] == 3
    assert traces.leaks() == []


def test_the_same_pixels_give_the_same_results_whoever_they_belong_to(
    tmp_path: Path, model: Path, traces: Traces, capfd: pytest.CaptureFixture[str]
) -> None:
    """What is drawn cannot be searched for words, but it can be compared."""
    results = []
    for marked in (True, False):
        study = [write_dicom(tmp_path / "studies", seed, marked=marked) for seed in range(3)]
        out = traces.out / str(marked)
        assert run(capfd, traces, *detect(*study, out=out, model=model))[0] == 0
        results.append(out)
    for name in ("overlay.png", "anomaly.nii.gz"):
        assert (results[0] / name).read_bytes() == (results[1] / name).read_bytes()
    marked_report, plain_report = (json.loads((out / "report.json").read_text()) for out in results)
    for report in (marked_report, plain_report):
        report["results"][0].pop("seconds")
    assert marked_report == plain_report


def test_identity_is_shown_on_demand(
    study: list[Path], model: Path, traces: Traces, capfd: pytest.CaptureFixture[str]
) -> None:
    for more in ([], ["--json"]):
        _, said = run(capfd, traces, "inspect", study[0], "--show-identity", *more)
        assert MARK in said
    if study[0].suffix == ".png":  # results of single images are named after them
        words = detect(study[0], *study[1:], out=traces.out, model=model)
        assert run(capfd, traces, *words, "--show-identity")[0] == 0
        assert f"{MARK}-0_overlay.png" in {path.name for path in traces.out.iterdir()}


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    """Labelled pictures, a damaged one and a mask without a scan, marked in their names."""
    data = tmp_path / MARK
    for seed in range(22):
        path = write_picture(tmp_path / "made", seed)
        place = data / "hand" / ("normal" if seed < 18 else "abnormal") / path.name
        place.parent.mkdir(parents=True, exist_ok=True)
        path.rename(place)
    (data / "hand" / "normal" / f"{MARK}-bad.png").write_bytes(b"")
    (data / "hand" / "masks").mkdir()
    (data / "hand" / "masks" / f"{MARK} of nobody.png").write_bytes(b"")
    return data


def test_measuring_and_training_count_scans_and_name_none(
    tasks: Path, model: Path, traces: Traces, capfd: pytest.CaptureFixture[str]
) -> None:
    common = ["--device", "cpu", "--debug"]
    words = ["evaluate", tasks, "--model", model, "--shots", "2", "--draws", "1", "--out", traces.out]
    words += ["--no-figures", *common]
    status, said = run(capfd, traces, *words)
    assert status == 7
    assert "T03" in said
    assert run(capfd, traces, *words, "--leave-out")[0] == 0
    trained = ["train", tasks, "--out", traces.out / "new.safetensors", "--steps", "1", "--procedural", "0"]
    trained += ["--published", "--no-selection", "--shots", "2", *common]
    status, said = run(capfd, traces, *trained)
    assert (status, "umber 19 in normal is unusable" in said) == (7, True), said
    status, said = run(capfd, traces, *trained, "--leave-out")
    assert (status, "umber 19 in normal is unusable" in said) == (0, True), said
    written = {path.suffix for path in traces.out.rglob("*")}
    assert written >= {".safetensors", ".json", ".jsonl", ".png", ".csv"}
    assert traces.leaks() == []
