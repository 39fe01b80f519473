from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.scoring.matched import MatchedScoring
from napari_d24fad.errors import Code
from napari_d24fad.studies.study import open_study
from napari_d24fad.viewer.canvas.map_view import MapView
from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.dock_body import Page
from napari_d24fad.viewer.gallery.roles import Role
from napari_d24fad.viewer.running.live import SETTLE_MS
from tests.viewer.study_in_dock import wait_until_exact

pytestmark = pytest.mark.one_qt


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How often scans are encoded and slices are matched."""
    counts = {"encode": 0, "match": 0}
    encode, match = Detector.encode_scan, MatchedScoring.match

    def encoding(self, *args, **settings):
        counts["encode"] += 1
        return encode(self, *args, **settings)

    def matching(self, *args):
        counts["match"] += 1
        return match(self, *args)

    monkeypatch.setattr(Detector, "encode_scan", encoding)
    monkeypatch.setattr(MatchedScoring, "match", matching)
    return counts


@pytest.fixture
def found(
    qtbot,
    kept_features: None,
    dock: DetectionDock,
    settle: Callable[[DetectionDock], None],
    study_folder: Path,
) -> DetectionDock:
    """The widget with an examination of a scan with a lesion among three references."""
    names = ("query", "reference-1", "reference-2", "reference-3")
    dock.filling.add_study(tuple(open_study(study_folder / name).series[0] for name in names))
    settle(dock)
    query, *references = dock.gallery.series
    dock.gallery.set_role(query, Role.QUERY)
    for series in references:
        dock.gallery.set_role(series, Role.REFERENCE)
    with qtbot.waitSignal(dock.examination_shown, timeout=120_000):
        dock.run()
    settle(dock)
    return dock


def codes(dock: DetectionDock) -> set[Code]:
    assert dock.examination is not None
    return {problem.code for problem in dock.examination.anomaly.warnings}


def test_leaving_a_reference_out_shows_at_once_and_then_exactly(
    qtbot, found: DetectionDock, work: dict[str, int]
) -> None:
    dock = found
    first, layer = dock.examination, dock.maps.result_layer
    assert first is not None
    assert layer is not None
    kept = first.anomaly.values.copy()
    position = dock.layers.current_slice
    with qtbot.waitSignals([dock.live.slice_scored, dock.live.rescored], order="strict", timeout=20_000):
        qtbot.mouseClick(dock.gallery.card(dock.gallery.references[2]).normal_box, Qt.MouseButton.LeftButton)
    # Nothing was encoded or compared for it, and no layer was made anew.
    assert work == {"encode": 0, "match": 0}
    preview = dock.examination
    assert preview is not None
    assert preview is not first
    assert preview.anomaly.weights.shape[1] == 2
    assert Code.PREVIEW in codes(dock)
    assert dock.maps.result_layer is layer
    assert dock.layers.current_slice == position
    shown = dock.layers.shown
    assert shown is not None
    np.testing.assert_array_equal(layer.data, shown.in_layer_order(preview.anomaly.values))
    np.testing.assert_array_equal(first.anomaly.values, kept)  # what was found before is not painted over
    with qtbot.waitSignal(dock.live.settled, timeout=60_000):
        pass
    wait_until_exact(qtbot, dock)
    assert work["encode"] == 0
    assert work["match"] > 0
    exact = dock.examination
    assert exact is not None
    assert Code.PREVIEW not in codes(dock)
    assert exact.anomaly.score == pytest.approx(preview.anomaly.score, rel=0.1)
    with qtbot.waitSignal(dock.examination_shown, timeout=60_000):
        dock.run()
    again = dock.examination
    np.testing.assert_array_equal(again.anomaly.values, exact.anomaly.values)


def test_the_slice_that_is_shown_comes_first(qtbot, found: DetectionDock) -> None:
    dock = found
    with qtbot.waitSignal(dock.live.slice_scored, timeout=20_000) as told:
        dock.gallery.card(dock.gallery.references[0]).share_box.setValue(30)
    request, slice_index, values = told.args
    assert request.shares == (0.3, 1.0, 1.0)
    assert slice_index == dock.result_view.slice_index
    with qtbot.waitSignal(dock.live.rescored, timeout=20_000) as told:
        pass
    anomaly = told.args[0].anomaly
    assert {Code.UNEQUAL_WEIGHTS} <= codes(dock)
    assert Code.PREVIEW not in codes(dock)  # the same scans, so the same centre and scale
    shown = dock.layers.shown
    assert shown is not None
    whole = shown.orientation.apply(anomaly.values)[dock.layers.current_slice]
    # The slice was still held against what the references showed before.
    near = np.corrcoef(*(each[np.isfinite(whole)] for each in (values[0], whole)))[0, 1]
    assert near > 0.98
    wait_until_exact(qtbot, dock)


def test_a_save_at_that_moment_does_not_lose_the_exact_result(qtbot, found: DetectionDock) -> None:
    dock = found
    with qtbot.waitSignal(dock.live.rescored, timeout=20_000):
        dock.gallery.set_role(dock.gallery.references[2], Role.NONE)
    qtbot.waitUntil(lambda: not dock.jobs.is_busy, timeout=20_000)
    saved = Event()
    assert dock.jobs.start("Saving", lambda progress, cancel: saved.wait(60), lambda _: None)
    qtbot.wait(SETTLE_MS + 500)  # the disk is slow
    assert dock.live.is_busy, "the exact result is to come"
    with qtbot.waitSignal(dock.live.settled, timeout=60_000):
        saved.set()
    wait_until_exact(qtbot, dock)
    assert Code.PREVIEW not in codes(dock)


def test_many_clicks_are_one_measurement(qtbot, found: DetectionDock, work: dict[str, int]) -> None:
    dock = found
    references = dock.gallery.references
    shown: list[object] = []
    dock.live.settled.connect(shown.append)
    for _ in range(3):
        dock.gallery.set_role(references[2], Role.NONE)
        qtbot.wait(60)
        dock.gallery.set_role(references[2], Role.REFERENCE)
        qtbot.wait(60)
    dock.gallery.set_role(references[1], Role.NONE)
    qtbot.wait(SETTLE_MS // 2)
    wait_until_exact(qtbot, dock)
    assert len(shown) == 1
    assert dock.examination is not None
    assert dock.examination.request.references == dock.gallery.references
    assert work["encode"] == 0


def test_a_change_before_the_set_is_measured_is_a_preview_too(qtbot, found: DetectionDock) -> None:
    dock = found
    with qtbot.waitSignal(dock.live.rescored, timeout=20_000):
        dock.gallery.set_role(dock.gallery.references[2], Role.NONE)
    with qtbot.waitSignal(dock.live.rescored, timeout=20_000):
        dock.gallery.card(dock.gallery.references[0]).share_box.setValue(30)
    # Features are still centred and scaled by three references.
    assert {Code.PREVIEW, Code.UNEQUAL_WEIGHTS} <= codes(dock)
    with qtbot.waitSignal(dock.live.settled, timeout=60_000):
        pass
    wait_until_exact(qtbot, dock)
    assert Code.PREVIEW not in codes(dock)


def test_what_was_taken_back_is_not_shown(qtbot, found: DetectionDock) -> None:
    dock = found
    first = dock.examination
    assert first is not None
    third = dock.gallery.references[2]
    with qtbot.waitSignal(dock.live.slice_scored, timeout=20_000):
        dock.gallery.set_role(third, Role.NONE)
    dock.gallery.set_role(third, Role.REFERENCE)  # while the volume is scored without it
    wait_until_exact(qtbot, dock)
    assert dock.examination is not None
    assert dock.examination.request.references == dock.gallery.references
    assert_shown(dock, first.anomaly.values)


def test_a_stopped_scoring_leaves_no_slice_of_it(qtbot, found: DetectionDock) -> None:
    dock = found
    _, second, third = dock.gallery.references
    for how in ("by hand", "too few", "too few before the next began"):
        first = dock.examination
        assert first is not None
        with qtbot.waitSignal(dock.live.slice_scored, timeout=20_000):
            dock.gallery.set_role(third, Role.NONE)
        if how == "by hand":
            dock.jobs.cancel()
        if how == "too few before the next began":
            dock.gallery.card(dock.gallery.references[0]).share_box.setValue(30)
            with qtbot.waitSignal(dock.jobs.ended, timeout=20_000):
                pass
        if how != "by hand":
            dock.gallery.set_role(second, Role.NONE)
        wait_until_exact(qtbot, dock)
        assert dock.examination is first, how
        assert_shown(dock, first.anomaly.values)
        for series in (second, third):  # in the order they had
            dock.gallery.set_role(series, Role.REFERENCE)
        wait_until_exact(qtbot, dock)


def assert_shown(dock: DetectionDock, values: np.ndarray) -> None:
    layer, shown = dock.maps.result_layer, dock.layers.shown
    assert layer is not None
    assert shown is not None
    np.testing.assert_allclose(layer.data, shown.in_layer_order(values), atol=1e-5)


def test_too_few_references_or_another_scan_score_nothing(qtbot, found: DetectionDock) -> None:
    dock = found
    before = dock.examination
    first, second, third = dock.gallery.references
    dock.gallery.set_role(third, Role.NONE)
    dock.gallery.set_role(second, Role.NONE)
    qtbot.wait(200)
    assert not dock.live.is_busy
    dock.gallery.set_role(second, Role.QUERY)
    dock.gallery.set_role(third, Role.REFERENCE)
    qtbot.wait(200)
    assert not dock.live.is_busy
    assert dock.examination is before
    assert first in dock.gallery.references


def test_what_is_shown_follows_the_choice_and_the_layers(qtbot, found: DetectionDock) -> None:
    dock = found
    query, (first, second, third) = dock.gallery.query, dock.gallery.references
    assert not dock.results.is_outdated
    dock.gallery.set_role(second, Role.QUERY)
    assert dock.results.is_outdated
    dock.gallery.set_role(query, Role.QUERY)
    dock.gallery.set_role(second, Role.REFERENCE)
    wait_until_exact(qtbot, dock)
    assert not dock.results.is_outdated, "it is scored with the references in their new order"
    dock.gallery.set_role(first, Role.NONE)
    dock.gallery.set_role(third, Role.NONE)
    assert dock.results.is_outdated, "one reference is none"
    dock.gallery.set_role(third, Role.REFERENCE)
    wait_until_exact(qtbot, dock)
    assert not dock.results.is_outdated

    # The choice that a doubtful reference leaves is in sight, and so is what went wrong.
    dock._viewer.window.resize(1100, 700)
    references = dock.gallery.references
    reason = "It scores 3.1 against the others, which lie between 2.0 and 2.3. " * 3
    dock.gallery.show_checks({series: reason * (series is references[-1]) for series in references})
    choice = dock.gallery.card(references[-1]).flag.leave_out_button
    dock.body.show_page(Page.SCANS)
    qtbot.waitUntil(lambda: not choice.visibleRegion().isEmpty(), timeout=5_000)
    dock.run_panel.show_error("P05: Colour and grey-scale images cannot be compared.")
    told = dock.run_panel._message
    qtbot.waitUntil(lambda: told.visibleRegion().boundingRect() == told.rect(), timeout=5_000)

    # A map that was removed comes again when it is asked for; none is left over nothing.
    viewer = dock._viewer
    viewer.layers.remove(dock.maps.result_layer)
    dock.results.view_choice.choose(MapView.P_VALUE)
    dock.results.view_choice.choose(MapView.SCORE)
    assert_shown(dock, dock.examination.anomaly.values)
    viewer.layers.remove(dock.layers.shown.layer)
    assert dock.maps.result_layer is None, "a map over nothing would mislead"
    dock.save_picture(Path("nowhere.png"))
    assert "not on the canvas" in dock.run_panel.message

    dock.gallery.close_requested.emit(f"Study {dock.filling._n_studies}: 4 series")
    assert dock.gallery.query is None
    assert dock.results.is_outdated


def test_what_is_asked_for_while_references_are_scored_is_done_afterwards(
    qtbot, found: DetectionDock, tmp_path: Path, study_folder: Path
) -> None:
    dock = found
    dock.gallery.set_role(dock.gallery.references[2], Role.NONE)
    qtbot.waitUntil(lambda: dock.jobs.is_busy, timeout=20_000)
    dock.save_results(tmp_path / "results")
    dock.save_picture(tmp_path / "picture.png")
    dock.open([study_folder / "reference-1"])
    assert "as soon as" in dock.run_panel.message
    n_series = len(dock.gallery.series)
    wait_until_exact(qtbot, dock)
    assert (tmp_path / "results" / "report.json").is_file()
    assert (tmp_path / "picture.png").is_file()
    assert len(dock.gallery.series) == n_series + 1
