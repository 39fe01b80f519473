"""``d24fad detect`` with several queries and many references: what it reads, keeps and does without."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from napari_d24fad import cli
from napari_d24fad.session.saved.session_file import read_session
from napari_d24fad.settings import CACHE_VARIABLE, FEATURES_LIMIT_VARIABLE
from napari_d24fad.studies.nifti.series import NiftiSeries
from tests.cli.conftest import write_nifti
from tests.detection.subjects import head


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the volumes whose pixels were read."""
    names: list[str] = []
    load = NiftiSeries.load

    def counting(self, *args, **settings):
        names.append(self.source.name)
        return load(self, *args, **settings)

    monkeypatch.setattr(NiftiSeries, "load", counting)
    return names


def words(model: Path, out: Path, references: Path, *queries: Path) -> list[str]:
    words = ["detect", *map(str, queries), "--reference", str(references), "--model", str(model)]
    return [*words, "--device", "cpu", "--out", str(out)]


def test_one_bad_query_is_reported_and_the_others_go_on(
    tmp_path: Path, scans: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = (scans / "query.nii.gz").read_bytes()
    (tmp_path / "damaged.nii.gz").write_bytes(whole[: len(whole) // 2])
    queries = [tmp_path / "damaged.nii.gz", scans / "query.nii.gz", tmp_path / "nowhere", scans / "a.png"]
    out, session = tmp_path / "out", tmp_path / "day.d24fad"
    asked = [*words(model, out, scans / "normal", *queries), "--json", "--session", str(session)]
    assert cli.main(asked) == 8
    told = capsys.readouterr()
    report = json.loads(told.out)
    assert [(each["query"], each["code"]) for each in report["refused"]] == [
        (1, "S05"),
        (3, "S01"),
        (4, "P05"),
    ]
    assert report == json.loads((out / "report.json").read_text())
    assert [line[:34] for line in told.err.splitlines()] == [
        "d24fad: error S05: Query 1: The pi",
        "d24fad: error S01: Query 3: There ",
        "d24fad: error P05: Query 4: Colour",
    ]
    assert str(tmp_path) not in told.err + told.out
    names = {"query-2_anomaly.nii.gz", "query-2_overlay.png", "report.json"}
    assert {path.name for path in out.iterdir()} == names
    (case,) = read_session(session).cases
    assert case.examination is not None
    assert case.examination.anomaly.score == report["results"][0]["score"]
    assert len(case.findings) == len(report["results"][0]["regions"])
    assert [each.detail for each in case.examination.anomaly.warnings]
    assert cli.main(asked) == 6, "a session is not replaced"
    assert "X05" in capsys.readouterr().err


def test_where_every_query_is_bad_nothing_is_written(
    tmp_path: Path, scans: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "damaged.nii.gz").write_bytes((scans / "query.nii.gz").read_bytes()[:-400])
    queries = [tmp_path / "damaged.nii.gz", scans / "a.png"]
    assert cli.main(words(model, tmp_path / "out", scans / "normal", *queries)) == 3
    told = capsys.readouterr()
    assert [line[:28] for line in told.err.splitlines()] == [
        "d24fad: error S05: Query 1: ",
        "d24fad: error P05: Query 2: ",
    ]
    assert told.out == ""
    assert not (tmp_path / "out").exists()


def test_references_of_another_day_are_not_read(
    tmp_path: Path, scans: Path, model: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FEATURES_LIMIT_VARIABLE, "1")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    results = []
    for expected in (["1.nii.gz", "2.nii.gz", "3.nii.gz", "query.nii.gz"], ["query.nii.gz"]):
        read.clear()
        out = tmp_path / f"out-{len(results)}"
        assert cli.main(words(model, out, scans / "normal", scans / "query.nii.gz")) == 0
        assert sorted(read) == expected
        results.append(json.loads((out / "report.json").read_text())["results"][0])
    first, second = results
    assert first["score"] == pytest.approx(second["score"], rel=1e-3)
    assert [each["label"] for each in first["references"]] == [each["label"] for each in second["references"]]


def test_what_cannot_be_compared_is_refused_before_anything_is_read(
    tmp_path: Path, scans: Path, model: Path, read: list[str]
) -> None:
    queries = [scans / "normal" / "2.nii.gz"]
    assert cli.main(words(model, tmp_path / "out", scans / "normal", *queries)) == 4
    assert read == []


def test_ten_references_take_no_more_memory_than_two(tmp_path: Path, model: Path, read: list[str]) -> None:
    grid = (6, 512, 512)
    rows, columns = np.mgrid[-1:1:512j, -1:1:512j]
    for folder, numbers in (("few", range(2)), ("many", range(10)), ("queries", (10,))):
        (tmp_path / folder).mkdir()
        for number in numbers:
            noise = np.random.default_rng(number).normal(0, 20, grid)
            voxels = 500 * (rows**2 + columns**2 < 0.6 + 0.01 * number) + noise
            write_nifti(tmp_path / folder / f"{number}.nii", voxels)

    def detect(folder: str) -> None:
        out = tmp_path / f"out-{len(list(tmp_path.iterdir()))}"  # new: results in it would be read
        assert cli.main(words(model, out, tmp_path / folder, tmp_path / "queries")) == 0

    def peak_of(folder: str) -> int:
        tracemalloc.start()
        try:
            detect(folder)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    detect("few")  # imports what is needed
    read.clear()
    few, many = peak_of("few"), peak_of("many")
    assert len(read) == 3 + 11
    assert many - few < np.prod(grid) * 4  # one scan


def test_abnormal_examples_are_named_in_report_and_summary(
    tmp_path: Path, scans: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = words(model, tmp_path / "out", scans / "colour", scans / "a.png")
    assert cli.main([*command, "--abnormal", f"a kind={scans / 'b.png'}", "--lesion-slices", "1"]) == 0
    assert "Examined with 1 abnormal example: " in capsys.readouterr().out
    (result,) = json.loads((tmp_path / "out" / "report.json").read_text())["results"]
    told = result["examples"]
    assert (told["nearest"], told["weight"], told["found"], told["kinds"]) == (1, 0.2, [False], ["a kind"])
    assert result["score"] >= told["plain_score"]
    assert cli.main(command) == 0
    (plain,) = json.loads((tmp_path / "out" / "report.json").read_text())["results"]
    assert plain["score"] == told["plain_score"]
    assert set(plain["examples"].values()) == {None}
    capsys.readouterr()
    for path, code in ((scans / "a.png", "P35"), (scans / "colour" / "1.png", "P34")):
        assert cli.main([*command, "--abnormal", str(path)]) == 4
        assert f"error {code}: " in capsys.readouterr().err
    volume = words(model, tmp_path / "volume", scans / "normal", scans / "query.nii.gz")
    write_nifti(tmp_path / "other.nii.gz", head(9).voxels)
    assert cli.main([*volume, "--abnormal", str(tmp_path / "other.nii.gz"), "--lesion-slices", "3"]) == 0
    assert "Examined with 1 abnormal example: " in capsys.readouterr().out
