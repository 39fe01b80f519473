"""The regions of a map as a table, highest rank first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QEvent, Qt, Signal
from qtpy.QtGui import QColor, QKeyEvent, QKeySequence
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from napari_d24fad.findings.finding import Finding, Verdict
from napari_d24fad.studies.lengths import lengths_text, size_text
from napari_d24fad.viewer.results.wording import p_text, slices_text

if TYPE_CHECKING:
    from napari_d24fad.detection.references.regions import Region

_HEADINGS = {
    "#": "Number of the finding, as in the report; rows are ranked by how far and widely they are above",
    "Slices": "First and last slice",
    "Size": "Volume of the region in the patient; area for a single image; pixels where no spacing is known",
    "Peak": "Highest anomaly score in the region",
    "Mean": "Mean anomaly score of the region",
    "By": "How much brighter (+) or darker (−) than the references, in units of the scan or their spread (×)",
    "p": "Share of normal scans expected to show a value as high as the peak anywhere",
}
_SHOWN = 100
_LONGEST_UNIT = 3
_MOST_ROWS = 5
_SIGNS = {Verdict.UNDECIDED: "", Verdict.ACCEPTED: "✓", Verdict.REJECTED: "✗"}
_NOTED, _NONE = "✎", "–"
_BY_HAND = "Marked by hand; Delete takes it away. "
_FADED = QColor(128, 128, 128)
_KEYS = {Qt.Key.Key_A: Verdict.ACCEPTED, Qt.Key.Key_X: Verdict.REJECTED}


class RegionsTable(QTableWidget):
    """One row per `Region`; a click or the arrow keys ask for a region, letters for a verdict."""

    region_requested = Signal(object)
    """The `Region` to show, under the number of its finding; 0 for none."""
    judged = Signal(object)
    """The `Verdict` that the user has a key for, of the row that is chosen."""
    note_requested = Signal()
    """The user wants to write a note."""
    removal_requested = Signal()
    """The user takes away what was marked by hand."""
    undo_requested = Signal()
    """The user takes the last decision back."""
    redo_requested = Signal()
    """The user does it again."""

    def __init__(self) -> None:
        super().__init__(0, len(_HEADINGS))
        self.setAccessibleName("Regions above the threshold, highest rank first")
        self.setHorizontalHeaderLabels(list(_HEADINGS))
        for column, text in enumerate(_HEADINGS.values()):
            self.horizontalHeaderItem(column).setToolTip(text)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 4)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTabKeyNavigation(False)
        header = self.horizontalHeader()
        header.setMinimumSectionSize(18)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(list(_HEADINGS).index("Size"), QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        self._regions: tuple[Region, ...] = ()
        self._fit_height()
        # A click on the row that is selected already asks again.
        self.currentCellChanged.connect(lambda row, *_: self._request(row))
        self.cellClicked.connect(self._request)

    def show_regions(
        self, regions: Sequence[Region], slice_order: npt.NDArray[np.intp], floor: float
    ) -> None:
        """Shows regions; asks for none.

        Args:
            regions: Highest rank first; of very many, the first are shown.
            slice_order: For each slice in the order of the slider, its index in the scan.
            floor: 1 / (K + 1) for K references.
        """
        shown_at = np.argsort(slice_order)
        self.blockSignals(True)
        self._regions = tuple(regions[:_SHOWN])
        self.setRowCount(0)
        self.setRowCount(len(self._regions))
        for row, region in enumerate(self._regions):
            first, last = (int(shown_at[index]) for index in region.slices)
            texts = (
                str(region.number),
                slices_text(first, last),
                size_text(region.volume_mm3, region.area_mm2, region.n_voxels),
                _value(region.peak),
                _value(region.mean),
                _amount(region),
                p_text(region.p_value, floor) if math.isfinite(region.p_value) else _NONE,
            )
            for column, text in enumerate(texts):
                self.setItem(row, column, _item(text, _about(region)))
        told = any(region.spreads is not None for region in self._regions)
        hidden = {"Slices": len(slice_order) == 1, "By": not told, "Mean": told}  # the dock is narrow
        for heading, is_hidden in hidden.items():
            self.setColumnHidden(list(_HEADINGS).index(heading), is_hidden)
        self.setCurrentCell(-1, -1)
        self.blockSignals(False)
        self._fit_height()

    def show_findings(
        self,
        listed: Sequence[tuple[Finding, Finding | None]],
        slice_order: npt.NDArray[np.intp],
        floor: float,
    ) -> None:
        """Shows which rows are which findings, and what was decided; the chosen row stays.

        Args:
            listed: What the map shows, in the order of `show_regions`, each with the finding that it is; then
                findings that it does not show.
            slice_order: As there.
            floor: As there.
        """
        row = self.currentRow()
        regions = [
            replace(shown.region, number=0 if found is None else found.number) for shown, found in listed
        ]
        known = [region.peak_index for region in self._regions]
        if [region.peak_index for region in regions[:_SHOWN]] != known:
            self.show_regions(regions, slice_order, floor)
            self.blockSignals(True)
            self.setCurrentCell(min(row, self.rowCount() - 1), 0)
            self.blockSignals(False)
        self._regions = tuple(regions[:_SHOWN])
        for at, (_, found) in enumerate(listed[:_SHOWN]):
            self._show_finding(at, found)

    def _show_finding(self, row: int, finding: Finding | None) -> None:
        verdict = Verdict.UNDECIDED if finding is None else finding.verdict
        number = "·" if finding is None else f"{finding.number}"
        noted = _NOTED if finding is not None and finding.note else ""
        self.item(row, 0).setText(f"{_SIGNS[verdict]}{number}{noted}")
        told = f"{verdict.value.capitalize()}. " if verdict is not Verdict.UNDECIDED else ""
        if finding is not None:
            called = f"{finding.label}. " if finding.label else ""
            told += called + (_BY_HAND if finding.by_hand else "")
        if finding is None:
            told = "Gets a number when it is accepted, rejected or noted. "
        for column in range(self.columnCount()):
            item = self.item(row, column)
            font = item.font()
            font.setStrikeOut(verdict is Verdict.REJECTED)
            item.setFont(font)
            faded = _FADED if verdict is Verdict.REJECTED else None
            item.setData(Qt.ItemDataRole.ForegroundRole, faded)
            item.setToolTip(f"{told}{_about(self._regions[row])}")

    def event(self, event: QEvent) -> bool:
        """Qt: while the table has the focus its keys are not napari's."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and _is_own(event):
            event.accept()
            return True
        return bool(super().event(event))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Qt: A accepts, X rejects, N writes a note, Ctrl+Z undoes; other letters are for the dock."""
        if event.matches(QKeySequence.StandardKey.Undo):
            self.undo_requested.emit()
        elif event.matches(QKeySequence.StandardKey.Redo):
            self.redo_requested.emit()
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removal_requested.emit()
        elif _is_own(event):
            if event.key() == Qt.Key.Key_N:
                self.note_requested.emit()
            else:
                self.judged.emit(_KEYS[Qt.Key(event.key())])
        elif event.text().isalpha():
            event.ignore()  # the table would search its rows for it
        else:
            super().keyPressEvent(event)

    def _fit_height(self) -> None:
        rows = min(max(len(self._regions), 1), _MOST_ROWS)
        height = self.verticalHeader().defaultSectionSize()
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + rows * height + 4)

    def _request(self, row: int, *_: int) -> None:
        if 0 <= row < len(self._regions):
            self.region_requested.emit(self._regions[row])


def _is_own(event: QKeyEvent) -> bool:
    keys = QKeySequence.StandardKey
    plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
    letter = plain and event.key() in (*_KEYS, Qt.Key.Key_N)
    return bool(letter or event.matches(keys.Undo) or event.matches(keys.Redo))


def _item(text: str, tip: str) -> QTableWidgetItem:
    item = QTableWidgetItem(text)
    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    item.setToolTip(tip)
    return item


def _value(value: float) -> str:
    """Writes a map value; of what was marked outside the map there is none."""
    return f"{value:.3g}" if math.isfinite(value) else _NONE


def _amount(region: Region) -> str:
    """Writes by how much a region departs; times the references' spread where a unit is none or long."""
    if region.amount is None or region.spreads is None:
        return ""
    has_unit = 0 < len(region.unit) <= _LONGEST_UNIT
    text = f"{region.amount:+.0f} {region.unit}" if has_unit else f"{region.spreads:+.1f} ×"
    return text.replace("-", "−")


def _about(region: Region) -> str:
    return (
        f"{region.meaning[0].upper()}{region.meaning[1:]}. {_extent(region)}"
        if region.meaning
        else _extent(region)
    )


def _extent(region: Region) -> str:
    if region.extent_mm is None:
        return "Click to go to its highest value"
    sides = lengths_text(region.extent_mm, between=" × ")
    return f"Extent {sides} along the axes of the scan; click to go to its highest value"
