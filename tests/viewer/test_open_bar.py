from __future__ import annotations

from pathlib import Path

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog

from napari_d24fad.viewer.open_bar import OpenBar


@pytest.fixture
def bar(qtbot) -> OpenBar:
    widget = OpenBar()
    qtbot.addWidget(widget)
    widget.show()
    return widget


def test_chosen_folder_is_asked_for(qtbot, bar: OpenBar, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "/data/study")
    with qtbot.waitSignal(bar.open_requested) as asked:
        qtbot.mouseClick(bar.folder_button, Qt.MouseButton.LeftButton)
    assert asked.args == [(Path("/data/study"),)]


def test_chosen_files_are_asked_for(qtbot, bar: OpenBar, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: (["/data/a.nii", "/data/b.nii"], ""))
    with qtbot.waitSignal(bar.open_requested) as asked:
        qtbot.mouseClick(bar.files_button, Qt.MouseButton.LeftButton)
    assert asked.args == [(Path("/data/a.nii"), Path("/data/b.nii"))]


def test_closed_dialogs_ask_for_nothing(qtbot, bar: OpenBar, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([], ""))
    with qtbot.assertNotEmitted(bar.open_requested):
        for button in (bar.folder_button, bar.files_button):
            qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
