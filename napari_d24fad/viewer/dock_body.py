"""How the dock is laid out: the gallery above, what is done with it below, the border between them free."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QFrame, QScrollArea, QSplitter, QVBoxLayout, QWidget

from napari_d24fad.viewer.running.run_panel import RunPanel

_CARD_WITH_CHOICE_PX = 240
"""A card that says why its reference is doubtful, with its buttons, stays whole in the lowest window."""
_LOWER_SHARE_EMPTY, _LOWER_SHARE_RESULT = 0.2, 0.82


class DockBody(QSplitter):
    """Two parts on top of each other.

    Args:
        upper: Scrolls by itself.
        run_panel: First of the lower part.
        results: Below it; hidden until `show_results`.
    """

    def __init__(self, upper: QWidget, run_panel: RunPanel, results: QWidget) -> None:
        super().__init__(Qt.Orientation.Vertical)
        self._upper, self._results = upper, results
        results.hide()
        lower = QWidget()
        column = QVBoxLayout(lower)
        column.setContentsMargins(0, 0, 2, 0)
        column.addWidget(run_panel)
        column.addWidget(results)
        column.addStretch()
        # Everything stays within reach on a low screen, whatever the length of the texts.
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(lower)
        run_panel.spoke.connect(partial(QTimer.singleShot, 0, partial(scroll.ensureWidgetVisible, run_panel)))
        self.addWidget(upper)
        self.addWidget(scroll)
        self.setChildrenCollapsible(False)
        self._share_height(_LOWER_SHARE_EMPTY)

    def show_results(self) -> None:
        """Makes room for results the first time there are any."""
        if self._results.isHidden():
            self._results.show()
            self._upper.setMinimumHeight(_CARD_WITH_CHOICE_PX)
            self._share_height(_LOWER_SHARE_RESULT)

    def _share_height(self, lower: float) -> None:
        self.setSizes([round(1000 * (1 - lower)), round(1000 * lower)])
