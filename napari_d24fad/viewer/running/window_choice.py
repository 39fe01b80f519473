"""Chooses the CT window that a scan and its references are examined in."""

from __future__ import annotations

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSpinBox, QVBoxLayout, QWidget

from napari_d24fad.detection.encoding.intensity import (
    CT_WINDOW,
    CT_WINDOWS,
    CtWindow,
    name_windows,
    usual_windows,
)
from napari_d24fad.studies.scan import Scan
from napari_d24fad.viewer.narrow import NarrowBox
from napari_d24fad.viewer.wheel import scroll_past

_LOWEST_HU, _HIGHEST_HU = -1024, 3071
_OWN = "Custom"


class WindowChoice(QWidget):
    """A list of windows, and two numbers for one of the reader's own; hidden for all but CT."""

    window_changed = Signal()
    """The reader chose another window."""

    def __init__(self) -> None:
        super().__init__()
        self.label = QLabel("CT window")
        self.choice = NarrowBox()
        self.choice.setAccessibleName("CT window")
        self.choice.setToolTip(
            "The HU that the scan and its references are examined in. Usual are the windows that the body "
            "part is read in, joined into one grey."
        )
        self.choice.addItem("", None)
        for name, window in CT_WINDOWS.items():
            self.choice.addItem(f"{name}, {_hu(window)}", window)
        self.choice.addItem(_OWN, _OWN)
        self.low, self.high = _box("Lowest HU, black", CT_WINDOW[0]), _box("Highest HU, white", CT_WINDOW[1])
        bounds = QHBoxLayout()
        bounds.addWidget(self.low)
        bounds.addWidget(self.high)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.choice)
        layout.addLayout(bounds)
        self.choice.currentIndexChanged.connect(self._follow)
        for box in (self.low, self.high):
            box.valueChanged.connect(self._bound)
        self._bound_each_other()
        self._show_boxes()
        self.show_for(None)

    @property
    def window(self) -> CtWindow | None:
        """Low and high HU; None for the usual window of the scan, and where there is no CT."""
        if self.isHidden():
            return None
        chosen = self.choice.currentData()
        if chosen == _OWN:
            return float(self.low.value()), float(self.high.value())
        # Qt may hand a tuple back as a list.
        return None if chosen is None else (float(chosen[0]), float(chosen[1]))

    def choose(self, window: CtWindow | None) -> None:
        """Chooses a window, one of the reader's own if it is none of the list; tells nobody."""
        rows = {self._window_at(row): row for row in range(self.choice.count() - 1)}
        with QSignalBlocker(self):
            if window is not None and window not in rows:
                self.low.setRange(_LOWEST_HU, _HIGHEST_HU)
                self.high.setRange(_LOWEST_HU, _HIGHEST_HU)
                self.low.setValue(round(window[0]))
                self.high.setValue(round(window[1]))
            self.choice.setCurrentIndex(rows.get(window, self.choice.count() - 1))

    def _window_at(self, row: int) -> CtWindow | None:
        found = self.choice.itemData(row)  # Qt may hand a tuple back as a list
        return None if found is None else (float(found[0]), float(found[1]))

    def show_for(self, scan: Scan | None) -> None:
        """Offers windows if the scan to examine is a CT.

        Args:
            scan: The scan or its outline; None if none is chosen.
        """
        is_ct = scan is not None and scan.modality == "CT"
        self.setVisible(is_ct)
        self.label.setVisible(is_ct)
        if scan is not None and is_ct:
            self.choice.setItemText(0, f"Usual: {name_windows(usual_windows(scan))}")

    def _follow(self) -> None:
        self._show_boxes()
        self.window_changed.emit()

    def _bound(self) -> None:
        self._bound_each_other()
        self.window_changed.emit()

    def _bound_each_other(self) -> None:
        """White is above black."""
        self.low.setMaximum(self.high.value() - 1)
        self.high.setMinimum(self.low.value() + 1)

    def _show_boxes(self) -> None:
        for box in (self.low, self.high):
            box.setVisible(self.choice.currentData() == _OWN)


def _box(name: str, value: float) -> QSpinBox:
    box = QSpinBox()
    box.setRange(_LOWEST_HU, _HIGHEST_HU)
    box.setValue(round(value))
    box.setSingleStep(10)
    box.setKeyboardTracking(False)
    box.setToolTip(name)
    box.setAccessibleName(name)
    scroll_past(box)
    return box


def _hu(window: CtWindow) -> str:
    return f"{window[0]:g} to {window[1]:g} HU"
