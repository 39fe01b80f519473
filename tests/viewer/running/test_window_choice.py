from __future__ import annotations

import numpy as np
import pytest

from napari_d24fad.studies.scan import Scan, SeriesIdentity
from napari_d24fad.viewer.running.run_settings import RunSettings
from napari_d24fad.viewer.running.window_choice import WindowChoice


def scan(modality: str, body_part: str = "") -> Scan:
    identity = SeriesIdentity(body_part=body_part)
    return Scan(np.zeros((2, 3, 4)), np.eye(4), modality=modality, identity=identity)


@pytest.fixture
def settings(qtbot) -> RunSettings:
    widget = RunSettings()
    qtbot.addWidget(widget)
    widget.resize(280, 300)
    widget.show()
    return widget


@pytest.fixture
def choice(settings: RunSettings) -> WindowChoice:
    return settings.ct_window


def test_only_ct_has_a_choice_of_windows(choice: WindowChoice) -> None:
    assert not choice.isVisible()
    choice.show_for(scan("CT", "CHEST"))
    assert choice.isVisible()
    assert choice.label.isVisible()
    assert choice.choice.currentText() == "Usual: lung -1350 to 150 and soft tissue -160 to 240 HU"
    assert choice.window is None
    choice.choice.setCurrentIndex(choice.choice.findText("Bone, -450 to 1050 HU"))
    assert choice.window == (-450, 1050)
    choice.show_for(scan("MR"))
    assert not choice.isVisible()
    assert not choice.label.isVisible()
    assert choice.window is None


def test_a_window_of_the_readers_own(choice: WindowChoice, qtbot) -> None:
    choice.show_for(scan("CT"))
    assert not choice.low.isVisible()
    with qtbot.waitSignal(choice.window_changed):
        choice.choice.setCurrentIndex(choice.choice.findText("Custom"))
    assert choice.low.isVisible()
    with qtbot.waitSignal(choice.window_changed):
        choice.low.setValue(-1024)
    choice.high.setValue(200)
    assert choice.window == (-1024, 200)
    choice.low.setValue(500)  # white stays above black
    assert choice.window == (199, 200)


def test_it_does_not_widen_the_dock(settings: RunSettings, choice: WindowChoice) -> None:
    narrowest = settings.minimumSizeHint().width()
    choice.show_for(scan("CT", "CHEST"))
    choice.choice.setCurrentIndex(choice.choice.count() - 1)
    assert settings.minimumSizeHint().width() <= max(narrowest, 280)
