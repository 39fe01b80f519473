"""The map of volume beside the joined one, in the real widget: its own regions, its own words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_d24fad.detection.atlas.plan import Plan
from napari_d24fad.detection.channels.value import Value
from napari_d24fad.detection.channels.volume import Direction
from napari_d24fad.detection.plans import choice
from napari_d24fad.detection.plans.head_ct import head_ct_plan
from napari_d24fad.viewer.canvas.map_view import ChannelView, MapView
from napari_d24fad.viewer.dock import DetectionDock
from tests.viewer.results.examining import examine

pytestmark = pytest.mark.one_qt


def with_a_map_beside() -> Plan:
    """Returns how head CT is examined, with a second map: made in a moment, unlike that of volume."""
    plan = head_ct_plan()
    value = Value(softening=3.0, name="volume", meaning="{side} than the references")
    beside = replace(
        plan,
        name="volume",
        channels=(value,),
        weights={},
        direction=Direction.BOTH,
        sides=("larger", "smaller"),
    )
    return replace(plan, beside=(beside,))


def test_regions_of_the_map_that_is_shown_are_listed_and_can_be_gone_to(
    qtbot, dock: DetectionDock, settle, head_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(choice._PLANS, "head CT", with_a_map_beside)
    monkeypatch.setattr(choice, "head_ct_plan", with_a_map_beside)
    examine(dock, settle, head_folder)
    results, anomaly = dock.results, dock.examination.anomaly
    (volume,) = anomaly.beside
    assert volume.regions
    assert "Map of volume, beside it: p = " in results.headline
    of_joined = results.regions.rowCount(), results.regions_section.header.text()
    whole = next(channel for channel in anomaly.channels if channel.sign == 0)
    assert whole.title == "larger or smaller than the references"
    results.view_choice.choose(ChannelView(whole))
    qtbot.waitUntil(lambda: not dock.result_view.is_busy, timeout=60_000)
    assert results.regions.rowCount() == len(volume.regions)
    assert "in the map of volume" in results.regions_section.header.text()
    assert "never averaged into the joined map" in results._colours.text()
    assert "joined map alone" not in results._colours.text()
    assert not results.threshold.isEnabled()
    layer, shown = dock.maps.result_layer, dock.layers.shown
    held = dock._session.held(dock.examination)
    np.testing.assert_array_equal(layer.data, shown.in_layer_order(held.channel_map(whole)))
    # What is coloured is what is listed.
    coloured = held.channel_map(whole) >= whole.level
    assert all(coloured[region.peak_index] for region in volume.regions)
    assert layer.contrast_limits[0] == pytest.approx(volume.level_one_region)

    results.regions.setCurrentCell(0, 0)
    peak = shown.layer_index(volume.regions[0].peak_index)
    np.testing.assert_allclose(dock.maps.mark_layer.data[0], peak)
    assert dock.layers.current_slice == round(peak[shown.slice_axis])

    # *Why* tells of the map that is shown, at the peak that was chosen on it.
    results.why_section.set_unfolded(True)
    qtbot.waitUntil(lambda: results.why.place.explanation is not None, timeout=9_000)
    told = results.why.place.explanation
    assert told.place == volume.regions[0].peak_index
    assert " larger than the references on average" in results.why.place.told or (
        " smaller than the references on average" in results.why.place.told
    )
    results.view_choice.choose(MapView.SCORE)
    qtbot.waitUntil(lambda: results.why.place.explanation is not told, timeout=60_000)
    assert " brighter than the references on average" in results.why.place.told
    results.why_section.set_unfolded(False)
    results.view_choice.choose(ChannelView(whole))
    qtbot.waitUntil(lambda: not dock.result_view.is_busy, timeout=60_000)

    larger = next(channel for channel in anomaly.channels if channel.side == "larger")
    results.view_choice.choose(ChannelView(larger))
    qtbot.waitUntil(lambda: not dock.result_view.is_busy, timeout=60_000)
    assert "One part of the map of volume alone: larger than the references." in results._colours.text()
    assert results.regions.rowCount() == len(volume.regions)
    brighter = next(channel for channel in anomaly.channels if channel.side == "brighter")
    results.view_choice.choose(ChannelView(brighter))
    assert "One part of the joined map alone" in results._colours.text()
    results.view_choice.choose(MapView.SCORE)
    assert (results.regions.rowCount(), results.regions_section.header.text()) == of_joined
    assert results.threshold.isEnabled()
    assert dock.maps.mark_layer is None or not dock.maps.mark_layer.visible
