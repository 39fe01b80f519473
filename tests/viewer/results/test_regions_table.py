from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_d24fad.viewer.results.regions_table import RegionsTable
from tests.heads import GRID, anomaly_of, head

REVERSED = np.arange(GRID[0])[::-1]


@pytest.fixture
def table(qtbot) -> RegionsTable:
    widget = RegionsTable()
    qtbot.addWidget(widget)
    widget.resize(290, 120)
    region = anomaly_of(head(0)).regions[0]
    small = replace(region, number=2, slices=(9, 9), volume_mm3=30.0, p_value=0.01, peak=1.7, mean=1.6)
    widget.show_regions([region, small], REVERSED, 0.25)
    widget.show()
    return widget


def texts(table: RegionsTable, row: int) -> list[str]:
    return [table.item(row, column).text() for column in range(table.columnCount())]


def test_row_says_where_how_large_and_how_unusual(table: RegionsTable) -> None:
    # The scan's slices 3 to 5 are 4 to 6 of 9 from the other end: numbers 5 to 7.
    assert texts(table, 0) == ["1", "5–7", "4.6 ml", "3", "3", "", "0.25"]
    assert texts(table, 1) == ["2", "1", "30 mm³", "1.7", "1.6", "", "0.25"]
    assert not shows(table, "By")
    assert shows(table, "Mean")
    assert "mm along the axes" in table.item(0, 2).toolTip()


def test_what_the_map_does_not_show_has_no_figures(table: RegionsTable) -> None:
    by_hand = replace(anomaly_of(head(0)).regions[0], peak=np.nan, mean=np.nan, p_value=np.nan)
    table.show_regions([by_hand], REVERSED, 0.25)
    assert texts(table, 0) == ["1", "5–7", "4.6 ml", "–", "–", "", "–"]


def shows(table: RegionsTable, heading: str) -> bool:
    headings = [table.horizontalHeaderItem(column).text() for column in range(table.columnCount())]
    return not table.isColumnHidden(headings.index(heading))


def test_row_says_by_how_much_it_departs(table: RegionsTable) -> None:
    region = replace(anomaly_of(head(0)).regions[0], meaning="brighter than the references by 24 HU")
    departing = [
        replace(region, amount=24.4, unit="HU", spreads=3.14),
        replace(region, amount=-9.6, unit="", spreads=-2.55),
        replace(region, amount=36.0, unit="grey levels", spreads=3.5),
    ]
    table.show_regions(departing, REVERSED, 0.25)
    assert [texts(table, row)[5] for row in range(3)] == ["+24 HU", "−2.5 ×", "+3.5 ×"]
    assert shows(table, "By")
    assert not shows(table, "Mean"), "the dock is narrow"
    assert table.item(0, 5).toolTip().startswith("Brighter than the references by 24 HU. Extent")
    assert table.horizontalHeader().length() <= table.viewport().width()


def test_click_asks_for_the_region_and_asks_again(qtbot, table: RegionsTable) -> None:
    place = table.visualItemRect(table.item(1, 2)).center()
    for _ in range(2):
        with qtbot.waitSignal(table.region_requested) as asked:
            qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
        assert asked.args[0].number == 2


def test_arrow_keys_walk_through_the_regions(qtbot, table: RegionsTable) -> None:
    table.setFocus()
    for number in (1, 2):
        with qtbot.waitSignal(table.region_requested) as asked:
            qtbot.keyClick(table, Qt.Key.Key_Down)
        assert asked.args[0].number == number


def test_filling_asks_for_nothing(qtbot, table: RegionsTable) -> None:
    with qtbot.assertNotEmitted(table.region_requested):
        table.show_regions(anomaly_of(head(0)).regions, REVERSED, 0.25)
        table.show_regions((), REVERSED, 0.25)
    assert table.rowCount() == 0


def test_every_column_is_readable_in_a_narrow_dock(table: RegionsTable) -> None:
    metrics = table.fontMetrics()
    for column, text in enumerate(texts(table, 0)):
        assert table.columnWidth(column) >= metrics.horizontalAdvance(text)
    assert sum(table.columnWidth(column) for column in range(6)) <= table.viewport().width()


def test_single_image_has_no_slices(table: RegionsTable) -> None:
    region = replace(anomaly_of(head(0)).regions[0], slices=(0, 0), volume_mm3=None, area_mm2=12.0)
    table.show_regions([region], np.arange(1), 0.25)
    assert table.isColumnHidden(1)
    assert table.item(0, 2).text() == "12 mm²"
