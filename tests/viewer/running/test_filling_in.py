"""A map while it is computed, and the layers that it lies among."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest

from napari_d24fad.export.nifti import nifti_affine
from napari_d24fad.studies.study import open_study
from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.gallery.roles import Role
from tests.heads import head
from tests.viewer.study_in_dock import wait_until_exact

pytestmark = pytest.mark.one_qt


def test_layers_that_are_renamed_removed_or_changed(qtbot, dock: DetectionDock, settle) -> None:
    viewer = dock._viewer
    for number, name in enumerate(("query", "one", "two", "three")):
        voxels = np.asarray(head(number, lesion=number == 0).voxels)
        viewer.add_image(voxels, name=name, scale=(4, 1.7, 2.2), units=("mm",) * 3)
    settle(dock)
    query, *references = dock.gallery.series
    for series in references:
        dock.gallery.set_role(series, Role.REFERENCE)
    dock.gallery.set_role(query, Role.QUERY)
    dock.run()
    settle(dock)
    viewer.layers["query"].name = "head with a lesion"
    viewer.layers["one"].name = "first"
    assert dock.gallery.query is query
    assert dock.gallery.references == tuple(references)
    dock.gallery.card(references[0]).share_box.setValue(20)
    wait_until_exact(qtbot, dock)
    assert dock.examination is not None
    assert dock.examination.request.shares == (0.2, 1, 1)
    viewer.layers["first"].translate = (1, 0, 0)
    wait_until_exact(qtbot, dock)
    assert dock.gallery.shares == (0.2, 1, 1), "a layer that was moved counts as much as before"
    assert dock.examination.request.references == dock.gallery.references
    viewer.layers.remove("two")
    wait_until_exact(qtbot, dock)
    assert len(dock.examination.request.references) == 2
    assert not dock.results.is_outdated
    layer = viewer.layers["head with a lesion"]
    layer.data = layer.data[::-1].copy()
    assert dock.results.is_outdated, "its pixels are no longer those that were examined"


@pytest.fixture
def tall(tmp_path: Path) -> Path:
    """A scan of forty slices, two references of ten, and another scan of forty."""
    for number in range(4):
        scan = head(number, lesion=number == 0)
        voxels = np.repeat(scan.voxels, 4, axis=0) if number in (0, 3) else scan.voxels
        place = tmp_path / f"{number}"
        place.mkdir()
        image = nibabel.Nifti1Image(np.asarray(voxels).T, nifti_affine(scan.affine))
        image.header.set_xyzt_units("mm")
        nibabel.save(image, place / "scan.nii.gz")
    return tmp_path


def test_the_map_fills_in_while_it_is_computed(qtbot, dock: DetectionDock, settle, tall: Path) -> None:
    dock.filling.add_study(tuple(open_study(tall / f"{number}").series[0] for number in range(4)))
    settle(dock)
    query, *references, other = dock.gallery.series
    dock.gallery.set_role(query, Role.QUERY)
    for series in references:
        dock.gallery.set_role(series, Role.REFERENCE)
    filled: list[tuple[str, int]] = []

    def look(*_: object) -> None:
        layer = dock.maps.result_layer
        assert layer is not None
        filled.append((layer.name, int(np.isfinite(layer.data).any(axis=(1, 2)).sum())))

    dock.examining.part_computed.connect(look)  # after the widget's own connection
    with qtbot.waitSignal(dock.examination_shown, timeout=60_000):
        dock.run()
    assert len(filled) >= 2
    assert all(name.startswith("Anomaly, being computed") for name, _ in filled)
    assert filled[-1][1] == 40
    layer = dock.maps.result_layer
    assert layer is not None
    assert layer.name == f"Anomaly: {query.label}"
    assert dock.results.isEnabled()
    first = dock.examination
    # A cancel in the middle leaves what was there before.
    dock.gallery.set_role(other, Role.QUERY)
    dock.examining.part_computed.connect(lambda *_: dock.jobs.cancel())
    with qtbot.waitSignal(dock.jobs.ended, timeout=60_000):
        dock.run()
    settle(dock)
    assert dock.examination is first
    layer = dock.maps.result_layer
    assert layer is not None
    assert layer.name == f"Anomaly: {query.label}"
    assert dock.results.isEnabled()
