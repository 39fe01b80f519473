from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt

from napari_d24fad.viewer.results import ResultsPanel, highest_normal_slice, score_in_words
from tests.viewer.heads import GRID, anomaly_of, head

REVERSED = np.arange(GRID[0])[::-1]


@pytest.fixture
def panel(qtbot) -> ResultsPanel:
    widget = ResultsPanel()
    qtbot.addWidget(widget)
    widget.resize(280, 500)
    widget.show_result("MR axial", anomaly_of(head(0)), REVERSED)
    widget.show()
    return widget


def test_list_counts_slices_as_the_slider_does(panel: ResultsPanel) -> None:
    # The scan's slices 3 to 5 hold the lesion; slice 5 scores highest and is at 4 of 9 reversed.
    positions = [panel.slice_list.item(row).data(Qt.ItemDataRole.UserRole) for row in range(3)]
    assert positions == [4, 5, 6]
    assert panel.slice_list.item(0).text().startswith("Slice 5 ")


def test_only_slices_beyond_every_normal_one_are_called_so(panel: ResultsPanel) -> None:
    texts = [panel.slice_list.item(row).text() for row in range(panel.slice_list.count())]
    assert all("above normal" in text for text in texts[:3])
    assert not any("above normal" in text for text in texts[3:])
    assert len(texts) == GRID[0] - 1  # one slice was not examined


def test_click_in_the_list_asks_for_the_slice(qtbot, panel: ResultsPanel) -> None:
    place = panel.slice_list.visualItemRect(panel.slice_list.item(1)).center()
    with qtbot.waitSignal(panel.slice_requested) as asked:
        qtbot.mouseClick(panel.slice_list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert asked.args == [5]


def test_arrow_keys_walk_through_the_list(qtbot, panel: ResultsPanel) -> None:
    panel.set_slice(4)
    with qtbot.waitSignal(panel.slice_requested) as asked:
        qtbot.keyClick(panel.slice_list, Qt.Key.Key_Down)
    assert asked.args == [5]


def test_click_in_the_plot_asks_for_the_slice(qtbot, panel: ResultsPanel) -> None:
    with qtbot.waitSignal(panel.slice_requested) as asked:
        place = QPoint(round(panel.plot.x_of(7)), 30)
        qtbot.mouseClick(panel.plot, Qt.MouseButton.LeftButton, pos=place)
    assert asked.args == [7]


def test_following_the_slider_asks_for_nothing(qtbot, panel: ResultsPanel) -> None:
    with qtbot.assertNotEmitted(panel.slice_requested):
        panel.set_slice(6)
        assert panel.slice_list.currentRow() == 2
        panel.set_slice(0)  # the slice that was not examined is not in the list
        assert panel.slice_list.currentItem() is None


def test_opacity_is_a_fraction(qtbot, panel: ResultsPanel) -> None:
    with qtbot.waitSignal(panel.opacity_changed) as changed:
        panel.opacity_slider.setValue(35)
    assert changed.args == [pytest.approx(0.35)]


def test_warnings_and_notice_are_shown(panel: ResultsPanel) -> None:
    texts = [label.text() for label in panel.findChildren(type(panel._headline)) if label.isVisible()]
    assert "Some scans do not state their modality." in texts
    assert any("Research use only" in text for text in texts)


def test_single_image_needs_no_slices(panel: ResultsPanel) -> None:
    anomaly = anomaly_of(head(0))
    one = replace(anomaly, values=anomaly.values[4:5], slice_scores=anomaly.slice_scores[4:5])
    panel.show_result("image", one, np.arange(1))
    assert panel.plot.isHidden()
    assert panel.slice_list.isHidden()


def test_words_say_how_the_score_compares() -> None:
    anomaly = anomaly_of(head(0))  # references score 0.9 to 1.3
    assert score_in_words(anomaly) == (
        "Score 3.05. The 3 normal references score 0.9 to 1.3, each examined against the others. "
        "This scan is higher than all of them; by chance alone a normal scan would be so once in 4."
    )
    assert score_in_words(replace(anomaly, score=1.0)).endswith("This scan is higher than 1 of them.")
    assert score_in_words(replace(anomaly, score=0.5)).endswith("This scan is not higher than any of them.")
    nothing = replace(anomaly, reference_scores=np.full(2, np.nan, np.float32))
    assert "no reference scores" in score_in_words(nothing)


def test_highest_normal_slice_ignores_what_was_not_examined() -> None:
    anomaly = anomaly_of(head(0))
    assert highest_normal_slice(anomaly) == pytest.approx(1.3)
    nothing = replace(anomaly, reference_slice_scores=np.full((2, 3), np.nan, np.float32))
    assert highest_normal_slice(nothing) is None
