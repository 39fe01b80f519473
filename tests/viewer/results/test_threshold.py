from __future__ import annotations

from dataclasses import replace

import pytest
from qtpy.QtCore import Qt

from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.viewer.results.threshold import ONE_REGION, OWN, ThresholdControl
from tests.heads import anomaly_of, head


@pytest.fixture
def anomaly() -> AnomalyMap:
    return anomaly_of(head(0))


@pytest.fixture
def control(qtbot, anomaly: AnomalyMap) -> ThresholdControl:
    widget = ThresholdControl()
    qtbot.addWidget(widget)
    widget.show_levels(anomaly, 3.0)
    widget.show()
    return widget


def test_one_false_region_is_chosen_at_first(control: ThresholdControl) -> None:
    assert control.choice.currentText() == ONE_REGION
    assert control.level == control.value_box.value() == 1.5


def test_choices_are_the_calibrated_levels(qtbot, control: ThresholdControl, anomaly: AnomalyMap) -> None:
    texts = [control.choice.itemText(at) for at in range(control.choice.count())]
    assert texts == [ONE_REGION, "1 % of normal pixels", "5 % of normal pixels", OWN]
    # A share of 10 ** -v of the pixels of the made-up normal scans reaches v.
    for key, level, share in ((Qt.Key.Key_Down, 2.0, "1 %"), (Qt.Key.Key_Down, 1.301, "5 %")):
        with qtbot.waitSignal(control.level_changed) as changed:
            qtbot.keyClick(control.choice, key)
        assert changed.args == [pytest.approx(level, abs=1e-3)]
        assert control.level == pytest.approx(level, abs=1e-3)
        assert control.value_box.value() == pytest.approx(level, abs=0.005)
        assert control.meaning(anomaly).endswith(f": {share} of the pixels of a normal scan are as high.")


def test_typed_value_is_one_s_own(qtbot, control: ThresholdControl, anomaly: AnomalyMap) -> None:
    with qtbot.waitSignal(control.level_changed) as changed:
        control.value_box.setValue(1.0)
    assert changed.args == [1.0]
    assert control.choice.currentText() == OWN
    assert control.meaning(anomaly) == "Clear below score 1: 10 % of the pixels of a normal scan are as high."


def test_new_result_starts_anew_without_a_word(qtbot, control: ThresholdControl, anomaly: AnomalyMap) -> None:
    control.value_box.setValue(0.4)
    with qtbot.assertNotEmitted(control.level_changed):
        control.show_levels(anomaly, 3.0)
    assert control.level == 1.5


@pytest.mark.parametrize(("highest", "level", "text"), [(0.09, 0.0432, "0.0432"), (3.0, 1.5, "1.50")])
def test_value_has_the_digits_that_its_scoring_needs(
    control: ThresholdControl, anomaly: AnomalyMap, highest: float, level: float, text: str
) -> None:
    control.show_levels(replace(anomaly, level_one_region=level), highest)
    assert control.value_box.text() == text
