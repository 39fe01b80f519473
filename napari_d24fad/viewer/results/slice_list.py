"""The most suspicious slices, most suspicious first."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QListWidget, QListWidgetItem

from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.viewer.results.wording import highest_normal_slice, slice_line

_LISTED = 10


class SliceList(QListWidget):
    """A click or the arrow keys ask for a slice; each item's user data is the slice."""

    slice_requested = Signal(int)
    """The slice to show, counted from 0 in the order of the slider."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Most suspicious slices, most suspicious first")
        self.setToolTip("Each p holds for that slice alone; it is not corrected for the number of slices")
        self.setFixedHeight(92)
        self.setWordWrap(True)  # in a narrow dock a line has no room
        self.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.currentItemChanged.connect(self._request)
        self.itemClicked.connect(self._request)

    def show_slices(self, anomaly: AnomalyMap, slice_order: npt.NDArray[np.intp]) -> None:
        """Lists the slices of a result; asks for none.

        Args:
            anomaly: The result, in the scan's own order.
            slice_order: For each slice in the order of the slider, its index in the scan.
        """
        normal = highest_normal_slice(anomaly)
        shown_at = np.argsort(slice_order)
        self.blockSignals(True)
        self.clear()
        for index in anomaly.most_suspicious(_LISTED):
            position = int(shown_at[index])
            score, p_value = float(anomaly.slice_scores[index]), float(anomaly.slice_p_values[index])
            item = QListWidgetItem(slice_line(position, score, p_value, anomaly.p_floor, normal))
            item.setData(Qt.ItemDataRole.UserRole, position)
            self.addItem(item)
        self.blockSignals(False)

    def set_slice(self, index: int) -> None:
        """Follows the slider; asks for nothing."""
        self.blockSignals(True)
        self.setCurrentItem(self._item_of(index))
        self.blockSignals(False)

    def _item_of(self, index: int) -> QListWidgetItem | None:
        for row in range(self.count()):
            item = self.item(row)
            if item is not None and item.data(Qt.ItemDataRole.UserRole) == index:
                return item
        return None

    def _request(self, item: QListWidgetItem | None, *_: object) -> None:
        if item is not None:
            self.slice_requested.emit(int(item.data(Qt.ItemDataRole.UserRole)))
