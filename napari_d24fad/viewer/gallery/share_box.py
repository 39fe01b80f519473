"""How much a reference counts beside the others, in percent."""

from __future__ import annotations

from qtpy.QtWidgets import QSpinBox

from napari_d24fad.viewer.wheel import scroll_past

_LEAST_SHARE = 10
_FRAME_PX = 16


class ShareBox(QSpinBox):
    """A number of percent; the arrow keys step."""

    def __init__(self) -> None:
        super().__init__()
        self.setRange(_LEAST_SHARE, 100)
        self.setSingleStep(10)
        self.setSuffix(" %")
        self.setValue(100)
        self.setKeyboardTracking(False)
        scroll_past(self)
        self.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
        self.setFixedWidth(self.fontMetrics().horizontalAdvance("100 %") + _FRAME_PX)
        self.setToolTip("How much this reference counts beside the others (arrow keys step)")
