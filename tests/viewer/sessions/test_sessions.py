"""A session and a report are saved from the dock, and the session opens again, in the real widget."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QMessageBox

from napari_d24fad.detection.references.reference_check import ReferenceCheck
from napari_d24fad.findings.finding import Verdict
from napari_d24fad.session.saved.case import Case
from napari_d24fad.settings import session_key_file
from napari_d24fad.viewer.dock import DetectionDock
from tests.viewer.results.examining import examine
from tests.viewer.study_in_dock import by_place, click

NO = QMessageBox.StandardButton.No


def test_a_session_is_saved_and_opened_without_a_run(
    qtbot,
    dock: DetectionDock,
    settle: Callable[[DetectionDock], None],
    study_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    examine(dock, settle, study_folder)
    qtbot.waitUntil(lambda: not dock.result_view.is_busy, timeout=60_000)
    panel, message = dock.results, lambda: dock.run_panel.message
    flagged = ReferenceCheck(1, 4.0, flagged=True, reason="Reference 2 differs.")
    anomaly = replace(dock.examination.anomaly, reference_checks=(flagged,))
    examination = replace(dock.examination, anomaly=anomaly)
    dock.examining.take(examination, Case.of(examination).findings, None)
    qtbot.waitUntil(lambda: not dock.result_view.is_busy, timeout=60_000)
    shown, score = np.array(dock.maps.result_layer.data), dock.examination.anomaly.score
    panel.regions.setCurrentCell(0, 0)
    click(qtbot, panel.verdict_bar.reject_button)
    qtbot.keyClicks(panel.verdict_bar.note_line, "an artefact")
    qtbot.keyClick(panel.verdict_bar.note_line, Qt.Key.Key_Return)
    assert dock.keeping.is_unsaved

    # The report leaves out what is rejected, and replaces nothing unasked.
    count = len(dock.result_view.verdicts.findings)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "report"))
    click(qtbot, panel.report_button)
    settle(dock)
    assert message().startswith("The report was saved")
    told = json.loads((tmp_path / "report" / "findings.json").read_text())
    assert [each["finding"] for each in told["cases"][0]["findings"]] == list(range(2, count + 1))
    assert (tmp_path / "report" / "report.pdf").read_bytes().startswith(b"%PDF")
    (tmp_path / "report" / "report.pdf").write_text("signed")
    monkeypatch.setattr(QMessageBox, "warning", lambda *_: NO)
    click(qtbot, panel.report_button)
    settle(dock)
    assert message() == "Nothing was saved."
    assert (tmp_path / "report" / "report.pdf").read_text() == "signed"

    # The name proposed says nothing of whose scan it is.
    proposed: list[str] = []
    saved = tmp_path / "day.d24fad"

    def choose(parent, title: str, name: str, kinds: str) -> tuple[str, str]:
        proposed.append(name)
        return str(tmp_path / "day"), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    click(qtbot, panel.session_button)
    settle(dock)
    assert message().startswith("The session was saved")
    assert proposed == ["session.d24fad"]
    assert not dock.keeping.is_unsaved
    before = saved.read_bytes()
    click(qtbot, panel.session_button)
    settle(dock)
    assert "already" in message()
    assert saved.read_bytes() == before

    # Opened in place of what is open, without a run.
    monkeypatch.setattr(dock._session, "run", None)
    dock.open([saved])  # as when it is dropped
    settle(dock)
    qtbot.waitUntil(lambda: not dock.result_view.is_busy, timeout=60_000)
    assert message().startswith("The session was opened")
    assert len(dock.gallery.series) == 4, "no scan is listed twice"
    assert by_place(dock.gallery)["query"] is dock.gallery.query
    assert [each.source.parent.name for each in dock.gallery.references] == [
        "reference-1", "reference-2", "reference-3",
    ]  # fmt: skip
    flags = [dock.gallery.card(each).flag for each in dock.gallery.references]
    assert [flag.isHidden() for flag in flags] == [True, False, True]
    assert flags[1].text == "Reference 2 differs."
    assert dock.examination.anomaly.score == score
    assert not panel.is_outdated
    (first, *_) = dock.result_view.verdicts.findings
    assert (first.verdict, first.note) == (Verdict.REJECTED, "an artefact")
    data = dock.maps.result_layer.data
    left = np.isfinite(data)
    np.testing.assert_array_equal(data[left], shown[left])
    assert (~left).sum() > np.isnan(shown).sum(), "what is rejected is left clear"

    # Another level says that it knows no regions, and never shows those of before as its own.
    panel.threshold.value_box.setValue(panel.threshold.level * 1.5)
    qtbot.waitUntil(lambda: not dock.result_view.is_busy, timeout=60_000)
    qtbot.waitUntil(lambda: "known after a run" in panel.regions_section.header.text())

    # A scan that went is told of; the map and the verdicts are there.
    (study_folder / "reference-2").rename(study_folder / "elsewhere")
    dock.open([saved])
    settle(dock)
    assert "R03: " in message()
    assert str(study_folder) not in message()
    assert dock.maps.result_layer is not None
    assert panel.is_outdated
    (study_folder / "elsewhere").rename(study_folder / "reference-2")

    # Somebody else's session: nothing that it names is opened before the user has seen the paths.
    session_key_file().write_bytes(bytes(32))
    asked: list[str] = []

    def refuse(box: QMessageBox) -> int:
        asked.append(box.detailedText())
        box.button(NO).click()
        return 0

    monkeypatch.setattr(QMessageBox, "exec", refuse)
    monkeypatch.setattr("napari_d24fad.session.saved.reopening.open_scans", None)
    dock.open([saved])
    settle(dock)
    assert message() == "Nothing was opened."
    assert str(study_folder / "query") in asked[0]

    (tmp_path / "broken.d24fad").write_bytes(b"{}")
    dock.open([tmp_path / "broken.d24fad"])
    settle(dock)
    assert message().startswith("R01: ")
