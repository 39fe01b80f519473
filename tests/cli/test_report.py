"""``d24fad report``: a report of a session, with pictures only of scans that may be opened."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from pypdf import PdfReader

from napari_d24fad import cli
from napari_d24fad.findings.findings import Findings
from napari_d24fad.session.saved.session_file import read_session, save_session
from napari_d24fad.settings import CACHE_VARIABLE
from tests.session.saved.cases import make_case


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    save_session([make_case(tmp_path / "scans")], tmp_path / "day.d24fad")
    return tmp_path / "day.d24fad"


def test_a_session_is_reported(session: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert cli.main(["report", str(session), "--out", str(out)]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("Written: report.pdf, report.html, findings.csv, findings.json\n")
    assert told.err == ""
    (page,) = PdfReader(out / "report.pdf").pages
    assert "haemorrhage" in page.extract_text()
    assert len(page.images) > 10
    for name in ("report.html", "findings.csv", "findings.json"):
        assert str(tmp_path) not in (out / name).read_text(encoding="utf-8")
    (case,) = json.loads((out / "findings.json").read_text(encoding="utf-8"))["cases"]
    assert [each["finding"] for each in case["findings"]] == [1, 3], "the second is rejected"
    assert len(read_session(session).cases[0].findings) == 3
    assert cli.main(["report", str(session), "--out", str(out)]) == 6
    assert "X05" in capsys.readouterr().err
    assert cli.main(["report", str(session), "--out", str(out), "--replace", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == "d24fad-findings/1"


def test_a_session_of_somebody_else_is_reported_without_opening_its_scans(
    session: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "another user"))
    assert cli.main(["report", str(session), "--out", str(tmp_path / "out")]) == 0
    told = capsys.readouterr()
    assert "R06" in told.err
    assert str(tmp_path) not in told.out + told.err
    (page,) = PdfReader(tmp_path / "out" / "report.pdf").pages
    assert "there are no pictures" in " ".join(page.extract_text().split())
    assert len(page.images) == 0
    assert cli.main(["report", str(session), "--list-scans"]) == 0
    assert len(capsys.readouterr().out.split()) == 4
    shutil.rmtree(tmp_path / "scans" / "reference-2")
    assert cli.main(["report", str(session), "--out", str(tmp_path / "all"), "--open-scans"]) == 0
    assert "R03" in capsys.readouterr().err
    (page,) = PdfReader(tmp_path / "all" / "report.pdf").pages
    assert len(page.images) > 10
    assert "A scan of this session is no longer where it was." in " ".join(page.extract_text().split())


def test_what_is_no_session_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "day.d24fad").write_bytes(b"something else")
    assert cli.main(["report", str(tmp_path / "day.d24fad"), "--out", str(tmp_path / "out")]) == 9
    assert "R01" in capsys.readouterr().err
    assert cli.main(["report", str(tmp_path / "nothing"), "--out", str(tmp_path / "out")]) == 3
    assert not (tmp_path / "out").exists()


def test_cases_of_a_session_are_reported_all_or_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    case, day = make_case(tmp_path / "scans"), tmp_path / "day.d24fad"
    save_session([case, replace(case, findings=Findings()), case], day)
    shutil.rmtree(tmp_path / "scans" / "query")  # or drawing three pages takes long

    def pages(*chosen: str) -> list[list[int]]:
        out = str(tmp_path / "-".join(("out", *chosen)))
        assert cli.main(["report", str(day), "--out", out, "--json", *chosen]) == 0
        told = json.loads(capsys.readouterr().out)["cases"]
        assert len(PdfReader(Path(out) / "report.pdf").pages) == len(told)
        return [[each["finding"] for each in case["findings"]] for case in told]

    assert pages() == [[1, 3], [], [1, 3]]
    assert pages("--case", "2") == [[]]
    assert cli.main(["report", str(day), "--out", str(tmp_path / "no"), "--case", "4"]) == 2
    assert "There is no case 4: there are 3." in capsys.readouterr().err
