"""How the dock is laid out: the gallery above, what is done with it below, the border between them free."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QSplitter, QVBoxLayout, QWidget

_LOWER_SHARE_EMPTY, _LOWER_SHARE_RESULT = 0.2, 0.82


class DockBody(QSplitter):
    """Two parts on top of each other.

    Args:
        upper: Scrolls by itself.
        run_panel: First of the lower part.
        results: Below it; hidden until `show_results`.
    """

    def __init__(self, upper: QWidget, run_panel: QWidget, results: QWidget) -> None:
        super().__init__(Qt.Orientation.Vertical)
        self._results = results
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
        self.addWidget(upper)
        self.addWidget(scroll)
        self.setChildrenCollapsible(False)
        self._share_height(_LOWER_SHARE_EMPTY)

    def show_results(self) -> None:
        """Makes room for results the first time there are any."""
        if self._results.isHidden():
            self._results.show()
            self._share_height(_LOWER_SHARE_RESULT)

    def _share_height(self, lower: float) -> None:
        self.setSizes([round(1000 * (1 - lower)), round(1000 * lower)])
