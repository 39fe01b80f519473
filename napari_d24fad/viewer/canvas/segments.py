"""Turns a DICOM Segmentation into what napari needs for labels layers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np

from napari_d24fad.errors import StudyError
from napari_d24fad.studies.orientation import canonical, canonical_orientation
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.segments.fitting import is_source, on_scan
from napari_d24fad.studies.segments.segmentation import Labels, Segments
from napari_d24fad.viewer.canvas.layer_data import AFFINE_KEY, placement

SEGMENTS_KEY = "d24fad_segments"
"""In a layer's metadata: what its numbers mean, name by number."""

_LONGEST = 80

SegmentLayerData = tuple[Labels, dict[str, Any], Literal["labels"]]


def segment_layer_data(segments: Segments, scans: Iterable[Scan]) -> list[SegmentLayerData]:
    """Returns the npe2 layer data of a segmentation: one layer, or more where segments overlap.

    Args:
        segments: What was read.
        scans: What is shown. Over the one that it was made on it lies voxel on voxel; else in its own frame.

    Raises:
        StudyError: ``AMBIGUOUS_GEOMETRY`` if it does not fit the scan that it was made on.
    """
    refusal: StudyError | None = None
    for scan in scans:
        if not is_source(segments, scan):
            continue
        try:
            layers = on_scan(segments, scan)
        except StudyError as error:  # one UID may hold several volumes: another may be the one
            refusal = refusal or error
            continue
        return _layer_data(segments, layers, scan)
    if refusal is not None:
        raise refusal
    own = Scan(segments.layers[0], segments.affine)
    return _layer_data(segments, segments.layers, own)


def _layer_data(segments: Segments, layers: Sequence[Labels], scan: Scan) -> list[SegmentLayerData]:
    affine = canonical(scan).affine
    scale, translate = placement(affine)
    orientation = canonical_orientation(scan)
    made: list[SegmentLayerData] = []
    for labels in layers:
        numbers = [number for number in segments.names if (labels == number).any()] or list(segments.names)
        names = {number: segments.names[number] for number in numbers}
        title = ", ".join(names.values())
        settings: dict[str, Any] = {
            "name": title if len(title) <= _LONGEST else f"{title[: _LONGEST - 1]}…",
            "scale": scale,
            "translate": translate,
            "axis_labels": ("slice", "row", "column"),
            "units": ("mm",) * 3,
            "opacity": 0.5,
            "features": {"index": [0, *names], "segment": ["", *names.values()]},
            "metadata": {SEGMENTS_KEY: names, AFFINE_KEY: np.array(affine)},
        }
        made.append((np.ascontiguousarray(orientation.apply(labels)), settings, "labels"))
    return made
