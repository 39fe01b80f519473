from __future__ import annotations

import pytest
from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QComboBox, QProgressBar

from napari_d24fad.viewer.running.run_panel import RunPanel


class _Paints(QObject):
    """How often a widget was painted."""

    count = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        self.count += event.type() == QEvent.Type.Paint
        return False


@pytest.fixture
def panel(qtbot) -> RunPanel:
    widget = RunPanel()
    qtbot.addWidget(widget)
    qtbot.addWidget(widget.settings)
    widget.resize(280, 300)
    widget.show()
    return widget


def device_box(panel: RunPanel) -> QComboBox:
    return next(box for box in panel.settings.findChildren(QComboBox) if box.accessibleName() == "Device")


def test_first_model_is_chosen(panel: RunPanel) -> None:
    assert panel.model == ""
    panel.settings.set_models([("compact", "Embedded"), ("large", "Slower")])
    assert panel.model == "compact"


def test_devices_join_the_automatic_choice_and_keep_what_is_chosen(panel: RunPanel) -> None:
    assert panel.device == "auto"
    panel.settings.set_devices([("cuda:0", "NVIDIA H100"), ("cpu", "CPU")])
    assert panel.device == "auto"
    box = device_box(panel)
    box.setCurrentIndex(box.findText("NVIDIA H100"))
    assert panel.device == "cuda:0"
    panel.settings.set_devices([("cuda:0", "NVIDIA H100"), ("cpu", "CPU")])
    assert panel.device == "cuda:0"
    panel.settings.set_devices([("cpu", "CPU")])
    assert panel.device == "auto"
    assert box.count() == 2


def test_devices_are_asked_for_when_the_list_is_opened(qtbot, panel: RunPanel) -> None:
    with qtbot.waitSignal(panel.settings.devices_requested):
        device_box(panel).showPopup()
    device_box(panel).hidePopup()


def test_a_long_device_name_does_not_widen_the_dock(panel: RunPanel) -> None:
    before = panel.minimumSizeHint().width()
    panel.settings.set_devices([("cuda:0", "NVIDIA RTX PRO 6000 Blackwell Server Edition, 96 GB " * 3)])
    device_box(panel).setCurrentIndex(1)
    assert panel.settings.minimumSizeHint().width() <= 280
    panel.set_busy("Encoding reference 1 of a very long list of references " * 3, fraction=0.5)
    assert panel.minimumSizeHint().width() <= max(before, 280)


def test_busy_offers_cancel_and_idle_offers_run(panel: RunPanel) -> None:
    assert not panel.is_busy
    panel.set_busy("Comparing slices", fraction=0.25)
    assert panel.is_busy
    assert not panel.run_button.isEnabled()
    assert panel.cancel_button.isVisible()
    panel.set_idle()
    assert panel.run_button.isEnabled()
    assert not panel.cancel_button.isVisible()


def test_message_can_be_read_and_taken_away(panel: RunPanel) -> None:
    panel.show_error("P01: At least two normal reference scans are needed.")
    assert panel.message.startswith("P01")
    panel.show_note("Stopped.")
    assert panel.message == "Stopped."
    panel.clear_message()
    assert panel.message == ""


def test_progress_is_painted_with_what_else_changed_not_at_once(qtbot, panel: RunPanel) -> None:
    panel.set_busy("Comparing slices", fraction=0.25)
    bar = panel.findChild(QProgressBar)
    qtbot.waitExposed(bar)
    painted = _Paints()
    bar.installEventFilter(painted)
    panel.set_busy("Comparing slices", fraction=0.75)
    assert painted.count == 0  # else the window, with its canvas, was painted for each report
    qtbot.waitUntil(lambda: painted.count > 0)
    assert bar.value() == 0.75 * bar.maximum()
