"""``d24fad cohort`` from a folder to a table, and what the table, the pages and the folder tell."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from napari_d24fad import cli
from napari_d24fad.cli.open import joined, sessions_of
from napari_d24fad.cohort.place import CohortPlace
from napari_d24fad.errors import ArgumentError, SessionError
from napari_d24fad.session.saved.reference_sets import open_reference_set
from napari_d24fad.session.saved.session_file import read_session
from napari_d24fad.session.scripting import Session
from napari_d24fad.studies.study import open_study
from tests.cohort.conftest import NAME


def run(study: Path, out: Path, *words: str, cases: Path | None = None) -> int:
    named = [str(cases or study / NAME), "--references", str(study / "normal.d24fad-references")]
    model = ["--model", str(study / "random.safetensors"), "--device", "cpu"]
    return cli.main(["cohort", *named, "--out", str(out), *model, *words])


def table(out: Path) -> list[dict[str, str]]:
    with (out / "cohort.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def cohort(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "cohort"
    assert run(study, out) == 8  # one image is broken
    return out


def test_each_case_has_the_result_that_it_has_alone(study: Path, cohort: Path) -> None:
    from pyarrow import parquet

    rows = table(cohort)
    references = open_reference_set(study / "normal.d24fad-references")
    session = Session(str(study / "random.safetensors"), "cpu")
    expected = [
        session.examine(open_study(study / NAME / f"{number}.png").series[0], references).anomaly
        for number in (3, 4, 5, 6)
    ]
    expected.sort(key=lambda anomaly: -anomaly.score)
    assert [float(row["score"]) for row in rows[:4]] == [anomaly.score for anomaly in expected]
    assert [float(row["p_value"]) for row in rows[:4]] == [anomaly.p_value for anomaly in expected]
    assert [int(row["regions"]) for row in rows[:4]] == [len(anomaly.regions) for anomaly in expected]
    assert (rows[4]["code"], rows[4]["score"], rows[4]["row"]) == ("S04", "", "5")
    stored = parquet.read_table(cohort / "cohort.parquet")
    assert stored["case"].to_pylist() == [row["case"] for row in rows]
    assert stored.schema.metadata[b"notice"].startswith(b"Research use only")


def test_nothing_but_sessions_tells_where_a_scan_is(cohort: Path) -> None:
    for path in cohort.rglob("*"):
        assert NAME not in str(path.relative_to(cohort))
        if path.is_file() and path.suffix != ".d24fad":
            assert NAME.encode() not in path.read_bytes()
    assert (cohort / "cases").stat().st_mode & 0o077 == 0
    assert (cohort / "cohort.json").stat().st_mode & 0o077 == 0


def test_the_overview_runs_nothing_and_shows_pictures(cohort: Path) -> None:
    page = (cohort / "overview.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == 4
    assert "Research use only" in page
    assert "<script" not in page
    assert "With 3 references no p-value is below 0.25." in page
    assert "S04" in page
    scores = [float(row["score"]) for row in table(cohort)[:4]]
    places = [page.index(f">{score:.3g}<") for score in scores]
    assert places == sorted(places)


def test_rows_open_again_with_their_results(study: Path, cohort: Path, tmp_path: Path) -> None:
    first = table(cohort)[0]
    (path,) = sessions_of(cohort, ["1"])
    assert sessions_of(cohort / "cohort.parquet", [first["case"][:6]]) == [path]
    session = read_session(path)
    assert session.is_own is False  # the cache, and with it the key of this user, is another in each test
    (case,) = session.cases
    assert case.examination is not None
    assert case.examination.anomaly.score == float(first["score"])
    both = joined(sessions_of(cohort, ["2", "1", "1"]), tmp_path)
    scores = [each.examination.anomaly.score for each in read_session(both).cases if each.examination]
    assert scores == [float(table(cohort)[at]["score"]) for at in (1, 0)]
    with pytest.raises(SessionError, match="S04"):
        sessions_of(cohort, ["5"])
    for wrong in (["6"], ["0"], ["zz"], []):
        with pytest.raises(ArgumentError):
            sessions_of(cohort, wrong)
    with pytest.raises(SessionError):
        sessions_of(study, ["1"])


def test_a_cohort_goes_on_where_it_was(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, cases = tmp_path / "out", tmp_path / "cases.csv"
    cases.write_text(f"path,series\n{study / NAME / '3.png'},1\n{study / NAME / 'broken.png'},\n")
    assert run(study, out, cases=cases) == 8
    assert run(study, out, cases=cases) == 11
    assert "C01" in capsys.readouterr().err
    place = CohortPlace.open(out)
    before = {key: (place.case(key) / "row.json").stat().st_mtime_ns for key in place.done()}
    with cases.open("a") as file:
        file.write(f"{study / NAME / '4.png'},\n{study / NAME / '3.png'},1\n")
    assert run(study, out, "--resume", "--json", cases=cases) == 8
    told = json.loads(capsys.readouterr().out)
    assert (told["cases"], told["refused"]) == (3, 1)
    after = {key: (place.case(key) / "row.json").stat().st_mtime_ns for key in place.done()}
    assert {key: after[key] for key in before} == before
    assert run(study, out, "--retry", cases=cases) == 8
    retried = {key: (place.case(key) / "row.json").stat().st_mtime_ns for key in place.done()}
    assert sum(retried[key] != after[key] for key in after) == 1
    assert run(study, out, "--resume", "--scoring", "paper", cases=cases) == 11
    assert "C02" in capsys.readouterr().err


def test_jobs_of_an_array_make_one_table(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for number in (1, 2):
        assert not (out / "cohort.csv").exists()
        assert run(study, out, "--shard", f"{number}/2") in (0, 8)
    assert len({row["case"] for row in table(out)}) == 5


def test_identity_is_there_when_asked_for(study: Path, tmp_path: Path) -> None:
    cases = tmp_path / "cases.txt"
    cases.write_text(f"\n{study / NAME / '3.png'}\n")
    assert run(study, tmp_path / "out", "--show-identity", "--files", cases=cases) == 0
    (row,) = table(tmp_path / "out")
    assert row["place"] == str(study / NAME / "3.png")
    written = {path.name for path in (tmp_path / "out" / "cases").rglob("*") if path.is_file()}
    assert {"row.json", "case.d24fad", "thumbnail.png", "report.json", "image_anomaly.tiff"} <= written


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--scheduler", "tcp://node1:8786"], "C06"),
        (["--scheduler", "tls://node1:8786", "--tls-ca", "there-is-none"], "A01"),
        (["--tls-ca", "there-is-none"], "A01"),
        (["--slurm", "jobs=2"], "A01"),
        (["--shard", "3/2"], "A01"),
        (["--abnormal", "there-is-none"], "A01"),
    ],
)
def test_what_does_not_go_is_said_first(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: str
) -> None:
    assert run(study, tmp_path / "out", *words) in (2, 11)
    assert f"error {code}" in capsys.readouterr().err
    assert not (tmp_path / "out" / "cohort.csv").exists()


def test_a_missing_part_is_named(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    for name, words in (("pyarrow", []), ("distributed", ["--workers", "2"])):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, name, None)
            assert run(study, tmp_path / name, *words) == 11
        told = capsys.readouterr().err
        assert f"It is {name}." in told
        assert "pip install 'napari-d24fad[cohort,slurm]'" in told


def test_places_of_a_list_that_are_none(study: Path, tmp_path: Path) -> None:
    for name, content, status in (
        ("no-column.csv", b"file\na.png\n", 2),
        ("no-text.txt", b"\xff\xfe\x00", 2),
        ("empty.txt", b"\n\n", 3),
        ("number.csv", b"path,series\na.png,x\n", 2),
    ):
        (tmp_path / name).write_bytes(content)
        assert run(study, tmp_path / "out", cases=tmp_path / name) == status
    assert not (tmp_path / "out").exists()
