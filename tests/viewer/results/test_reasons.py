"""Why, of a map that was made place by place: the aligned reference, its numbers, and the flicker."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_d24fad.detection.atlas.why import aligned_slice
from napari_d24fad.viewer.canvas.screenshot import canvas_picture
from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.results.place_panel import PlacePanel

pytestmark = pytest.mark.one_qt


def explained(qtbot, dock: DetectionDock) -> PlacePanel:
    dock.results.why_section.set_unfolded(True)
    qtbot.waitUntil(lambda: not dock.result_view.is_busy, timeout=60_000)
    place = dock.results.why.place
    qtbot.waitUntil(place.isVisible, timeout=60_000)
    return place


def canvas_text(dock: DetectionDock) -> str:
    return str(dock._viewer.canvas.overlays.text.text)


def check_layout(place: PlacePanel) -> None:
    strip, value = place.strip, place.explanation.value
    assert strip.fontMetrics().horizontalAdvance(strip.words) <= strip.width()
    assert f"{value.query:+.3g}" in strip.words
    lines = [strip.geometry(), place._value.geometry(), place._alignment.geometry()]
    gaps = [below.top() - above.bottom() for above, below in pairwise(lines)]
    assert max(gaps) < 12, "room to spare belongs below, not between the lines"


def test_the_aligned_reference_stands_beside_the_scan(qtbot, examined: DetectionDock) -> None:
    dock = examined
    place = explained(qtbot, dock)
    check_layout(place)
    told, examination = place.explanation, dock.examination
    held, scan = dock._session.held(examination), examination.scan
    at = int(dock.layers.shown.slice_order[dock.layers.current_slice])
    assert told.slice_index == at
    values = np.take(examination.anomaly.values, at, axis=scan.slice_axis)
    assert examination.anomaly.values[told.place] == np.nanmax(values)
    reference = examination.request.references[told.reference_index]
    expected = aligned_slice(
        held.found.volume, held.references.scans[told.reference_index].volume, scan, reference.load(), at
    )
    np.testing.assert_array_equal(told.aligned, expected)
    assert place.reference.caption.text() == f"Ref. {told.reference_index + 1}, aligned"
    assert "placed by the box of the skull, not registered" in place.told
    assert "correlation" in place.told
    assert "HU brighter than the references on average" in place.told
    assert told.query_image.shape == told.reference_image.shape
    # The strip has the scan beyond every reference.
    value = told.value
    assert place.strip.x_of(value.query) > max(place.strip.x_of(each) for each in value.references) + 20
    assert not dock.results.why.bars.isVisible(), "features are not what this map is made of"

    other = (told.reference_index + 1) % place.choice.count()
    place.choice.setCurrentIndex(other)
    place.choice.activated.emit(other)
    qtbot.waitUntil(lambda: place.explanation.reference_index == other, timeout=60_000)
    assert not np.array_equal(place.explanation.aligned, told.aligned)
    region = examination.anomaly.regions[0]
    dock.result_view._go_to_region(region)
    qtbot.waitUntil(lambda: place.explanation.place == region.peak_index, timeout=60_000)
    assert place.explanation.reference_index == other, "the reader's choice stays"


def test_flicker_shows_one_and_the_other_and_whatever_changes_the_view_ends_it(
    qtbot, examined: DetectionDock, settle, tmp_path: Path
) -> None:
    dock = examined
    place = explained(qtbot, dock)
    viewer, flicker = dock._viewer, dock.flicker
    before, layers = canvas_picture(viewer), list(viewer.layers)
    text = canvas_text(dock)
    qtbot.mouseClick(place.flicker, Qt.MouseButton.LeftButton)
    assert flicker.shows_reference
    reference = canvas_picture(viewer)
    assert (reference != before).mean() > 0.02
    number = place.explanation.reference_index + 1
    assert f"REFERENCE {number}, ALIGNED (not the scan that is examined)" in canvas_text(dock)
    qtbot.waitUntil(lambda: not flicker.shows_reference, timeout=10_000)
    np.testing.assert_array_equal(canvas_picture(viewer), before)
    assert "REFERENCE" not in canvas_text(dock)
    qtbot.waitUntil(lambda: flicker.shows_reference, timeout=10_000)
    np.testing.assert_array_equal(canvas_picture(viewer), reference)
    # Colours of the map are not of the reference: it covers them.
    data = dock.maps.result_layer.data[dock.layers.current_slice]
    assert (np.nan_to_num(data) > dock.maps.result_layer.contrast_limits[0]).any()
    grey = reference[np.ptp(reference.astype(int), axis=2) > 40]
    coloured = before[np.ptp(before.astype(int), axis=2) > 40]
    assert len(grey) < len(coloured) / 2
    qtbot.keyClick(dock, Qt.Key.Key_F)  # while the reference is on the canvas
    assert not flicker.is_running
    np.testing.assert_array_equal(canvas_picture(viewer), before)
    assert list(viewer.layers) == layers
    assert canvas_text(dock) == text
    assert not place.flicker.isChecked()

    def save() -> None:
        dock.save_picture(tmp_path / "canvas.png")
        settle(dock)
        assert (tmp_path / "canvas.png").exists()

    def remove() -> None:
        viewer.layers.remove(next(layer for layer in viewer.layers if layer not in layers))
        qtbot.waitUntil(lambda: not dock.flicker.is_running, timeout=10_000)

    endings: dict[str, Callable[[], object]] = {
        "slice": lambda: dock.layers.go_to_slice(dock.layers.current_slice - 1),
        "escape": lambda: qtbot.keyClick(dock, Qt.Key.Key_Escape),
        "picture": save,
        "folded": lambda: dock.results.why_section.set_unfolded(False),
        "removed": remove,
        "renewed": lambda: dock.result_view.renew(dock.examination),
        "3-D": lambda: setattr(viewer.dims, "ndisplay", 3),
    }
    for ending, end in endings.items():
        explained(qtbot, dock)
        qtbot.mouseClick(place.flicker, Qt.MouseButton.LeftButton)
        assert dock.flicker.shows_reference, ending
        end()
        assert not dock.flicker.is_running, ending
        assert not place.flicker.isChecked()
        assert list(viewer.layers) == layers
        assert "REFERENCE" not in canvas_text(dock)
    qtbot.mouseClick(place.flicker, Qt.MouseButton.LeftButton)
    assert not dock.flicker.is_running, "nothing to compare in 3-D"
    viewer.dims.ndisplay = 2
    qtbot.waitUntil(lambda: not dock.result_view.is_busy, timeout=60_000)
