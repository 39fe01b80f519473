"""Chooses the value from which a map is shown, by what it means in a normal scan."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QWidget

from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.viewer.narrow import NarrowBox
from napari_d24fad.viewer.wheel import scroll_past

OWN = "Own value"
_AROUND_DIGITS_PX = 20
ONE_REGION = "At most 1 false region"


class ThresholdControl(QWidget):
    """Calibrated choices and a free value, in units of the anomaly score."""

    level_changed = Signal(float)
    """The value from which the map is shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choice = NarrowBox()
        self._choice.setAccessibleName("Threshold")
        self._choice.setToolTip(
            "From which score the map is coloured and regions are listed: the score above which a normal "
            "scan shows at most one region, or which a share of its pixels reaches. Known from the "
            "references, each examined against the others."
        )
        self._value = QDoubleSpinBox()
        self._value.setAccessibleName("Threshold as an anomaly score")
        self._value.setToolTip("The threshold as an anomaly score; change it to choose your own")
        self._value.setKeyboardTracking(False)
        # The choices need the room; the arrow keys step as well.
        self._value.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
        digits = self._value.fontMetrics().horizontalAdvance("0.000000")
        self._value.setFixedWidth(digits + _AROUND_DIGITS_PX)
        scroll_past(self._value, always=True)  # what is coloured changes on purpose alone
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._choice, 1)
        layout.addWidget(self._value)
        self._choice.activated.connect(self._on_choice)
        self._value.valueChanged.connect(self._on_value)

    @property
    def choice(self) -> QComboBox:
        """The choices; each item's user data is its value, None for the free one."""
        return self._choice

    @property
    def value_box(self) -> QDoubleSpinBox:
        """The value, which can be changed."""
        return self._value

    @property
    def level(self) -> float:
        """The value from which the map is shown."""
        chosen = self._choice.currentData()
        return float(self._value.value() if chosen is None else chosen)

    def meaning(self, anomaly: AnomalyMap, *, outlined: bool = False) -> str:
        """Says in a sentence what the threshold means in a normal scan.

        Args:
            anomaly: The result that `show_levels` was given.
            outlined: Whether regions are outlined and not filled.
        """
        where = f"The orange line is around scores of {self.level:.3g} and above"
        if outlined and anomaly.channels:
            where += " in the joined map"
        elif not outlined:
            where = f"Clear below score {self.level:.3g}"
        if self._choice.currentText() == ONE_REGION:
            told = "a normal scan shows at most one region above it"
        elif anomaly.calibration is None:
            return f"{where}."
        else:
            share = 100 * float(anomaly.calibration.p_values(np.array([self.level], np.float32))[0])
            told = f"{share:.2g} % of the pixels of a normal scan are as high"
        return f"{where}: {told}."

    def show_levels(self, anomaly: AnomalyMap, highest: float, chosen: str = ONE_REGION) -> None:
        """Offers the levels of a result; emits nothing.

        Args:
            anomaly: The result.
            highest: The upper end of its colour scale.
            chosen: The choice to make, by its text; a value of the user's own stays what it is.
        """
        own = self._value.value()
        with QSignalBlocker(self._value):
            self._choice.clear()
            for text, level in calibrated_levels(anomaly).items():
                self._choice.addItem(text, level)
            self._choice.addItem(OWN, None)
            self._choice.setCurrentIndex(max(0, self._choice.findText(chosen)))
            # Three digits, whatever the scale of the scoring.
            decimals = int(np.clip(2 - np.floor(np.log10(max(highest, 1e-4))), 2, 6))
            self._value.setDecimals(decimals)
            calibrated = self._choice.currentData()
            level = own if calibrated is None else float(calibrated)
            self._value.setRange(0.0, max(highest, level) * 2)
            self._value.setSingleStep(max(10.0**-decimals, round(highest / 50, decimals)))
            self._value.setValue(level)

    def _on_choice(self) -> None:
        with QSignalBlocker(self._value):
            self._value.setValue(self.level)
        self.level_changed.emit(self.level)

    def _on_value(self) -> None:
        self._choice.setCurrentIndex(self._choice.findText(OWN))
        self.level_changed.emit(self.level)


def calibrated_levels(anomaly: AnomalyMap) -> Mapping[str, float]:
    """Returns the levels that mean something, by what they mean."""
    rates = {
        f"{100 * rate:g} % of normal pixels": level for rate, level in sorted(anomaly.levels_by_rate.items())
    }
    return {ONE_REGION: anomaly.level_one_region, **rates}
