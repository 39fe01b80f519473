from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt

from napari_d24fad.viewer.canvas.map_view import MapView
from napari_d24fad.viewer.results.panel import ResultsPanel
from tests.heads import GRID, anomaly_of, head

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
    assert panel.slice_list.item(0).text() == "Slice 5: p 0.25, score 3.06, above every normal slice"


def test_only_slices_beyond_every_normal_one_are_called_so(panel: ResultsPanel) -> None:
    texts = [panel.slice_list.item(row).text() for row in range(panel.slice_list.count())]
    assert all("above every normal slice" in text for text in texts[:3])
    assert not any("above every normal slice" in text for text in texts[3:])
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


def test_warnings_are_shown(panel: ResultsPanel) -> None:
    texts = [label.text() for label in panel.findChildren(type(panel._headline)) if label.isVisible()]
    assert "P10: Some scans do not state their modality." in texts


def test_single_image_needs_no_slices(panel: ResultsPanel) -> None:
    anomaly = anomaly_of(head(0))
    one = replace(anomaly, values=anomaly.values[4:5], slice_scores=anomaly.slice_scores[4:5])
    panel.show_result("image", one, np.arange(1))
    assert panel.plot.isHidden()
    assert panel.slices_section.isHidden()


def test_result_is_stated_with_its_p_value(panel: ResultsPanel) -> None:
    assert panel.headline.startswith("p = 0.25, the smallest that 3 references can give (1 in 4)")
    assert "p ≥ 0.25" in panel.slices_section.header.text()


def test_regions_are_counted_with_their_threshold(panel: ResultsPanel) -> None:
    anomaly = anomaly_of(head(0))
    for regions, title in (
        (anomaly.regions, "1 region above 1.5 (smallest p 0.25)"),
        (anomaly.regions * 2, "2 regions above 1.5 (smallest p 0.25)"),
        ((), "No region above 1.5 (smallest p 0.25)"),
    ):
        panel.show_regions(regions, 1.5, REVERSED, 0.25)
        assert panel.regions_section.header.text() == title
        assert panel.regions.rowCount() == len(regions)


def test_colours_are_explained_with_the_threshold_only_where_it_applies(panel: ResultsPanel) -> None:
    anomaly = anomaly_of(head(0))
    panel.threshold.show_levels(anomaly, 3.0)
    told = {}
    for view in MapView:
        panel.explain_colours(view, anomaly)
        told[view] = panel.colours_text
    assert told[MapView.SCORE].endswith(
        "Clear below score 1.5: a normal scan shows at most one region above it."
    )
    assert "at 2, 1 % of a normal scan's pixels" in told[MapView.P_VALUE]
    assert "Clear below" not in told[MapView.SSD] + told[MapView.TSD]
    panel.look.fill.setCurrentIndex(1)
    assert panel.colours_text == (
        "The orange line is around scores of 1.5 and above: a normal scan shows at most one region above it."
    )
    panel.look.fill.setCurrentIndex(0)
    assert panel.colours_text == told[MapView.TSD]


def test_folded_parts_leave_a_low_screen(qtbot, panel: ResultsPanel) -> None:
    before = panel.sizeHint().height()
    for section in (panel.slices_section, panel.regions_section):
        section.set_unfolded(False)
    assert panel.slice_list.isHidden()
    qtbot.waitUntil(lambda: panel.sizeHint().height() < before - 100)
    assert panel.minimumSizeHint().width() <= 290
