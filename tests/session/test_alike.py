"""The place of a scan that is like an abnormal example, upright and framed in both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_d24fad.detection.result import ExampleEvidence, Patch
from napari_d24fad.errors import ArgumentError
from napari_d24fad.progress import CancelToken
from napari_d24fad.session.alike import PlaceInSlice, most_like
from napari_d24fad.session.request import Examination, Example, Request
from napari_d24fad.studies.scan import Scan
from napari_d24fad.viewer.gallery.layer_series import LayerSeries
from tests.heads import anomaly_of, head

PLACE = Patch((2, 3, 5), (4, 6, 9))


def turned(seed: int) -> Scan:
    """A volume whose slices run along the last axis, rows from posterior, columns from the left."""
    voxels = np.random.default_rng(seed).normal(100, 5, (12, 14, 16)).astype(np.float32)
    voxels[2:5, 3:7, 5:10] = 900
    affine = np.array([[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]], float)
    affine[0, 0], affine[1, 1], affine[2, 2] = -1, -2, 3
    return Scan(voxels, affine, slice_axis=2, modality="MR")


def series(scan: Scan) -> LayerSeries:
    return LayerSeries(outline=scan, source=Path(), data=scan.voxels)


def bright(place: PlaceInSlice) -> tuple[float, ...]:
    rows, columns = np.nonzero(place.image > 200)
    return float(rows.min()), float(columns.min()), float(rows.max()), float(columns.max())


def test_places_are_framed_in_upright_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    scan, example = turned(1), turned(2)
    monkeypatch.setattr(LayerSeries, "load", lambda self, progress, cancel: self.outline)
    marked = (Example(series(turned(3))), Example(series(example), "mass"))
    request = Request(series(scan), (), "compact", "cpu", abnormal=marked)
    evidence = ExampleEvidence(0.5, 1.0, 1.0, (True, True), 1, 2.0, ("", "mass"), PLACE, PLACE)
    anomaly = replace(anomaly_of(head(0)), examples=evidence)
    alike = most_like(Examination(request, scan, anomaly, (0.0, 1.0)), CancelToken())
    assert (alike.example_index, alike.kind) == (1, "mass")
    for place in (alike.query, alike.example):
        assert place.slice_index == 7
        assert place.image.shape == (14, 12)  # from anterior to posterior, from right to left
        assert place.pixel == (2.0, 1.0)
        assert place.box == bright(place)
    none = replace(anomaly, examples=replace(evidence, place=None))
    with pytest.raises(ArgumentError):
        most_like(Examination(request, scan, none, (0.0, 1.0)), CancelToken())
