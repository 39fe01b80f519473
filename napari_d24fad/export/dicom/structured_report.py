"""Findings as a Structured Report: measurements by TID 1500 (PS3.16)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from highdicom.seg import Segmentation
from highdicom.sr import (
    AlgorithmIdentification,
    CodedConcept,
    Comprehensive3DSR,
    DeviceObserverIdentifyingAttributes,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    ReferencedSegment,
    SourceImageForMeasurementGroup,
    SourceImageForSegmentation,
    SourceSeriesForSegmentation,
    TrackingIdentifier,
    VolumetricROIMeasurementsAndQualitativeEvaluations,
)
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code as DicomCode

from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.errors import Code, ExportError
from napari_d24fad.export.dicom.common import (
    ABNORMAL,
    MANUFACTURER,
    MAP_VALUE,
    MODEL_NAME,
    P_VALUE,
    Tracked,
    device_uid,
    made_by,
    origin,
)
from napari_d24fad.export.dicom.source import Source
from napari_d24fad.version import __version__

Group = VolumetricROIMeasurementsAndQualitativeEvaluations | MeasurementsAndQualitativeEvaluations


def structured_report(
    source: Source,
    anomaly: AnomalyMap,
    findings: Sequence[Tracked],
    segments: Segmentation | None,
    number: int,
) -> Comprehensive3DSR:
    """Makes a report of what was measured of each finding; unverified, as nobody signed it.

    Args:
        source: The images of the scan.
        anomaly: Its map.
        findings: What to report.
        segments: Their segmentation: a finding with a mask is the segment of its tracking UID; None if none
            has a mask.
        number: Which object of the export it is.

    Raises:
        ExportError: ``NOTHING_TO_EXPORT`` without a finding.
    """
    if not findings:
        raise ExportError(Code.NOTHING_TO_EXPORT, "There is no finding.")
    report = MeasurementReport(
        observation_context=ObservationContext(
            observer_device_context=ObserverContext(
                observer_type=codes.DCM.Device,
                observer_identifying_attributes=DeviceObserverIdentifyingAttributes(
                    uid=device_uid(),
                    name=MANUFACTURER,
                    manufacturer_name=MANUFACTURER,
                    model_name=MODEL_NAME,
                    serial_number=__version__,
                ),
            )
        ),
        procedure_reported=codes.SCT.ImagingProcedure,
        imaging_measurements=[_group(each, source, anomaly, segments) for each in findings],
        title=codes.DCM.ImagingMeasurementReport,
    )
    evidence: list[Dataset] = list(source.headers)
    if segments is not None:
        evidence.append(segments)
    return Comprehensive3DSR(
        evidence=evidence,
        content=report,
        is_complete=False,
        is_final=False,
        is_verified=False,
        **made_by(),
        **origin(source, number, "Anomaly measurements (research use only)"),
    )


def _group(tracked: Tracked, source: Source, anomaly: AnomalyMap, segments: Segmentation | None) -> Group:
    finding = tracked.finding
    found_by = None
    if not finding.by_hand:
        found_by = AlgorithmIdentification(name=f"{MANUFACTURER} {MODEL_NAME}", version=__version__)
    identifier = TrackingIdentifier(uid=tracked.uid, identifier=tracked.name)
    measurements = _measurements(tracked)
    segment = _segment_of(tracked, segments)
    if segment is None or segments is None:
        return MeasurementsAndQualitativeEvaluations(
            tracking_identifier=identifier,
            finding_type=ABNORMAL,
            algorithm_id=found_by,
            measurements=measurements,
            source_images=_shown_on(tracked, source),
        )
    return VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=identifier,
        finding_type=ABNORMAL,
        algorithm_id=found_by,
        measurements=measurements,
        referenced_segment=_reference(tracked, segments, segment, source),
    )


def _measurements(tracked: Tracked) -> list[Measurement]:
    region, diameters = tracked.finding.region, tracked.finding.diameters_mm
    measured: list[tuple[DicomCode | CodedConcept, float | None, DicomCode]] = [
        (codes.SCT.Volume, region.volume_mm3, codes.UCUM.CubicMillimeter),
        (codes.SCT.Area, region.area_mm2, codes.UCUM.SquareMillimeter),
        (codes.SCT.LongAxis, diameters and diameters[0], codes.UCUM.Millimeter),
        (codes.SCT.ShortAxis, diameters and diameters[1], codes.UCUM.Millimeter),
        (MAP_VALUE, region.peak, codes.UCUM.NoUnits),
        (P_VALUE, region.p_value, codes.UCUM.NoUnits),
    ]
    return [
        Measurement(name=name, value=float(value), unit=unit)
        for name, value, unit in measured
        if value is not None and math.isfinite(value)
    ]


def _segment_of(tracked: Tracked, segments: Segmentation | None) -> int | None:
    if segments is None:
        return None
    found = segments.get_segment_numbers(tracking_uid=tracked.uid)
    return int(found[0]) if len(found) else None


def _reference(tracked: Tracked, segments: Segmentation, segment: int, source: Source) -> ReferencedSegment:
    # Not by `from_segmentation`, which fails where all frames are of one segment.
    images = _images(tracked, source)
    series = None
    if not images:
        series = SourceSeriesForSegmentation(str(source.first.SeriesInstanceUID))
    return ReferencedSegment(
        segments.SOPClassUID,
        segments.SOPInstanceUID,
        segment,
        source_images=images or None,
        source_series=series,
    )


def _images(tracked: Tracked, source: Source) -> list[SourceImageForSegmentation]:
    """Returns the images that a finding lies on; none where slices are not images."""
    mask = tracked.finding.mask
    if mask is None or not source.is_one_to_one:
        return []
    frames: dict[str, tuple[Dataset, list[int | None]]] = {}
    for index in np.unique(mask.places[:, source.scan.slice_axis]):
        header, frame = source.of_slice[int(index)]
        frames.setdefault(str(header.SOPInstanceUID), (header, []))[1].append(frame)
    return [
        SourceImageForSegmentation.from_source_image(header, [each for each in numbers if each] or None)
        for header, numbers in frames.values()
    ]


def _shown_on(tracked: Tracked, source: Source) -> list[SourceImageForMeasurementGroup]:
    if not source.is_one_to_one:
        return [SourceImageForMeasurementGroup.from_source_image(source.first)]
    header, frame = source.of_slice[tracked.finding.slice_index]
    return [SourceImageForMeasurementGroup.from_source_image(header, [frame] if frame else None)]
