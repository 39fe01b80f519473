"""How the dock is laid out: three pages, and below them what is needed on each."""

from __future__ import annotations

from enum import IntEnum

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_d24fad.export.notice import NOTICE
from napari_d24fad.viewer.focus import FOCUS_STYLE, next_stop, outside
from napari_d24fad.viewer.running.run_panel import RunPanel

_NOTHING_YET = (
    "There is no result yet. On the page Scans, mark two to eight scans as normal and choose one to examine; "
    "then find anomalies (R)."
)
_PREFERENCES = "Folders, limits, precision and more: File > Preferences > napari-d24fad."


class Page(IntEnum):
    """The pages, from left to right, as the work goes."""

    SCANS = 0
    RUN = 1
    RESULT = 2


class DockBody(QWidget):
    """The pages on top of each other; Run, its progress and the message stay in sight below.

    Args:
        restore_row: Above all else of the first page.
        open_bar: Above the gallery.
        reading_bar: Above all pages: it is about what the canvas shows.
        gallery: Scrolls by itself.
        run_panel: Below all pages; its settings are the page in the middle.
        results: Hidden until `show_results`.
    """

    def __init__(
        self,
        restore_row: QWidget,
        open_bar: QWidget,
        reading_bar: QWidget,
        gallery: QWidget,
        run_panel: RunPanel,
        results: QWidget,
    ) -> None:
        super().__init__()
        self._results = results
        results.hide()
        self._nothing_yet = QLabel(_NOTHING_YET)
        self._nothing_yet.setWordWrap(True)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setExpanding(True)
        scans, run, result = QWidget(), QWidget(), QWidget()
        self.scans_column = _column(scans, restore_row, open_bar)
        """Where parts of the page Scans are added."""
        self.scans_column.addWidget(gallery, 1)
        self.run_column = _column(run, run_panel.settings)
        """Where parts of the page Run are added."""
        hint = QLabel(_PREFERENCES)
        hint.setWordWrap(True)
        self.run_column.addStretch()
        self.run_column.addWidget(hint)
        _column(result, self._nothing_yet, results).addStretch()
        self.tabs.addTab(scans, "&Scans")
        self.tabs.addTab(_scrolling(run), "R&un")
        self.tabs.addTab(_scrolling(result), "Resul&t")
        for page, tip in enumerate(("Open scans and mark them (Alt+S)", "How to examine (Alt+U)", "Alt+T")):
            self.tabs.setTabToolTip(page, tip)
        notice = QLabel(NOTICE)
        notice.setWordWrap(True)
        notice.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(reading_bar)
        layout.addWidget(self.tabs, 1)
        layout.addWidget(run_panel)
        self.keys_button = QToolButton()
        """Shows all keys."""
        self.keys_button.setText("Keys (?)")
        self.keys_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        last = QHBoxLayout()
        last.addWidget(notice, 1)
        last.addWidget(self.keys_button)
        layout.addLayout(last)
        self.setStyleSheet(FOCUS_STYLE)

    @property
    def page(self) -> Page:
        """The page in front."""
        return Page(self.tabs.currentIndex())

    def show_page(self, page: Page) -> None:
        """Brings a page to the front."""
        self.tabs.setCurrentIndex(page)

    def show_results(self) -> None:
        """Brings the result to the front."""
        self._nothing_yet.hide()
        self._results.show()
        self.show_page(Page.RESULT)

    def focusNextPrevChild(self, next: bool) -> bool:  # noqa: N802, A002 - Qt's names
        """Qt: Tab goes on as the page is read, and at its end leaves the dock."""
        stop = next_stop(self, forwards=next) or outside(self, forwards=next)
        if stop is None:
            return bool(super().focusNextPrevChild(next))
        stop.setFocus(Qt.FocusReason.TabFocusReason if next else Qt.FocusReason.BacktabFocusReason)
        return True


def _column(page: QWidget, *parts: QWidget) -> QVBoxLayout:
    column = QVBoxLayout(page)
    column.setContentsMargins(2, 4, 2, 0)
    column.setSpacing(4)
    for part in parts:
        column.addWidget(part)
    return column


def _scrolling(page: QWidget) -> QScrollArea:
    """Keeps everything within reach on a low screen, whatever the length of the texts."""
    scroll = QScrollArea()
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    scroll.setWidget(page)
    return scroll
