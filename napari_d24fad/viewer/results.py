"""What was found: the score in words, the curve over the slices, the slices worth looking at first."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel

from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.export.notice import NOTICE
from napari_d24fad.viewer.score_plot import ScorePlot

_LISTED = 10


class ResultsPanel(QWidget):
    """Shows one `AnomalyMap`; slices are counted in the order of the slice slider."""

    slice_requested = Signal(int)
    """The slice to show, counted from 0."""
    opacity_changed = Signal(float)
    """Opacity of the overlay, 0 to 1."""
    picture_requested = Signal()
    """The user wants to save the canvas."""
    files_requested = Signal()
    """The user wants to save map, overlay and report."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = QElidingLabel()
        self._title.setStyleSheet("font-weight: bold;")
        self._headline = _wrapping_label("Result")
        self._warnings = _wrapping_label("Warnings")
        self._warnings.setStyleSheet("color: #ffb020;")
        self._plot = ScorePlot()
        self._plot.setToolTip("Click or drag to go to a slice; the arrow keys step")
        self._plot.slice_requested.connect(self.slice_requested)
        self._list = QListWidget()
        self._list.setAccessibleName("Most suspicious slices, most suspicious first")
        self._list.setFixedHeight(92)
        self._list.currentItemChanged.connect(self._on_item)
        self._list.itemClicked.connect(self._on_item)
        self._opacity = QSlider(Qt.Orientation.Horizontal)
        self._opacity.setRange(0, 100)
        self._opacity.setValue(100)
        self._opacity.setAccessibleName("Opacity of the anomaly overlay")
        self._opacity.setToolTip("Opacity of the anomaly overlay")
        self._opacity.valueChanged.connect(lambda percent: self.opacity_changed.emit(percent / 100))
        self._picture = QPushButton("Save picture…")
        self._picture.setToolTip("Save the view as PNG, with colour bar, scale bar and slice position")
        self._picture.clicked.connect(self.picture_requested)
        self._files = QPushButton("Save results…")
        self._files.setToolTip("Save the anomaly map as NIfTI, an overlay as PNG and the report as JSON")
        self._files.clicked.connect(self.files_requested)
        self._arrange()

    @property
    def headline(self) -> str:
        """The score in words."""
        return str(self._headline.text())

    @property
    def plot(self) -> ScorePlot:
        """The curve over the slices."""
        return self._plot

    @property
    def slice_list(self) -> QListWidget:
        """The most suspicious slices; each item's user data is the slice."""
        return self._list

    @property
    def opacity_slider(self) -> QSlider:
        """Opacity in percent."""
        return self._opacity

    @property
    def picture_button(self) -> QPushButton:
        """The button that saves the canvas."""
        return self._picture

    @property
    def files_button(self) -> QPushButton:
        """The button that saves map, overlay and report."""
        return self._files

    def show_result(self, label: str, anomaly: AnomalyMap, slice_order: npt.NDArray[np.intp]) -> None:
        """Shows a result.

        Args:
            label: Which scan it is about, without identity.
            anomaly: The result, in the scan's own order.
            slice_order: For each slice in the order of the slider, its index in the scan.
        """
        normal = highest_normal_slice(anomaly)
        scores = anomaly.slice_scores[slice_order]
        self._headline.setText(score_in_words(anomaly))
        self._title.setText(label)
        self._warnings.setText("\n".join(anomaly.warnings))
        self._warnings.setVisible(bool(anomaly.warnings))
        self._plot.set_scores(scores, normal)
        self._list.blockSignals(True)
        self._list.clear()
        shown_at = {int(index): position for position, index in enumerate(slice_order)}
        for index in anomaly.most_suspicious(_LISTED):
            self._list.addItem(_item(shown_at[index], float(anomaly.slice_scores[index]), normal))
        self._list.blockSignals(False)
        several = len(slice_order) > 1
        for part in (self._plot, self._list, self._list_title):
            part.setVisible(several)

    def set_slice(self, index: int) -> None:
        """Follows the slider; asks for nothing."""
        self._plot.set_slice(index)
        self._list.blockSignals(True)
        self._list.setCurrentItem(self._item_of(index))
        self._list.blockSignals(False)

    def _item_of(self, index: int) -> QListWidgetItem | None:
        for row in range(self._list.count()):
            item = self._list.item(row)
            if item is not None and item.data(Qt.ItemDataRole.UserRole) == index:
                return item
        return None

    def _on_item(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.slice_requested.emit(int(item.data(Qt.ItemDataRole.UserRole)))

    def _arrange(self) -> None:
        self._list_title = QLabel("Most suspicious slices")
        opacity = QHBoxLayout()
        opacity.addWidget(QLabel("Overlay"))
        opacity.addWidget(self._opacity, 1)
        saving = QHBoxLayout()
        saving.addWidget(self._picture)
        saving.addWidget(self._files)
        notice = QLabel(NOTICE)
        notice.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (self._title, self._headline, self._warnings, self._plot, self._list_title, self._list):
            layout.addWidget(part)
        layout.addLayout(opacity)
        layout.addLayout(saving)
        layout.addWidget(notice)


def highest_normal_slice(anomaly: AnomalyMap) -> float | None:
    """Returns the highest slice score of any reference held against the others; None if there is none."""
    finite = anomaly.reference_slice_scores[np.isfinite(anomaly.reference_slice_scores)]
    return float(finite.max()) if finite.size else None


def score_in_words(anomaly: AnomalyMap) -> str:
    """Says what the score means beside the references' own, and how little few references can tell."""
    told = f"Score {anomaly.score:.3g}. "
    normal = anomaly.reference_scores[np.isfinite(anomaly.reference_scores)]
    if not normal.size:
        return told + "There are no reference scores to hold it against."
    span = f"{normal.min():.3g} to {normal.max():.3g}" if normal.size > 1 else f"{normal[0]:.3g}"
    told += f"The {normal.size} normal references score {span}, each examined against the others. "
    below = int((normal < anomaly.score).sum())
    if below < normal.size:
        place = f"higher than {below} of them" if below else "not higher than any of them"
        return told + f"This scan is {place}."
    # The smallest p-value that a rank among K references and one scan can have is 1 / (K + 1).
    return told + (
        f"This scan is higher than all of them; by chance alone a normal scan would be so "
        f"once in {normal.size + 1}."
    )


def _item(position: int, score: float, normal: float | None) -> QListWidgetItem:
    outside = normal is not None and score > normal
    item = QListWidgetItem(f"Slice {position + 1}   score {score:.3g}{'   above normal' if outside else ''}")
    item.setData(Qt.ItemDataRole.UserRole, position)
    return item


def _wrapping_label(name: str) -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setAccessibleName(name)
    return label
