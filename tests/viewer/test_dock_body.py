"""The three pages of the dock: nothing is cut off, and all of it can be reached by the keyboard."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QAbstractButton, QComboBox, QLabel, QScrollArea, QTabBar, QWidget
from superqt import QElidingLabel

from napari_d24fad.export.notice import NOTICE
from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.dock_body import Page
from napari_d24fad.viewer.focus import tab_stops
from napari_d24fad.viewer.gallery.roles import Role
from tests.viewer.study_in_dock import click, open_and_mark

_SAME_ROW_PX = 12
_LOWEST_PX = 330
"""What is left for the dock on a screen of 1280 x 800 that is scaled by 2 and read at 640 x 400."""


def faults(dock: DetectionDock) -> list[str]:
    """Says what is cut off on the page in front."""
    found = []
    for part in dock.findChildren(QWidget):
        if not part.isVisible() or isinstance(part, QElidingLabel | QTabBar):
            continue
        at = part.mapTo(dock, QPoint(0, 0))
        if isinstance(part, QAbstractButton | QLabel | QComboBox) and at.x() + part.width() > dock.width():
            found.append(f"{_named(part)} ends beyond the dock")
        if isinstance(part, QLabel) and part.text():
            needed = part.heightForWidth(part.width()) if part.wordWrap() else part.sizeHint().height()
            wide = part.minimumSizeHint().width() if part.wordWrap() else part.sizeHint().width()
            if needed > part.height() + 1 or wide > part.width() + 1:
                found.append(f"{_named(part)} is cut")
        if (
            isinstance(part, QAbstractButton)
            and part.text()
            and part.minimumSizeHint().width() > part.width()
        ):
            found.append(f"{_named(part)} is cut")
    return found


def assert_nothing_is_cut(dock: DetectionDock) -> None:
    assert faults(dock) == [], f"page {dock.body.page.name} at {dock.width()} px"


def _named(part: QWidget) -> str:
    text = part.text() if isinstance(part, QAbstractButton | QLabel) else part.accessibleName()
    return f"{type(part).__name__} {text[:40]!r}"


def _scrolled_in(part: QWidget) -> QWidget | None:
    around = part.parentWidget()
    while around is not None and not isinstance(around, QScrollArea):
        around = around.parentWidget()
    return around


def _is_stop(part: QWidget) -> bool:
    takes_focus = part.focusPolicy() & Qt.FocusPolicy.TabFocus and part.focusProxy() is None
    return bool(takes_focus and part.isVisible() and part.isEnabled())


def follow_tab(qtbot, dock: DetectionDock, key: Qt.Key, first: QWidget) -> list[QWidget]:
    """Presses Tab until it leaves the dock."""
    first.setFocus()
    visited: list[QWidget] = []
    while len(visited) < 100:
        focused = dock.window().focusWidget()
        if not dock.isAncestorOf(focused) or focused in visited:
            break
        visited.append(focused)
        qtbot.keyClick(focused, key)
    return visited


def test_pages_at_every_width_and_by_keyboard_alone(
    qtbot, dock: DetectionDock, settle, study_folder: Path
) -> None:
    window, body = dock.window(), dock.body
    assert any(label.isVisible() and label.text() == NOTICE for label in dock.findChildren(QLabel))
    assert dock.minimumSizeHint().height() <= _LOWEST_PX
    assert dock.minimumSizeHint().width() <= dock.minimumWidth()

    # R and Escape work from the canvas.
    open_and_mark(qtbot, dock, settle, study_folder)
    canvas = window._qt_viewer.canvas.native
    qtbot.keyClick(canvas, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: dock.jobs.is_busy)
    qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    settle(dock)
    assert dock.run_panel.message == "Stopped."
    assert body.page is Page.SCANS

    # The result comes to the front after a run, and only then.
    click(qtbot, dock.run_panel.run_button)
    settle(dock)
    assert body.page is Page.RESULT
    body.show_page(Page.SCANS)
    dock.gallery.set_role(dock.gallery.references[0], Role.NONE)
    qtbot.waitUntil(lambda: len(dock.examination.request.references) == 2, timeout=60_000)
    settle(dock)
    assert body.page is Page.SCANS
    dock.results.why.reference_requested.emit(0)
    assert body.page is Page.SCANS

    dock.results.why_section.set_unfolded(True)
    dock.results.regions.setCurrentCell(0, 0)
    qtbot.waitUntil(lambda: not dock.result_view.is_busy, timeout=60_000)
    docked = dock.parentWidget()
    dock.run_panel.show_error("A sentence about what went wrong and what to do next. " * 20)
    for width in (dock.minimumWidth(), 410, 560):
        window.resizeDocks([docked], [width], Qt.Orientation.Horizontal)
        for page in Page:
            body.show_page(page)
            qtbot.waitUntil(partial(assert_nothing_is_cut, dock))  # once all is laid out

    window.resizeDocks([docked], [dock.minimumWidth()], Qt.Orientation.Horizontal)
    dock.run_panel.clear_message()
    dock._viewer.add_image(np.zeros((4, 8, 8)), name="came last, is listed first")
    settle(dock)
    for page in Page:
        body.show_page(page)
        qtbot.wait(20)
        first = next(stop for stop in tab_stops(body) if stop.isVisible() and stop.isEnabled())
        stops = follow_tab(qtbot, dock, Qt.Key.Key_Tab, first)
        assert set(stops) == {part for part in body.findChildren(QWidget) if _is_stop(part)}
        assert stops[-2:] == [dock.run_panel.run_button, body.keys_button]
        for before, after in pairwise(stops):
            above, below = (stop.mapTo(dock, stop.rect().center()) for stop in (before, after))
            in_a_row = abs(above.y() - below.y()) < _SAME_ROW_PX
            as_read = above.x() < below.x() if in_a_row else above.y() < below.y()
            assert as_read or _scrolled_in(before) is not _scrolled_in(after), (
                f"{_named(after)} comes after {_named(before)}"
            )
        assert follow_tab(qtbot, dock, Qt.Key.Key_Backtab, stops[-1]) == stops[::-1]
