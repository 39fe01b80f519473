"""All keys are on one sheet, which `?` and a button open."""

from __future__ import annotations

import re

from qtpy.QtWidgets import QLabel

from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.keys.sheet import KEYS
from napari_d24fad.viewer.reading.keys import KEYS as CANVAS_KEYS
from tests.viewer.study_in_dock import click


def test_the_sheet_opens_by_key_and_by_button(qtbot, dock: DetectionDock) -> None:
    canvas = dock.window()._qt_viewer.canvas.native
    dock.window().activateWindow()
    qtbot.waitUntil(dock.window().isActiveWindow, timeout=5_000)
    qtbot.keyClick(canvas, "?")
    sheet = dock.key_sheet.sheet
    assert sheet is not None
    assert sheet.isVisible()
    told = {label.text() for label in sheet.findChildren(QLabel)}
    assert {key for keys in KEYS.values() for key in keys} <= told
    sheet.reject()
    assert not sheet.isVisible()
    click(qtbot, dock.body.keys_button)
    assert sheet.isVisible()
    sheet.reject()
    # Each key of the viewer's keymap and of the canvas is on it.
    named = " ".join(KEYS["Anywhere in the viewer"])
    for key in dock._keys.keys:
        assert key.replace("Shift-", "Shift+").replace("Escape", "Esc") in named
    listed = set(re.findall(r"\w+", named))
    assert set(CANVAS_KEYS) - set("2345678") <= listed
