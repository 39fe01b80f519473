"""Work is copied while it goes on, offered after a crash, and asked about before the viewer is closed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QLabel

from napari_d24fad.errors import Code, ExportError
from napari_d24fad.findings.finding import Verdict
from napari_d24fad.session.saved import autosave
from napari_d24fad.settings import autosave_folder
from napari_d24fad.viewer.asking import Closing
from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.sessions import unsaved
from tests.viewer.results.examining import examine
from tests.viewer.study_in_dock import click


def copies() -> list[Path]:
    return list(autosave_folder().iterdir()) if autosave_folder().exists() else []


def test_work_is_copied_restored_after_a_crash_and_asked_about_on_closing(
    qtbot,
    dock: DetectionDock,
    settle: Callable[[DetectionDock], None],
    study_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    saving, message = dock.unsaved.autosaving, lambda: dock.run_panel.message
    window = dock.window()
    with qtbot.waitSignal(saving.written, timeout=60_000):
        examine(dock, settle, study_folder)
    (copy,) = copies()
    before = copy.read_bytes()

    # A full disk is told once; the copy of before stays as it was.
    def refuse(*_: object, **__: object) -> None:
        raise ExportError(Code.CANNOT_WRITE, "No space left on device")

    dock.results.regions.setCurrentCell(0, 0)
    click(qtbot, dock.results.verdict_bar.accept_button)
    with monkeypatch.context() as full:
        full.setattr(autosave, "save_session", refuse)
        with qtbot.waitSignal(saving.failed, timeout=10_000):
            saving.due.emit()
        assert message().startswith("X01: ")
        dock.run_panel.clear_message()
        qtbot.waitUntil(lambda: not saving.is_busy)
        saving.due.emit()
        qtbot.waitUntil(lambda: not saving.is_busy)
        assert message() == ""
    assert copy.read_bytes() == before
    with qtbot.waitSignal(saving.written, timeout=10_000):
        saving.due.emit()
    assert copy.read_bytes() != before
    written = copy.stat().st_mtime_ns
    saving.due.emit()
    assert not saving.is_busy, "nothing is new"
    assert copy.stat().st_mtime_ns == written

    # The viewer asks before it is closed, and Cancel keeps it open.
    answers = [Closing.CANCEL, Closing.SAVE]
    monkeypatch.setattr(unsaved, "what_of_unsaved", lambda *_: answers.pop(0))
    assert not window.close()
    assert window.isVisible()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    assert not window.close(), "no file was chosen"
    assert answers == []

    # As after a crash: the copy of a program that is no more, offered when the dock starts.
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    lost = copy.with_name(copy.name.replace(f"-{os.getpid()}-", f"-{ended.pid}-"))
    copy.rename(lost)
    dock.keeping.note_saved()
    row = dock.unsaved.row
    assert row.isHidden()
    with qtbot.waitSignal(saving.found, timeout=10_000):
        saving.look_for_copies()
    assert "before the work of" in row.text
    assert all(str(tmp_path) not in label.text() for label in row.findChildren(QLabel))
    with qtbot.waitSignal(saving.written, timeout=60_000):
        click(qtbot, row.first)
    settle(dock)
    assert next(iter(dock.result_view.verdicts.findings)).verdict is Verdict.ACCEPTED
    assert dock.keeping.is_unsaved, "it is in no file of the user's"
    assert row.isHidden()
    assert not lost.exists()
    assert len(copies()) == 1

    # Saved on closing, the viewer closes without another question.
    answers.append(Closing.SAVE)
    kept = tmp_path / "kept.d24fad"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(kept), ""))
    closed: list[bool] = []
    with monkeypatch.context() as patched:
        patched.setattr(unsaved.QTimer, "singleShot", lambda _, close: closed.append(close == window.close))
        assert not window.close()
        settle(dock)
    assert kept.exists()
    assert closed == [True]
    assert not dock.keeping.is_unsaved
    saving.due.emit()
    assert copies() == []


def test_a_copy_that_is_not_wanted_goes(qtbot, tmp_path: Path) -> None:
    from napari_d24fad.viewer.sessions.restore_row import RestoreRow

    row = RestoreRow()
    qtbot.addWidget(row)
    row.show()
    paths = [tmp_path / name for name in ("one", "two")]
    for path in paths:
        path.write_text("")
    row.offer(paths)
    assert "1 older" in row.text
    qtbot.mouseClick(row.second, Qt.MouseButton.LeftButton)
    assert [path.exists() for path in paths] == [False, True]
    assert row.isVisible()
    row.second.click()
    assert row.isHidden()
