from __future__ import annotations

import gc
from collections.abc import Callable, Iterator

import pytest

from napari_d24fad.viewer.asking import Closing
from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.running.workers import Worker
from napari_d24fad.viewer.sessions import unsaved


@pytest.fixture(scope="session", autouse=True)
def _modules_are_no_garbage() -> None:
    """Takes what modules hold out of the search for garbage, which napari makes for each layer that goes."""
    import napari._qt.qt_viewer  # noqa: F401 - these hold most: half a million objects
    import SimpleITK  # noqa: F401
    import skimage.measure  # noqa: F401

    import napari_d24fad.detection.detector  # noqa: F401 - with torch

    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _no_work_is_left(qtbot, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # Viewers are closed at the end of each test, and nobody is there to be asked.
    monkeypatch.setattr(unsaved, "what_of_unsaved", lambda *_: Closing.DISCARD)
    yield
    qtbot.waitUntil(lambda: not Worker._running, timeout=30_000)


@pytest.fixture
def dock(make_napari_viewer_proxy) -> DetectionDock:
    """The widget in a viewer that is really drawn, docked as the plugin menu does it."""
    viewer = make_napari_viewer_proxy(show=True)
    viewer.window.resize(1100, 900)
    widget = DetectionDock(viewer)
    viewer.window.add_dock_widget(widget, name="Find anomalies", area="right")
    return widget


@pytest.fixture
def settle(qtbot) -> Callable[[DetectionDock], None]:
    """Waits until the widget has nothing more to do."""

    def wait(widget: DetectionDock) -> None:
        qtbot.waitUntil(
            lambda: (
                not widget.jobs.is_busy and not widget.live.is_busy and not widget.filling.previews.is_busy
            ),
            timeout=120_000,
        )

    return wait
