"""Objects lie where the scan lies, refer to what it was read from, and name nobody else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from napari_d24fad.export.dicom.common import tracked
from napari_d24fad.export.dicom.source import read_source
from napari_d24fad.export.dicom.structured_report import structured_report
from napari_d24fad.export.dicom.writing import save_dicom
from napari_d24fad.export.notice import NOTICE
from napari_d24fad.studies.dicom.series import DicomSeries
from napari_d24fad.studies.files.quiet import quiet
from napari_d24fad.studies.series import Series
from tests.export.dicom.cases import GRID, ORDER, RADIUS_MM, Exported, balls, case, centres, opened
from tests.studies import phantom


def frames(dataset: Dataset) -> list[tuple[np.ndarray, np.ndarray, Dataset]]:
    """Each frame with the LPS mm of its pixels, as the standard says it (PS3.3 C.7.6.2.1.1)."""
    shared = dataset.SharedFunctionalGroupsSequence[0]
    row_step, column_step = (float(each) for each in shared.PixelMeasuresSequence[0].PixelSpacing)
    cosines = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, float)
    rows, columns = np.indices((dataset.Rows, dataset.Columns))
    if "FloatPixelData" in dataset:
        pixels = np.frombuffer(dataset.FloatPixelData, "<f4").reshape(-1, dataset.Rows, dataset.Columns)
    else:
        pixels = dataset.pixel_array.reshape(-1, dataset.Rows, dataset.Columns)
    found = []
    for frame, group in zip(pixels, dataset.PerFrameFunctionalGroupsSequence, strict=True):
        first = np.array(group.PlanePositionSequence[0].ImagePositionPatient, float)
        lps = (
            first
            + columns[..., np.newaxis] * column_step * cosines[:3]
            + rows[..., np.newaxis] * row_step * cosines[3:]
        )
        found.append((frame, lps, group))
    return found


def test_every_value_of_the_map_lies_where_it_belongs(written: Exported) -> None:
    series, entry, folder = written
    dataset = pydicom.dcmread(folder / "map.dcm")
    shown = frames(dataset)
    assert len(shown) == series.grid[0]
    padding = np.float32(dataset.FloatPixelPaddingValue)
    values = np.concatenate([frame.ravel() for frame, _, _ in shown])
    assert (values == padding).sum() == 1
    for frame, lps, _ in shown:
        known = frame != padding
        assert np.abs(frame - phantom.world_value(np.moveaxis(lps, -1, 0)))[known].max() < 2e-3
    mapping = dataset.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
    assert mapping.RealWorldValueSlope == 1
    assert mapping.MeasurementUnitsCodeSequence[0].CodeValue == "1"
    assert padding < entry.found.anomaly.values[np.isfinite(entry.found.anomaly.values)].min()


def test_the_map_is_turned_in_the_digits_of_the_source(tmp_path: Path) -> None:
    """OHIF compares them to the last one; ours are at right angles, those of scanners but for rounding."""
    stated = [0.877583, 0.453774, 0.154707, -0.479426, 0.830622, 0.283188]
    datasets = phantom.slice_datasets(stated, grid=GRID)
    for each in datasets:
        each.ImageOrientationPatient = stated
    phantom.write_series(tmp_path / "source", datasets)
    series = opened(tmp_path / "source")
    save_dicom(tmp_path / "out", case(series), series, ("pm",))
    dataset = pydicom.dcmread(tmp_path / "out" / "map.dcm")
    plane = dataset.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0]
    assert [float(each) for each in plane.ImageOrientationPatient] == stated


@pytest.mark.parametrize("name", ["segmentation.dcm", "labelmap.dcm"])
def test_segments_are_the_voxels_of_the_findings(written: Exported, name: str) -> None:
    _, entry, folder = written
    scan = entry.found.scan
    dataset = pydicom.dcmread(folder / name)
    assert [each.SegmentLabel for each in dataset.SegmentSequence][-2:] == [
        "Finding 1: Hämorrhagie",
        "Finding 2",
    ]
    for number, (mask, centre) in enumerate(zip(balls(scan), centres(scan), strict=True), start=1):
        inside = []
        for frame, lps, group in frames(dataset):
            if name == "labelmap.dcm":
                inside.append(lps[frame == number])
            elif group.SegmentIdentificationSequence[0].ReferencedSegmentNumber == number:
                inside.append(lps[frame == 1])
        places = np.concatenate(inside)
        assert len(places) == mask.sum() > 5
        assert np.linalg.norm(places - centre, axis=1).max() < RADIUS_MM + 1e-3


def test_each_frame_names_the_image_it_lies_on(written: Exported) -> None:
    series, _, folder = written
    source = {str(each.SOPInstanceUID): each for each in map(pydicom.dcmread, series.files)}
    for name in ("map.dcm", "segmentation.dcm"):
        dataset = pydicom.dcmread(folder / name)
        assert {
            each.ReferencedSOPInstanceUID
            for item in dataset.ReferencedSeriesSequence
            for each in item.ReferencedInstanceSequence
        } == set(source)
        if _is_resampled(series) or len(source) == 1:  # frames of a file: below
            continue
        for _, lps, group in frames(dataset):
            (image,) = group.DerivationImageSequence[0].SourceImageSequence
            here = source[image.ReferencedSOPInstanceUID].ImagePositionPatient
            assert np.allclose(lps[0, 0], np.array(here, float), atol=1e-3)


def test_frames_of_a_file_are_named_by_their_number(tmp_path: Path) -> None:
    phantom.write_series(tmp_path / "source", [phantom.enhanced_dataset(grid=GRID, frame_order=ORDER)])
    series = opened(tmp_path / "source")
    save_dicom(tmp_path / "out", case(series), series, ["pm"])
    source = pydicom.dcmread(series.files[0])
    for _, lps, group in frames(pydicom.dcmread(tmp_path / "out" / "map.dcm")):
        (image,) = group.DerivationImageSequence[0].SourceImageSequence
        place = source.PerFrameFunctionalGroupsSequence[int(image.ReferencedFrameNumber) - 1]
        here = place.PlanePositionSequence[0].ImagePositionPatient
        assert np.allclose(lps[0, 0], np.array(here, float), atol=1e-3)


def test_all_belong_to_the_study_of_the_source_and_are_for_research(
    written: Exported,
) -> None:
    series, _, folder = written
    source = pydicom.dcmread(series.files[0])
    objects = [pydicom.dcmread(path) for path in sorted(folder.iterdir())]
    assert len({each.SOPInstanceUID for each in objects}) == len(objects)
    named = {each.SeriesInstanceUID: each.SeriesDescription for each in objects}
    assert len(set(named.values())) == len(named), "a list of series must tell them apart"
    for each in objects:
        assert each.PatientID == source.PatientID
        assert each.PatientName == source.PatientName
        assert each.StudyInstanceUID == source.StudyInstanceUID
        assert each.SeriesInstanceUID != source.SeriesInstanceUID
        assert "research use only" in each.SeriesDescription
        if "FrameOfReferenceUID" in each:
            assert each.FrameOfReferenceUID == source.FrameOfReferenceUID


def test_the_report_measures_each_finding_and_points_at_its_segment(
    written: Exported,
) -> None:
    _, entry, folder = written
    report = highdicom.sr.srread(folder / "report.dcm")
    segments = pydicom.dcmread(folder / "segmentation.dcm")
    assert report.VerificationFlag == "UNVERIFIED"
    groups = report.content.get_volumetric_roi_measurement_groups()
    assert len(groups) == 2
    for group, finding, segment in zip(
        groups, entry.findings.listed[:2], segments.SegmentSequence, strict=True
    ):
        measured = {each.name.meaning: (each.value, each.unit.value) for each in group.get_measurements()}
        assert measured["Volume"] == (pytest.approx(finding.region.volume_mm3), "mm3")
        assert measured["Anomaly map value"] == (pytest.approx(finding.region.peak), "1")
        assert group.tracking_uid == segment.TrackingUID
        (reference,) = [each for each in group.referenced_segment if "ReferencedSOPSequence" in each][:1]
        assert reference.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == segments.SOPInstanceUID
        assert reference.ReferencedSOPSequence[0].ReferencedSegmentNumber == segment.SegmentNumber


def test_the_longest_diameter_is_a_line_on_its_image(written: Exported) -> None:
    """In a group of its own, as none may stand in that of a segment (TID 1411)."""
    series, entry, folder = written
    report = highdicom.sr.srread(folder / "report.dcm")
    scan = entry.found.scan
    groups = report.content.get_image_measurement_groups()
    for group, finding in zip(groups, entry.findings.listed[:2], strict=True):
        assert finding.diameters_mm is not None
        longest, across = group.get_measurements()
        assert (longest.value, across.value) == pytest.approx(finding.diameters_mm)
        (line,) = longest.referenced_coordinates
        if line.ValueType == "SCOORD":
            named = line.ContentSequence[0].ReferencedSOPSequence[0]
            header, frame = read_source(series).of_slice[finding.slice_index]
            assert named.ReferencedSOPInstanceUID == header.SOPInstanceUID
            assert named.get("ReferencedFrameNumber") == frame
            ends = np.reshape(line.GraphicData, (2, 2))[:, ::-1] - 0.5  # rows and columns, from middles
            lps = [(scan.affine @ [finding.slice_index, *end, 1])[:3] for end in ends]
        else:  # of slices that are no images
            assert series.regrid is not None
            assert line.ReferencedFrameOfReferenceUID == series.identity.frame_of_reference_uid
            lps = list(np.reshape(line.GraphicData, (2, 3)))
        assert np.linalg.norm(lps[1] - lps[0]) == pytest.approx(finding.diameters_mm[0], rel=1e-4)
        middle = centres(scan)[finding.number - 1]
        assert max(np.linalg.norm(end - middle) for end in lps) < RADIUS_MM + 1.5


def test_a_finding_without_an_outline_has_its_highest_place(written: Exported, tmp_path: Path) -> None:
    series, entry, _ = written
    source = replace(read_source(series), scan=entry.found.scan)
    finding = replace(entry.findings.listed[0], mask=None, diameters_mm=None)
    with quiet():
        made = structured_report(source, entry.found.anomaly, [tracked(finding, source)], None, 1)
    made.save_as(tmp_path / "report.dcm")
    report = highdicom.sr.srread(tmp_path / "report.dcm")
    (group,) = report.content.get_image_measurement_groups()
    (point,) = [place for each in group.get_measurements() for place in each.referenced_coordinates or ()]
    lps = (entry.found.scan.affine @ [*finding.region.peak_index, 1])[:3]
    if point.ValueType == "SCOORD":
        assert point.GraphicData == [finding.region.peak_index[2] + 0.5, finding.region.peak_index[1] + 0.5]
    else:
        np.testing.assert_allclose(point.GraphicData, lps, atol=1e-3)


def test_a_key_slice_lies_where_the_slice_lies(written: Exported) -> None:
    series, _, folder = written
    dataset = pydicom.dcmread(folder / "key_slice_01.dcm")
    assert dataset.BurnedInAnnotation == "NO"
    resampled = _is_resampled(series)
    if resampled or series.outline.is_colour:  # resampled; or its greys are not those of the phantom
        assert ("ImagePositionPatient" in dataset) == (not resampled)
        return
    step = float(dataset.PixelSpacing[0])
    cosines = np.array(dataset.ImageOrientationPatient, float)
    first = np.array(dataset.ImagePositionPatient, float)
    scan = series.outline
    # The middle of the slice, where neither letters nor outlines are.
    centre = np.array(scan.grid) / 2 - 0.5
    image = dataset.SourceImageSequence[0]
    centre[0] = _slice_of(series, image)
    lps = (scan.affine @ [*centre, 1])[:3]
    column, row = (lps - first) @ cosines[:3] / step, (lps - first) @ cosines[3:] / step
    assert (lps - first) @ np.cross(cosines[:3], cosines[3:]) == pytest.approx(0, abs=1e-3)
    rows, columns = np.mgrid[
        round(row) - 60 : round(row) + 61 : 5, round(column) - 40 : round(column) + 41 : 5
    ]
    places = first + columns[..., None] * step * cosines[:3] + rows[..., None] * step * cosines[3:]
    values = phantom.world_value(np.moveaxis(places, -1, 0)).ravel()
    grey = dataset.pixel_array[rows, columns].mean(axis=-1).ravel()
    slope, rest = np.polyfit(values, grey, 1)
    assert slope > 0
    # A voxel is a step of several greys; half of one is what a pixel may be off.
    assert (
        np.abs(grey - (slope * values + rest)).max()
        < 0.6 * slope * np.abs(scan.affine[:3, 1:3].T @ [2, 3, 5]).sum()
    )


def _is_resampled(series: Series) -> bool:
    assert isinstance(series, DicomSeries)
    return series.regrid is not None


def _slice_of(series: Series, image: Dataset) -> int:
    sources = [pydicom.dcmread(path, stop_before_pixels=True) for path in series.files]
    if len(sources) == 1:
        place = sources[0].PerFrameFunctionalGroupsSequence[int(image.ReferencedFrameNumber) - 1]
        here = place.PlanePositionSequence[0].ImagePositionPatient
    else:
        (found,) = [each for each in sources if each.SOPInstanceUID == image.ReferencedSOPInstanceUID]
        here = found.ImagePositionPatient
    return round(float((np.linalg.inv(series.outline.affine) @ [*map(float, here), 1])[0]))


def test_each_finding_has_its_key_slice_and_the_selection_names_all(
    written: Exported,
) -> None:
    folder = written.folder
    captures = [pydicom.dcmread(path) for path in sorted(folder.glob("key_slice_*.dcm"))]
    assert len(captures) == 2
    selection = pydicom.dcmread(folder / "key_objects.dcm")
    named = [
        each.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        for each in selection.ContentSequence
        if each.ValueType == "IMAGE"
    ]
    assert named == [each.SOPInstanceUID for each in captures]
    assert any(NOTICE in each.get("TextValue", "") for each in selection.ContentSequence)
