from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_d24fad.export.nifti import nifti_affine
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.orientation import canonical_orientation
from napari_d24fad.viewer.canvas.map_view import MapView
from napari_d24fad.viewer.dock import DetectionDock
from tests.heads import LESION, head
from tests.viewer.results.examining import examine

pytestmark = pytest.mark.usefixtures("kept_features")

Settle = Callable[[DetectionDock], None]


def click_row(qtbot, dock: DetectionDock, row: int) -> None:
    table = dock.results.regions
    place = table.visualItemRect(table.item(row, 2)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)


def check_escape_while_a_distance_is_drawn(
    qtbot, monkeypatch: pytest.MonkeyPatch, dock: DetectionDock
) -> None:
    """Escape stops the drawing, and scores come back: what is not drawn yet would read as normal."""
    draw, tokens, reached, go_on = dock._session.draw_distance, [], threading.Event(), threading.Event()

    def draw_one_and_wait(*given: Any) -> float:
        tokens.append(given[-1])
        if len(tokens) == 2:
            reached.set()
            assert go_on.wait(60)
        return draw(*given)

    layer, scores = dock.maps.result_layer, np.array(dock.maps.result_layer.data)
    limits = layer.contrast_limits
    with monkeypatch.context() as patched:
        patched.setattr(dock._session, "draw_distance", draw_one_and_wait)
        dock.results.view_choice.choose(MapView.SSD)
        assert reached.wait(60)
        qtbot.waitUntil(lambda: bool(layer.data[dock.layers.current_slice].any()), timeout=60_000)
        assert not layer.data.any(axis=(1, 2)).all(), "most slices are still to come"
        qtbot.keyClick(dock, Qt.Key.Key_Escape)
        assert tokens[1].cancelled
        assert dock.results.view_choice.view is MapView.SCORE
        np.testing.assert_array_equal(layer.data, scores)
        go_on.set()
        qtbot.waitUntil(lambda: not dock.result_view.is_busy, timeout=60_000)
    assert len(tokens) == 2, "nothing more is drawn"
    np.testing.assert_array_equal(layer.data, scores)
    assert layer.contrast_limits == limits


