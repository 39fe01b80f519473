"""Chooses the layers in which the reader drew where alone to examine."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

_MOST_ROWS = 5
_KEY = Qt.ItemDataRole.UserRole


class RegionChoice(QWidget):
    """Layers to draw in, of which several may be ticked, a button that adds one, and how a drawing counts."""

    region_changed = Signal()
    """Other layers were ticked, or whether drawings go through all slices."""
    draw_requested = Signal()
    """The reader wants to draw."""

    def __init__(self) -> None:
        super().__init__()
        self.label = QLabel("Examine only")
        self.choice = QListWidget()
        self.choice.setAccessibleName("Examine only inside these drawings")
        self.choice.setToolTip(
            "Shapes or Labels layers, each drawn on one scan. Nothing outside what is ticked is scored, "
            "coloured or counted. A scan that was drawn on is examined in its own drawing; to others the "
            "drawings are carried. Nothing ticked: the whole anatomy"
        )
        # Two lines that can be read are worth more than a bar to move them by; the tip says all.
        self.choice.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.choice.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.draw_button = QPushButton("Draw on this scan")
        self.draw_button.setToolTip("Add a layer to draw a box or an outline in, on the scan that is shown")
        self.draw_button.clicked.connect(self.draw_requested)
        self.through = QCheckBox("through all slices")
        self.through.setToolTip("A drawing counts in every slice, not only in those it was drawn in")
        self.through.setChecked(True)
        self.through.toggled.connect(self.region_changed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.choice)
        layout.addWidget(self.draw_button)
        layout.addWidget(self.through)
        self.choice.itemChanged.connect(self._follow)
        self._arrange()

    @property
    def keys(self) -> tuple[int, ...]:
        """The keys of the layers that are ticked; empty for the whole anatomy."""
        return tuple(
            int(item.data(_KEY)) for item in self._items if item.checkState() == Qt.CheckState.Checked
        )

    def offer(self, layers: Sequence[tuple[int, str]]) -> None:
        """Offers layers to examine in; those that are ticked stay so as long as they are among them.

        Args:
            layers: Key and text of each.
        """
        before = self.keys
        with QSignalBlocker(self.choice):
            # In place: this may be asked for by an item that was just ticked.
            known = {int(item.data(_KEY)): item for item in self._items}
            for key in known.keys() - dict(layers).keys():
                self.choice.takeItem(self.choice.row(known[key]))
            for key, text in layers:
                item = known.get(key) or self._add(key)
                item.setText(text)
                item.setToolTip(text)
        self._arrange()
        if self.keys != before:
            self.region_changed.emit()

    def choose(self, key: int, *, ticked: bool = True) -> None:
        """Ticks one of the layers that are offered, or takes its tick away."""
        for item in self._items:
            if item.data(_KEY) == key:
                item.setCheckState(Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)

    def _add(self, key: int) -> QListWidgetItem:
        item = QListWidgetItem(self.choice)
        item.setData(_KEY, key)
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
        item.setCheckState(Qt.CheckState.Unchecked)
        return item

    @property
    def _items(self) -> list[QListWidgetItem]:
        return [self.choice.item(row) for row in range(self.choice.count())]

    def _follow(self) -> None:
        self._arrange()
        self.region_changed.emit()

    def _arrange(self) -> None:
        self.choice.setVisible(self.choice.count() > 0)
        rows = min(self.choice.count(), _MOST_ROWS)
        self.choice.setFixedHeight(
            rows * max(self.choice.sizeHintForRow(0), self.fontMetrics().height() + 4) + 6
        )
        self.through.setVisible(bool(self.keys))
