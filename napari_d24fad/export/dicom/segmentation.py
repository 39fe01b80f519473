"""Findings as a DICOM Segmentation (PS3.3 A.51): one segment each, on the grid of the scan."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from highdicom.color import CIELabColor
from highdicom.seg import (
    SegmentAlgorithmTypeValues,
    Segmentation,
    SegmentationTypeValues,
    SegmentDescription,
)

from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.errors import Code, ExportError
from napari_d24fad.export.dicom.common import (
    ABNORMAL,
    Tracked,
    algorithm,
    made_by,
    on_grid,
    origin,
    source_images,
)
from napari_d24fad.export.dicom.source import Source

_REGIONS = "Anomaly regions (research use only)"
_AS_LABEL_MAP = "Anomaly regions, label map (research use only)"
"""Series descriptions, at most 64 characters: an archive lists both."""
_ACCEPTED = (70.0, -20.0, -30.0)
"""L*, a*, b* of the cyan in which accepted findings are outlined."""


def segmentation(
    source: Source,
    anomaly: AnomalyMap,
    found: Sequence[Tracked],
    number: int,
    *,
    as_labelmap: bool = False,
) -> Segmentation:
    """Makes a Segmentation of findings.

    Args:
        source: The images of the scan.
        anomaly: Its map.
        found: Findings that have a mask; segments are numbered in this order, from 1.
        number: Which object of the export it is.
        as_labelmap: Whether to make a label map (one number for each voxel) in place of a binary one.

    Raises:
        ExportError: ``NOTHING_TO_EXPORT`` without a finding; ``FINDINGS_OVERLAP`` if a label map would
            have to leave voxels out.
    """
    if not found:
        raise ExportError(Code.NOTHING_TO_EXPORT, "There is no finding with an outline.")
    made = Segmentation(
        **source_images(source),
        pixel_array=on_grid((_labels if as_labelmap else _masks)(source, found), source),
        segmentation_type=SegmentationTypeValues.LABELMAP if as_labelmap else SegmentationTypeValues.BINARY,
        segment_descriptions=[
            _description(each, anomaly, segment) for segment, each in enumerate(found, start=1)
        ],
        content_label="ANOMALY_REGIONS",
        content_description="Regions unlike normal references, research use only",
        content_creator_name="",  # a program is no person
        **made_by(),
        **origin(source, number, _AS_LABEL_MAP if as_labelmap else _REGIONS),
    )
    if not source.has_places:  # the place says it otherwise
        made.PatientOrientation = source.first.get("PatientOrientation") or []
    return made


def _description(tracked: Tracked, anomaly: AnomalyMap, segment: int) -> SegmentDescription:
    by_hand = tracked.finding.by_hand
    return SegmentDescription(
        segment_number=segment,
        segment_label=tracked.name,
        segmented_property_category=ABNORMAL,
        # What it is, a map cannot tell, and a reader's label is no code.
        segmented_property_type=ABNORMAL,
        algorithm_type=SegmentAlgorithmTypeValues.MANUAL if by_hand else SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=None if by_hand else algorithm(anomaly),
        tracking_id=tracked.name,
        tracking_uid=tracked.uid,
        display_color=CIELabColor(*_ACCEPTED),
    )


def _masks(source: Source, findings: Sequence[Tracked]) -> npt.NDArray[np.uint8]:
    """Returns ``(slices, rows, columns, segments)``."""
    masks = np.zeros((*source.scan.grid, len(findings)), np.uint8)
    for segment, each in enumerate(findings):
        masks[..., segment][_places(each)] = 1
    return masks


def _labels(source: Source, findings: Sequence[Tracked]) -> npt.NDArray[np.uint16]:
    labels = np.zeros(source.scan.grid, np.uint16)
    for segment, each in enumerate(findings, start=1):
        places = _places(each)
        if labels[places].any():
            raise ExportError(Code.FINDINGS_OVERLAP)
        labels[places] = segment
    return labels


def _places(tracked: Tracked) -> tuple[npt.NDArray[np.intp], ...]:
    mask = tracked.finding.mask
    assert mask is not None
    return tuple(mask.places.T)
