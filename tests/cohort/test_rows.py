"""Rows, months and scanners: what they tell, and what they do not."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest

from napari_d24fad.cohort.acquired import acquired
from napari_d24fad.cohort.item import Item, Shard
from napari_d24fad.cohort.overview import save_overview
from napari_d24fad.cohort.place import CohortPlace
from napari_d24fad.cohort.row import Row
from napari_d24fad.cohort.said import statements
from napari_d24fad.cohort.table import ranked
from napari_d24fad.studies.study import open_study
from tests.studies.phantom import slice_datasets, write_series


def test_a_row_comes_back_as_it_was() -> None:
    row = Row(case="a", number=1, score=1.5, sizes=(2.5, 1.0), size_unit="mm3", warnings=("P12",), month=7)
    again = Row.read(row.as_json().replace("{", '{"of a later version": 1, ', 1))
    told, expected = dataclasses.asdict(again), dataclasses.asdict(row)
    assert math.isnan(told.pop("p_value"))
    assert math.isnan(expected.pop("p_value"))
    assert str(told) == str(expected)


def test_months_keep_order_and_distance_and_scanners_are_told_apart(tmp_path: Path) -> None:
    found = []
    for name, date, station in (("a", "20251105", "CT1"), ("b", "20260228", "CT1"), ("c", "20260201", "CT2")):
        slices = slice_datasets()
        for each in slices:
            each.AcquisitionDate, each.StationName, each.Manufacturer = date, station, "Maker"
        write_series(tmp_path / name, slices)
        found.append(acquired(open_study(tmp_path / name).series[0], b"salt"))
    first, later, other = found
    assert first.month is not None
    assert [later.month, other.month] == [first.month + 3] * 2
    assert first.scanner == later.scanner != other.scanner
    assert first.month != acquired(open_study(tmp_path / "a").series[0], b"other salt").month
    assert (first.month_stated, first.station.split(", ")[:2]) == ("2025-11", ["Maker", "CT1"])
    rows = [
        Row(case=str(at), number=at, score=1.0, month=each.month, scanner=each.scanner)
        for at, each in enumerate(found)
    ]
    assert [(each.row.month, each.row.scanner) for each in ranked(rows)] == [(0, "1"), (3, "1"), (3, "2")]


def test_drift_of_a_scanner_is_said() -> None:
    rows = [
        Row(case=str(at), number=at, score=at % 5 + 3.0 * (at % 2), p_value=1 / 9, p_floor=1 / 9,
            month=at // 4, scanner=("old", "new")[at % 2])
        for at in range(40)
    ]  # fmt: skip
    said = statements(ranked(rows))
    assert "40 score higher than all 8 references; of as many normal scans about 4 would." in said
    assert any("flagged are 0 at 5 %, 0 at 10 %, 40 at 20 %" in each for each in said)
    assert "Scores of 2 scanners, by rank: p 0.003." in said
    assert sum("p 1." in each for each in said) == 2  # neither trend nor step


def test_what_a_row_says_is_text_on_the_page(tmp_path: Path) -> None:
    place = CohortPlace.begin(tmp_path / "cohort", {}, resume=False)
    row = Row(case="a" * 20, number=1, score=1.0, label="<script>alert(1)</script>")
    assert save_overview(place, ranked([row] * 1100), ["<b>"]) == 3
    page = (place.folder / "overview-3.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert page.count('<td class="number">1.00</td>') == 100
    assert 'href="overview.html"' in page


@pytest.mark.parametrize("of", [1, 7])
def test_shards_are_all_cases(of: int) -> None:
    keys = [Item(number, f"/scans/{number}").key(b"salt") for number in range(200)]
    shards = [[key for key in keys if Shard(index, of).has(key)] for index in range(1, of + 1)]
    assert sorted(key for shard in shards for key in shard) == sorted(keys)
    assert len(set(keys)) == 200
    assert all(key != Item(0, "/scans/0").key(b"another") for key in keys)
