"""Findings as a Structured Report: measurements by TID 1500 (PS3.16)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from highdicom.seg import Segmentation
from highdicom.sr import (
    AlgorithmIdentification,
    CodedConcept,
    Comprehensive3DSR,
    CoordinatesForMeasurement,
    CoordinatesForMeasurement3D,
    DeviceObserverIdentifyingAttributes,
    GraphicTypeValues,
    GraphicTypeValues3D,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    ReferencedSegment,
    SourceImageForMeasurementGroup,
    SourceImageForRegion,
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
from napari_d24fad.findings.making import longest_diameter
from napari_d24fad.version import __version__

Place = CoordinatesForMeasurement | CoordinatesForMeasurement3D
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
        imaging_measurements=[
            group for each in findings for group in _groups(each, source, anomaly, segments)
        ],
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


def _groups(
    tracked: Tracked, source: Source, anomaly: AnomalyMap, segments: Segmentation | None
) -> list[Group]:
    """Makes what is said of a finding: a group that names its segment, and one with coordinates.

    In the group of a segment no coordinates may stand (TID 1411), and OHIF shows no report with a finding
    that has none. So the diameters, which are those of one slice, are a group of their own with the longest
    one as a line; a finding without an outline has its highest place. Both groups have its tracking UID.
    """
    finding = tracked.finding
    found_by = None
    if not finding.by_hand:
        found_by = AlgorithmIdentification(name=f"{MANUFACTURER} {MODEL_NAME}", version=__version__)
    shared: dict[str, Any] = {
        "tracking_identifier": TrackingIdentifier(uid=tracked.uid, identifier=tracked.name),
        "finding_type": ABNORMAL,
        "algorithm_id": found_by,
    }
    images = _shown_on(tracked, source)
    segment = _segment_of(tracked, segments)
    if segment is None or segments is None:
        at_peak = _peak(tracked, source)
        measured = [*_of_region(tracked, at_peak), *_of_slice(tracked, None)]
        return [MeasurementsAndQualitativeEvaluations(**shared, measurements=measured, source_images=images)]
    groups: list[Group] = [
        VolumetricROIMeasurementsAndQualitativeEvaluations(
            **shared,
            measurements=_of_region(tracked, None),
            referenced_segment=_reference(tracked, segments, segment, source),
        )
    ]
    of_slice = _of_slice(tracked, _longest_diameter(tracked, source))
    if of_slice:
        groups.append(
            MeasurementsAndQualitativeEvaluations(**shared, measurements=of_slice, source_images=images)
        )
    return groups


def _of_region(tracked: Tracked, at_peak: Place | None) -> list[Measurement]:
    region = tracked.finding.region
    return [
        *_measurements((codes.SCT.Volume, region.volume_mm3, codes.UCUM.CubicMillimeter)),
        *_measurements((codes.SCT.Area, region.area_mm2, codes.UCUM.SquareMillimeter)),
        *_measurements((MAP_VALUE, region.peak, codes.UCUM.NoUnits), at_peak),
        *_measurements((P_VALUE, region.p_value, codes.UCUM.NoUnits)),
    ]


def _of_slice(tracked: Tracked, line: Place | None) -> list[Measurement]:
    longest, across = tracked.finding.diameters_mm or (None, None)
    return [
        *_measurements((codes.SCT.LongAxis, longest, codes.UCUM.Millimeter), line),
        *_measurements((codes.SCT.ShortAxis, across, codes.UCUM.Millimeter)),
    ]


def _measurements(
    measured: tuple[DicomCode | CodedConcept, float | None, DicomCode], place: Place | None = None
) -> list[Measurement]:
    """Returns a measurement; none of what is not known."""
    name, value, unit = measured
    if value is None or not math.isfinite(value):
        return []
    return [Measurement(name, float(value), unit, referenced_coordinates=None if place is None else [place])]


def _longest_diameter(tracked: Tracked, source: Source) -> Place | None:
    finding, scan = tracked.finding, source.scan
    if finding.mask is None or finding.diameters_mm is None:
        return None
    plane = finding.mask.slice(scan.slice_axis, finding.slice_index, scan.grid)
    rows, columns = (axis for axis in range(3) if axis != scan.slice_axis)
    ends = longest_diameter(plane, (scan.spacing[rows], scan.spacing[columns]))
    return _place(ends - 0.5, finding.slice_index, source)


def _peak(tracked: Tracked, source: Source) -> Place:
    peak = tracked.finding.region.peak_index
    rows, columns = (axis for axis in range(3) if axis != source.scan.slice_axis)
    return _place(np.array([[peak[rows], peak[columns]]], float), peak[source.scan.slice_axis], source)


def _place(points: npt.NDArray[np.float64], index: int, source: Source) -> Place:
    """Says where points of a slice are: on its image, or where slices are no images, in the patient.

    Args:
        points: ``(n, 2)`` row and column; a whole number is the middle of a voxel.
        index: The slice.
        source: The images.
    """
    shape = GraphicTypeValues.POLYLINE if len(points) > 1 else GraphicTypeValues.POINT
    if source.is_one_to_one:
        header, frame = source.of_slice[index]
        image = SourceImageForRegion.from_source_image(header, [frame] if frame else None)
        # Columns first, and 0 is the outer edge of the first pixel (PS3.3 C.18.6.1.2).
        return CoordinatesForMeasurement(shape, points[:, ::-1] + 0.5, image)
    places = np.ones((len(points), 4))
    places[:, source.scan.slice_axis] = index
    places[:, [axis for axis in range(3) if axis != source.scan.slice_axis]] = points
    lps = (places @ np.asarray(source.scan.affine, float).T)[:, :3]
    frame_of_reference = str(source.first.FrameOfReferenceUID)
    return CoordinatesForMeasurement3D(GraphicTypeValues3D[shape.name], lps, frame_of_reference)


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
