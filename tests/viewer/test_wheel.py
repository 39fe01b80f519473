from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import (
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QScrollBar,
    QSpinBox,
    QWidget,
)

from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.gallery.layer_series import layer_series
from napari_d24fad.viewer.gallery.roles import Role
from napari_d24fad.viewer.results.threshold import OWN, ThresholdControl
from napari_d24fad.viewer.wheel import scroll_past
from tests.heads import anomaly_of, head

UP = 120


def turn(widget: QWidget, angle: int = UP) -> bool:
    """Turns the wheel over the middle of a widget; returns whether that took it.

    Otherwise Qt gives it to what is around, as long as the turn is one of a real mouse.
    """
    place = widget.rect().center()
    event = QWheelEvent(
        QPointF(place),
        QPointF(widget.mapToGlobal(place)),
        QPoint(),
        QPoint(0, angle),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    event.accept()
    QApplication.sendEvent(widget, event)
    return bool(event.isAccepted())


def value_of(widget: QWidget) -> object:
    return widget.currentIndex() if isinstance(widget, QComboBox) else widget.value()


def test_no_value_in_the_dock_follows_a_wheel_that_passes(qtbot, dock: DetectionDock) -> None:
    series = layer_series(Image(np.asarray(head(0).voxels)))
    dock.gallery.set_section("Study", [series])
    dock.gallery.set_role(series, Role.REFERENCE)
    dock.results.show()
    dock.results.threshold.show_levels(anomaly_of(head(0)), 3.0, OWN)
    dock.run_panel.settings.set_models([(name, name) for name in ("one", "two", "three")])
    dock.run_panel.settings.set_devices([("cpu", "CPU"), ("cuda:0", "GPU")])
    kinds = (QComboBox, QAbstractSpinBox, QAbstractSlider)
    found = [
        widget for kind in kinds for widget in dock.findChildren(kind) if not isinstance(widget, QScrollBar)
    ]
    assert len(found) >= 10, "share, two of threshold, two of view, model, device, three of window"
    for widget in found:
        before = value_of(widget)
        for angle in (UP, -UP, -UP):
            assert not turn(widget, angle), "it scrolls the panel instead"
            assert value_of(widget) == before, widget.accessibleName()
        assert not widget.hasFocus()
        assert widget.focusPolicy() == Qt.FocusPolicy.StrongFocus, "the wheel would give it the focus"


@pytest.mark.parametrize("is_edited", [True, False])
def test_a_box_that_is_being_edited_steps(qtbot, is_edited: bool) -> None:
    box = QSpinBox()
    scroll_past(box)
    qtbot.addWidget(box)
    with qtbot.waitExposed(box):
        box.show()
    box.activateWindow()
    if is_edited:
        box.setFocus()
        qtbot.waitUntil(box.hasFocus)
    else:
        box.clearFocus()
    assert turn(box) is is_edited
    assert box.value() == (1 if is_edited else 0)


def test_the_threshold_never_follows_the_wheel(qtbot) -> None:
    threshold = ThresholdControl()
    qtbot.addWidget(threshold)
    threshold.show_levels(anomaly_of(head(0)), 3.0, OWN)
    threshold.show()
    qtbot.waitExposed(threshold)
    threshold.activateWindow()
    threshold.value_box.setFocus()
    qtbot.waitUntil(threshold.value_box.hasFocus)
    before = threshold.value_box.value()
    assert not turn(threshold.value_box)
    assert threshold.value_box.value() == before
