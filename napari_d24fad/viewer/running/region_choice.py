"""Chooses the layer in which the reader drew where alone to examine."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_d24fad.viewer.wheel import scroll_past

_EVERYTHING = "The whole anatomy"


class RegionChoice(QWidget):
    """A list of layers to draw in, a button that adds one, and whether a drawing goes through all slices."""

    region_changed = Signal()
    """Another layer was chosen, or whether it goes through all slices."""
    draw_requested = Signal()
    """The reader wants to draw."""

    def __init__(self) -> None:
        super().__init__()
        self.label = QLabel("Examine only")
        self.choice = QComboBox()
        self.choice.setAccessibleName("Examine only here")
        self.choice.setToolTip(
            "A Shapes or Labels layer that was drawn on the scan shown: it is carried to the other scans, "
            "and nothing outside it is scored, coloured or counted"
        )
        scroll_past(self.choice)
        # The dock decides how wide it is.
        self.choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.choice.setMinimumContentsLength(6)
        self.choice.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.draw_button = QPushButton("Draw")
        self.draw_button.setToolTip("Add a layer to draw a box or an outline in, on the scan that is shown")
        self.draw_button.clicked.connect(self.draw_requested)
        self.through = QCheckBox("through all slices")
        self.through.setToolTip("The drawing counts in every slice, not only in those it was drawn in")
        self.through.setChecked(True)
        self.through.toggled.connect(self.region_changed)
        row = QHBoxLayout()
        row.addWidget(self.choice, 1)
        row.addWidget(self.draw_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(row)
        layout.addWidget(self.through)
        self.choice.addItem(_EVERYTHING, None)
        self.choice.currentIndexChanged.connect(self._follow)
        self._follow()

    @property
    def key(self) -> int | None:
        """The key of the layer that is chosen; None for the whole anatomy."""
        chosen = self.choice.currentData()
        return None if chosen is None else int(chosen)

    def offer(self, layers: Sequence[tuple[int, str]]) -> None:
        """Offers layers to examine in; the one that is chosen stays so as long as it is among them.

        Args:
            layers: Key and name of each.
        """
        before = self.key
        self.choice.blockSignals(True)
        while self.choice.count() > 1:
            self.choice.removeItem(1)
        for key, name in layers:
            self.choice.addItem(name, key)
        self.choice.setCurrentIndex(max(0, self.choice.findData(before)) if before is not None else 0)
        self.choice.blockSignals(False)
        if self.key != before:
            self._follow()

    def choose(self, key: int) -> None:
        """Chooses one of the layers that are offered."""
        self.choice.setCurrentIndex(max(0, self.choice.findData(key)))

    def _follow(self) -> None:
        self.through.setVisible(self.key is not None)
        self.region_changed.emit()
