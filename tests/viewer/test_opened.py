"""``d24fad open``: a row of a cohort in a viewer, with its result and no new run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from napari_d24fad.session.saved.session_file import save_session
from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.opened import open_in
from tests.session.saved.cases import make_case


def test_a_session_is_shown_with_its_result(
    qtbot,
    make_napari_viewer_proxy,
    settle: Callable[[DetectionDock], None],
    tmp_path: Path,
) -> None:
    case = make_case(tmp_path / "study")
    save_session([case], tmp_path / "case.d24fad")
    viewer = make_napari_viewer_proxy()
    dock = open_in(viewer, tmp_path / "case.d24fad").dock
    settle(dock)
    qtbot.waitUntil(lambda: not dock.result_view.is_busy, timeout=60_000)
    assert dock.run_panel.message.startswith("The session was opened")
    assert dock.examination is not None
    assert case.examination is not None
    assert dock.examination.anomaly.score == case.examination.anomaly.score
    assert dock.maps.result_layer in viewer.layers