def test_examination_is_looked_into(
    qtbot, monkeypatch: pytest.MonkeyPatch, dock: DetectionDock, settle: Settle, study_folder: Path
) -> None:
    examine(dock, settle, study_folder)
    viewer, results, anomaly = dock._viewer, dock.results, dock.examination.anomaly
    shown, layer = dock.layers.shown, dock.maps.result_layer
    assert layer.contrast_limits[0] == pytest.approx(anomaly.level_one_region)
    assert results.regions.rowCount() == len(anomaly.regions) > 0

    # A region leads to its peak, which lies in the lesion.
    click_row(qtbot, dock, 0)
    peak = anomaly.regions[0].peak_index
    assert int(shown.slice_order[dock.layers.current_slice]) == peak[0]
    assert all(part.start <= at < part.stop for part, at in zip(LESION, peak, strict=True))
    mark = dock.maps.mark_layer
    place = tuple(int(at) for at in mark.data[0])
    np.testing.assert_array_equal(mark.data_to_world(place), layer.data_to_world(place))
    assert layer.data[place] == anomaly.regions[0].peak
    assert mark.units == layer.units

    # The threshold moves at once, the regions follow, and nothing is encoded or compared again.
    data = layer.data
    box = results.threshold.choice
    box.setCurrentIndex(box.findText("5 % of normal pixels"))
    started = time.thread_time()  # of this thread, whatever else the computer does
    box.activated.emit(box.currentIndex())
    assert time.thread_time() - started < 0.1
    assert layer.contrast_limits[0] == pytest.approx(anomaly.levels_by_rate[0.05])
    assert layer.data is data
    assert not mark.visible, "what it marked may be no region any more"
    qtbot.waitUntil(lambda: not dock.result_view.is_busy, timeout=60_000)
    assert f"above {anomaly.levels_by_rate[0.05]:.3g} " in results.regions_section.header.text()
    results.threshold.value_box.setValue(results.threshold.value_box.maximum())
    qtbot.waitUntil(lambda: results.regions.rowCount() == 0, timeout=60_000)
    box.setCurrentIndex(0)
    box.activated.emit(0)
    assert results.regions.rowCount() == len(anomaly.regions)

    # p-values have the same clear part, and the canvas says what the numbers are.
    expected = -np.log10(shown.in_layer_order(anomaly.p_map()))
    results.view_choice.choose(MapView.P_VALUE)
    at = dock.layers.current_slice
    np.testing.assert_array_equal(layer.data[at], expected[at])  # the slice that is shown, at once
    qtbot.waitUntil(lambda: not dock.result_view.is_busy, timeout=60_000)
    np.testing.assert_array_equal(layer.data, expected)
    coloured = np.nan_to_num(layer.data) >= layer.contrast_limits[0]
    above = np.nan_to_num(shown.in_layer_order(anomaly.values)) >= anomaly.level_one_region
    assert (coloured != above).mean() < 0.001
    assert "−log10 p" in viewer.canvas.overlays.text.text

    # Why: explained for the slice the slider rests at, also as a map.
    assert not results.why.bars.isVisible()
    results.why_section.set_unfolded(True)
    qtbot.waitUntil(results.why.bars.isVisible, timeout=60_000)
    assert results.why.caption("query") == f"Slice {dock.layers.current_slice + 1}"
    assert "P30" in results.why.message, "slices of this kind of scan are compared by their level only"
    reference = int(anomaly.weights[peak[0]].mean(axis=1).argmax())
    place = results.why.bars.group(reference).center().toPoint()
    qtbot.mouseClick(results.why.bars, Qt.MouseButton.LeftButton, pos=place)
    pointed = [card for card in dock.gallery._cards() if card.property("pointed")]
    assert [card.series for card in pointed] == [dock.examination.request.references[reference]]
    results.view_choice.choose(MapView.SCORE)
    check_escape_while_a_distance_is_drawn(qtbot, monkeypatch, dock)
    results.view_choice.choose(MapView.SSD)
    at = dock.layers.current_slice
    qtbot.waitUntil(lambda: bool(layer.data[at].any()), timeout=60_000)  # the slice that is shown first
    told = dock._session.explain(dock.examination, int(shown.slice_order[at]), CancelToken())
    upright = np.nan_to_num(told.maps["SSD"])[np.newaxis]
    expected = shown.in_layer_order(canonical_orientation(shown.scan).invert(upright))[0]
    np.testing.assert_allclose(layer.data[at], expected, atol=1e-6)
    qtbot.waitUntil(lambda: not dock.result_view.is_busy, timeout=60_000)
    examined = np.isfinite(anomaly.slice_scores[shown.slice_order])
    assert (layer.data.reshape(len(examined), -1).max(axis=1) > 0).tolist() == examined.tolist()
    qtbot.keyClick(dock, Qt.Key.Key_Escape)
    assert results.view_choice.view is MapView.SSD, "a map that is drawn stays"
    assert layer.contrast_limits == [0, pytest.approx(float(layer.data.max()))]
    assert "SSD" in viewer.canvas.overlays.text.text
    results.view_choice.choose(MapView.TSD)
    qtbot.waitUntil(lambda: not dock.result_view.is_busy, timeout=60_000)
    assert layer.data.max() > 0
    assert dock.result_view.legend.limits == (0, pytest.approx(float(layer.data.max())))
    results.view_choice.choose(MapView.SCORE)
    assert layer.visible
    np.testing.assert_array_equal(layer.data, shown.in_layer_order(anomaly.values))


@pytest.fixture
def study_with_bad_reference(tmp_path: Path) -> Path:
    """A scan to examine and five references, the third with a lesion of its own."""
    for number in range(6):
        place = tmp_path / ("query" if number == 0 else f"reference-{number}")
        place.mkdir()
        scan = head(number, lesion=number in (0, 3))
        image = nibabel.Nifti1Image(np.asarray(scan.voxels).T, nifti_affine(scan.affine))
        image.header.set_xyzt_units("mm")
        nibabel.save(image, place / "scan.nii.gz")
    return tmp_path


def test_flagged_reference_is_left_out_and_the_examination_follows(
    qtbot, dock: DetectionDock, settle: Settle, study_with_bad_reference: Path
) -> None:
    examine(dock, settle, study_with_bad_reference)
    before = dock.examination
    cards = {card.series.source.parent.name: card for card in dock.gallery._cards()}
    assert [name for name, card in cards.items() if not card.flag.isHidden()] == ["reference-3"]
    assert "Reference 3 differs from the others" in dock.results._warnings.text()
    qtbot.mouseClick(cards["reference-3"].flag.leave_out_button, Qt.MouseButton.LeftButton)
    settle(dock)
    after = dock.examination
    assert len(after.request.references) == 4
    assert after.anomaly.score > before.anomaly.score, "the lesion is no longer found normal"
    assert cards["reference-3"].flag.text.startswith("Left out")
