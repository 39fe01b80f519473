"""Loads a series that is refused as it stands, once the user agrees to what is computed or assumed."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QPushButton, QSizePolicy

from napari_d24fad.errors import Code
from napari_d24fad.studies.series import Series


class RemedyButton(QPushButton):
    """Shown with a series that has something to load in its place, see `Series.remedy`."""

    remedy_requested = Signal(object)
    """The `Series` that the user agrees to."""

    def __init__(self) -> None:
        super().__init__()
        self._remedy: Series | None = None
        # The card decides how wide it is.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.clicked.connect(lambda: self.remedy_requested.emit(self._remedy))
        self.hide()

    def offer(self, series: Series) -> None:
        """Offers what can be loaded instead of a series; hides if nothing can."""
        self._remedy = series.remedy if series.refusal is not None else None
        self.setVisible(self._remedy is not None)
        if self._remedy is None:
            return
        computed = any(problem.code is Code.RESAMPLED for problem in self._remedy.problems)
        self.setText("Load with computed slices" if computed else "Load in assumed order")
        self.setToolTip("\n".join(str(problem) for problem in self._remedy.problems))
        self.setAccessibleName(f"{self.text()}: {series.label}")
