from __future__ import annotations

import pytest
from qtpy.QtWidgets import QWidget

from napari_d24fad.viewer.dock import DetectionDock


@pytest.fixture
def canvas(dock: DetectionDock) -> QWidget:
    return dock.viewer.window._qt_viewer.canvas.native
