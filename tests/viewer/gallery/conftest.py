"""Made-up series, and a gallery of four of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_d24fad.studies.scan import Scan, SeriesIdentity
from napari_d24fad.viewer.gallery.gallery import Gallery
from napari_d24fad.viewer.gallery.layer_series import LayerSeries


def series(number: int, **settings) -> LayerSeries:
    identity = SeriesIdentity(description=f"Head {number}")
    scan = Scan(np.zeros((3, 8, 8), np.float32), np.eye(4), modality="MR", identity=identity)
    return LayerSeries(outline=settings.pop("outline", scan), source=Path(), data=scan.voxels, **settings)


@pytest.fixture
def gallery(qtbot) -> Gallery:
    widget = Gallery()
    qtbot.addWidget(widget)
    widget.resize(300, 500)
    widget.set_section("Study 1", [series(number) for number in range(4)])
    widget.show()
    return widget
