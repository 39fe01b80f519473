"""A click on a card shows the scan before it is marked: one slice at once, then all."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.nifti.series import NiftiSeries
from napari_d24fad.studies.study import open_study
from napari_d24fad.viewer.dock import DetectionDock
from tests.viewer.study_in_dock import click


@pytest.fixture
def two(dock: DetectionDock, settle, study_folder: Path) -> DetectionDock:
    dock.filling.add_study([open_study(study_folder / f"reference-{number}").series[0] for number in (1, 2)])
    settle(dock)
    return dock


def test_the_middle_slice_comes_first_and_the_others_fill_in(
    qtbot, two: DetectionDock, monkeypatch: pytest.MonkeyPatch
) -> None:
    dock, first = two, two.gallery.series[0]
    whole, may_read, load = first.load(), Event(), type(first).load

    def waiting(self, progress, cancel):
        may_read.wait(30)
        return load(self, progress, cancel)

    monkeypatch.setattr(type(first), "load", waiting)
    click(qtbot, dock.gallery.card(first).picture)
    qtbot.waitUntil(lambda: dock.layers.shown is not None)
    shown = dock.layers.shown
    assert shown is not None
    middle = whole.n_slices // 2
    assert shown.slice_order[dock.layers.current_slice] == middle
    np.testing.assert_array_equal(np.take(shown.scan.voxels, middle, whole.slice_axis), whole.voxels[middle])
    assert np.isnan(shown.scan.voxels).any()
    may_read.set()
    qtbot.waitUntil(lambda: not dock.looking.is_busy)
    layer = dock.layers.shown.layer
    assert layer is shown.layer
    np.testing.assert_array_equal(layer.data, dock.layers.shown.orientation.apply(whole.voxels))
    assert dock.layers.current_slice == list(shown.slice_order).index(middle)
    assert dock.gallery.references == ()
    qtbot.keyClick(dock.gallery.card(first).normal_box, Qt.Key.Key_N)
    assert dock.gallery.references == (first,)
    # A double click makes the next one the scan to examine.
    second = dock.gallery.series[1]
    qtbot.mouseDClick(dock.gallery.card(second).picture, Qt.MouseButton.LeftButton)
    assert dock.gallery.query is second


def test_only_the_last_scan_clicked_is_shown_and_faults_are_said(
    qtbot, two: DetectionDock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = two.gallery.series
    two.looking.look_at(first)
    two.looking.look_at(second)
    qtbot.waitUntil(lambda: not two.looking.is_busy)
    assert two.layers.shown is not None
    assert two.layers.shown.series is second

    def broken(self, cancel):
        raise StudyError(Code.TRUNCATED)

    monkeypatch.setattr(NiftiSeries, "with_middle_slice", broken)
    two.looking.look_at(first)
    qtbot.waitUntil(lambda: "S05" in two.run_panel.message)
    assert two.layers.shown.series is second
