"""The layers of one case serve the next: napari takes a quarter of a second to make or remove one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_d24fad.viewer.canvas.maps import ResultLayers
from napari_d24fad.viewer.canvas.scans import ScanLayers
from tests.heads import anomaly_of, head
from tests.viewer.canvas.test_maps import show_both
from tests.viewer.canvas.test_scans import file_series


def test_the_layers_of_one_result_serve_the_next() -> None:
    viewer = ViewerModel()
    layers = ScanLayers(viewer)
    maps = ResultLayers(viewer, layers)
    scan_layer, first = show_both(layers, maps)
    maps.mark((4, 23, 30), "Peak of region 1")
    ring = maps.mark_layer
    made: list[str] = []
    viewer.layers.events.inserted.connect(lambda event: made.append(event.value.name))
    viewer.layers.events.removed.connect(lambda event: made.append(event.value.name))
    scan = replace(head(1), voxels=head(1).voxels[:, :30], affine=head(1).affine @ np.diag([1, 1, 2, 1]))
    shown = layers.show_scan(file_series(scan), scan)
    second = maps.show_result(anomaly_of(scan), (1.0, 5.0))
    assert (shown.layer, second) == (scan_layer, first)
    np.testing.assert_array_equal(shown.layer.data, shown.orientation.apply(scan.voxels))
    np.testing.assert_array_equal(second.scale, shown.layer.scale)
    assert second.scale[2] == pytest.approx(2 * head(1).spacing[2])
    np.testing.assert_array_equal(second.translate, shown.layer.translate)
    assert len(ring.data) == 0, "a ring of before would be on another scan"
    assert not ring.visible
    maps.mark((2, 3, 4), "Peak of region 2")
    assert maps.mark_layer is ring
    assert (ring.visible, ring.name) == (True, "Peak of region 2")
    np.testing.assert_array_equal(ring.data, [shown.layer_index((2, 3, 4))])
    np.testing.assert_array_equal(ring.scale, shown.layer.scale)
    assert made == [], "napari makes and removes layers in a quarter of a second each"
