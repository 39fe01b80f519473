"""Lists of choices that are as wide as there is room: a long one must not widen what they stand in."""

from __future__ import annotations

from qtpy.QtWidgets import QComboBox, QSizePolicy

from napari_d24fad.viewer.wheel import scroll_past

_LEAST_LETTERS = 6


def narrow(box: QComboBox) -> None:
    """Lets what is around a combo box decide how wide it is, and the wheel scroll that instead of choosing.

    Args:
        box: The combo box.
    """
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(_LEAST_LETTERS)
    box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    scroll_past(box)
