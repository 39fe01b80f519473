"""Scans known to be abnormal, marked after a run: map and numbers follow at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_d24fad.detection.detector import Detector
from napari_d24fad.errors import Cancelled, Code
from napari_d24fad.session.request import Examination
from napari_d24fad.studies.study import open_study
from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.dock_body import Page
from napari_d24fad.viewer.gallery.roles import Role
from tests.evaluation.images import SIDE, lesion_of, picture, write
from tests.viewer.study_in_dock import click

pytestmark = [pytest.mark.one_qt, pytest.mark.usefixtures("kept_features")]

NORMAL, ABNORMAL = range(5), (20, 21, 22, 23)
QUERY, NORMAL_TOO = 40, 50


@pytest.fixture
def found(
    dock: DetectionDock, settle: Callable[[DetectionDock], None], tmp_path: Path
) -> tuple[DetectionDock, Examination]:
    """The widget with an image that has a lesion, examined among five normal ones; four more have one."""
    write(tmp_path, picture(QUERY, lesion=True), *(picture(seed) for seed in NORMAL))
    known = (picture(QUERY, lesion=True), picture(NORMAL_TOO))
    write(tmp_path / "known", *(picture(seed, lesion=True) for seed in ABNORMAL), *known)
    files = sorted(tmp_path.glob("*.png")) + sorted(tmp_path.glob("known/*.png"))
    dock.filling.add_study([open_study(path).series[0] for path in files])
    settle(dock)
    query, *others = dock.gallery.series
    dock.gallery.set_role(query, Role.QUERY)
    for each in others[: len(NORMAL)]:
        dock.gallery.set_role(each, Role.REFERENCE)
    dock.run()
    settle(dock)
    assert dock.examination is not None
    assert dock.results.examples_text == ""
    return dock, dock.examination


def mark(qtbot, dock: DetectionDock, number: int) -> None:
    """Presses A on a card of the last ones: four with a lesion, a copy of the query, and a normal scan."""
    box = dock.gallery.card(dock.gallery.series[1 + len(NORMAL) + number]).abnormal_box
    box.setFocus()
    qtbot.keyClick(box, Qt.Key.Key_A)


def tell_why(qtbot, dock: DetectionDock) -> None:
    """Unfolds *Why*: it frames the lesion in the scan and in the example that it is most like."""
    dock.results.why_section.set_unfolded(True)
    panel = dock.results.why.example
    qtbot.waitUntil(lambda: panel.isVisible() and not dock.result_view.is_busy, timeout=60_000)
    evidence = dock.examination.anomaly.examples
    example = evidence.nearest
    assert f"Most like abnormal example {example + 1}" in panel.told
    assert "Lesion…" in panel.told  # nobody said where that is
    for frame, patch, seed in (
        (panel.query, evidence.place, QUERY),
        (panel.example, evidence.example_place, ABNORMAL[example]),
    ):
        assert lesion_of(seed)[patch.centre[1:]]
        image = frame.picture.pixmap().toImage()
        rows, columns = (
            np.array([first, last + 1]) * length / SIDE
            for first, last, length in zip(
                patch.first[1:], patch.last[1:], (image.height(), image.width()), strict=True
            )
        )
        edge = image.pixelColor(round(columns.mean()), round(rows[0]))
        middle = image.pixelColor(round(columns.mean()), round(rows.mean()))
        assert edge.saturation() > 60
        assert middle.saturation() == 0
    assert panel.example.caption.text() == f"Example {example + 1}"
    qtbot.mouseClick(panel.example.picture, Qt.MouseButton.LeftButton)
    assert dock.gallery.card(dock.gallery.abnormal[example]).property("pointed")
    qtbot.mouseClick(panel.query.picture, Qt.MouseButton.LeftButton)
    assert dock.maps.mark_layer is not None
    assert tuple(dock.maps.mark_layer.data[0][-2:]) == evidence.place.centre[1:]


def test_marking_four_changes_the_map_live_and_unmarking_brings_it_back(
    qtbot, found, settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    dock, plain = found
    encoded: list[np.ndarray] = []
    encode = Detector.encode_scan

    def counting(self, scan, **settings):
        encoded.append(scan.voxels[0])
        return encode(self, scan, **settings)

    monkeypatch.setattr(Detector, "encode_scan", counting)
    layer = dock.maps.result_layer
    for number in range(4):
        before = dock.examination
        mark(qtbot, dock, number)
        assert dock.examination is before  # stays until the new one is there
        assert not dock.results.is_outdated
        settle(dock)
    marked = dock.examination
    assert marked is not None
    # Each example once, and the scan to examine not again.
    assert len(encoded) == 4
    for image, seed in zip(encoded, ABNORMAL, strict=True):
        np.testing.assert_array_equal(image, picture(seed, lesion=True))
    assert dock.maps.result_layer is layer
    assert layer is not None
    np.testing.assert_array_equal(np.squeeze(layer.data), np.squeeze(marked.anomaly.values))
    at = lesion_of(QUERY)
    more = (marked.anomaly.values - plain.anomaly.values)[0]
    assert more[at].mean() > 3 * more[~at].mean() > 0
    assert dock.gallery.count_text == "5 of 2-8 normal references, 4 abnormal examples"
    told = dock.results.examples_text
    assert f"without them {plain.anomaly.score:.3g}" in told
    assert "4 of 4 examples would have been found" in told
    assert f"Score {marked.anomaly.score:.3g}" in dock.results.headline
    assert Code.PREVIEW not in {each.code for each in marked.anomaly.warnings}
    assert not dock.results.is_outdated
    # Regions at another level are ranked by what references show beside the examples, not without them.
    calibration = marked.anomaly.calibration
    assert calibration is not None
    higher = replace(marked.anomaly, calibration=replace(calibration, peaks=calibration.peaks + 100))
    regions = dock._session._bases[marked].regions(higher, marked.anomaly.level_one_region)
    assert [each.p_value for each in regions] == [1.0]
    tell_why(qtbot, dock)
    for number in range(4):
        mark(qtbot, dock, number)
    settle(dock)
    qtbot.waitUntil(lambda: not dock.result_view.is_busy)
    assert not dock.results.why.example.isVisible()
    assert len(encoded) == 4
    assert dock.examination is not None
    assert dock.examination.request == plain.request
    np.testing.assert_array_equal(dock.examination.anomaly.values, plain.anomaly.values)
    assert dock.examination.anomaly.p_value == plain.anomaly.p_value
    assert dock.results.examples_text == ""


def test_another_scan_is_looked_at_while_the_result_is_renewed(qtbot, found, settle, tmp_path: Path) -> None:
    dock, plain = found
    query, reference = dock.gallery.series[:2]
    click(qtbot, dock.gallery.card(reference).picture)
    qtbot.waitUntil(lambda: dock.layers.shown.series is reference and not dock.looking.is_busy)
    np.testing.assert_array_equal(np.squeeze(dock.layers.shown.layer.data), picture(0))
    assert dock.maps.result_layer is None
    assert not dock.results.isEnabled()
    dock.save_picture(tmp_path / "other.png")  # would show this scan under the name of the other
    assert "not on the canvas" in dock.run_panel.message
    assert not (tmp_path / "other.png").exists()
    mark(qtbot, dock, 0)
    settle(dock)
    assert dock.layers.shown.series is reference
    assert dock.examination is not plain
    click(qtbot, dock.gallery.card(query).picture)
    assert dock.layers.shown.series is query
    assert dock.results.isEnabled()
    assert "1 abnormal example" in dock.results.examples_text
    np.testing.assert_array_equal(
        np.squeeze(dock.maps.result_layer.data), np.squeeze(dock.examination.anomaly.values)
    )
    click(qtbot, dock.gallery.card(reference).picture)
    qtbot.waitUntil(lambda: dock.layers.shown.series is reference and not dock.looking.is_busy)
    assert "back to the result" in dock.viewer.canvas.overlays.text.text
    qtbot.keyClick(dock, Qt.Key.Key_Escape)
    assert dock.layers.shown.series is query
    assert "back to the result" not in dock.viewer.canvas.overlays.text.text


def test_the_result_stays_where_learning_fails_or_is_cancelled(
    qtbot, found, settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    dock, plain = found
    mark(qtbot, dock, 4)  # a copy of the scan that is examined
    settle(dock)
    assert "P35" in dock.run_panel.message
    assert dock.examination is plain
    assert dock.results.is_outdated
    flag = dock.gallery.card(dock.gallery.abnormal[0]).flag
    dock.body.show_page(Page.SCANS)
    assert flag.isVisible()
    assert "It is abnormal example 1." in flag.text
    assert not flag.keep_button.isVisible()  # nothing is examined with it
    click(qtbot, flag.leave_out_button)
    settle(dock)
    assert dock.run_panel.message == ""
    assert not dock.results.is_outdated

    def waiting(self, scan, *, cancel, **settings):
        while not cancel.cancelled:
            time.sleep(0.01)
        raise Cancelled

    monkeypatch.setattr(Detector, "encode_scan", waiting)
    mark(qtbot, dock, 0)
    qtbot.waitUntil(lambda: dock.run_panel.is_busy)
    click(qtbot, dock.run_panel.cancel_button)
    settle(dock)
    assert dock.examination is plain
    assert dock.results.is_outdated


def test_an_example_that_looks_normal_is_flagged_on_its_card(qtbot, found, settle) -> None:
    dock, _ = found
    for number in (0, 1, 5):
        mark(qtbot, dock, number)
    settle(dock)
    cards = [dock.gallery.card(each) for each in dock.gallery.abnormal]
    dock.body.show_page(Page.SCANS)
    assert [card.flag.isVisible() for card in cards] == [False, False, True]
    assert cards[2].flag.text == Code.EXAMPLE_LOOKS_NORMAL.meaning
    qtbot.waitUntil(lambda: cards[2].flag.visibleRegion().boundingRect().height() > 20)
    click(qtbot, cards[2].flag.leave_out_button)
    settle(dock)
    assert len(dock.examination.request.abnormal) == 2
    click(qtbot, cards[2].flag.keep_button)  # use it again
    settle(dock)
    assert cards[2].role is Role.ABNORMAL
    assert cards[2].flag.text.startswith("Kept as an abnormal example")
    assert len(dock.examination.request.abnormal) == 3
