"""Segmentations of ours and of dcmqi open on the voxels of the scan that they were made on."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
import SimpleITK
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, generate_uid

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.export.dicom.common import made_by, origin
from napari_d24fad.export.dicom.source import read_source
from napari_d24fad.export.dicom.writing import save_dicom
from napari_d24fad.findings.finding import Verdict
from napari_d24fad.studies.files.quiet import quiet
from napari_d24fad.studies.segments.files import is_segmentation, segmentation_files
from napari_d24fad.studies.segments.fitting import is_source, on_scan
from napari_d24fad.studies.segments.segmentation import read_segmentation
from tests.export.dicom.cases import GRID, RADIUS_MM, Exported, balls, case, centres, opened
from tests.studies import phantom

_META = {
    "ContentCreatorName": "Reader",
    "SeriesDescription": "Segmentation",
    "SeriesNumber": "300",
    "InstanceNumber": "1",
    "segmentAttributes": [
        [
            {
                "labelID": label,
                "SegmentLabel": f"Ball {label}",
                "SegmentDescription": "Ball",
                "SegmentAlgorithmType": "MANUAL",
                "SegmentedPropertyCategoryCodeSequence": {
                    "CodeValue": "49755003",
                    "CodingSchemeDesignator": "SCT",
                    "CodeMeaning": "Morphologically Abnormal Structure",
                },
                "SegmentedPropertyTypeCodeSequence": {
                    "CodeValue": "4147007",
                    "CodingSchemeDesignator": "SCT",
                    "CodeMeaning": "Mass",
                },
                "recommendedDisplayRGBValue": [255, 0, 0],
            }
            for label in (1, 2)
        ]
    ],
}


def refused(path: Path, code: Code) -> str:
    with pytest.raises(StudyError) as raised:
        read_segmentation(path)
    assert raised.value.code is code
    return str(raised.value)


@pytest.mark.parametrize("name", ["segmentation.dcm", "labelmap.dcm"])
def test_our_own_lies_on_the_voxels_of_its_findings(written: Exported, name: str) -> None:
    series, entry, folder = written
    segments = read_segmentation(folder / name)
    assert is_source(segments, series.outline)
    assert segments.names == {1: "Finding 1: Hämorrhagie", 2: "Finding 2"}
    (labels,) = on_scan(segments, series.outline)
    for number, mask in enumerate(balls(entry.found.scan), start=1):
        np.testing.assert_array_equal(labels == number, mask)


def test_one_of_dcmqi_lies_where_it_was_drawn(written: Exported, tmp_path: Path) -> None:
    """Of a tilted gantry it was drawn on the slices that were straightened."""
    series, entry, folder = written
    scan, sources = entry.found.scan, folder.parent / "source"
    if len(list(sources.iterdir())) == 1:
        pytest.skip("dcmqi 1.5.7 ends with an error where the source is enhanced")
    labels = np.zeros(scan.grid, np.uint8)
    for number, mask in enumerate(balls(scan), start=1):
        labels[mask] = number
    image = SimpleITK.GetImageFromArray(labels)
    along = np.asarray(scan.affine)[:3, [2, 1, 0]]
    lengths = np.linalg.norm(along, axis=0)
    image.SetSpacing(lengths.tolist())
    image.SetDirection((along / lengths).ravel().tolist())
    image.SetOrigin(scan.affine[:3, 3].tolist())
    SimpleITK.WriteImage(image, str(tmp_path / "labels.nrrd"))
    (tmp_path / "meta.json").write_text(json.dumps(_META))
    made = tmp_path / "dcmqi.dcm"
    words = [
        *("--inputImageList", tmp_path / "labels.nrrd", "--inputDICOMDirectory", sources),
        *("--inputMetadata", tmp_path / "meta.json", "--outputDICOM", made),
    ]
    program = Path(sys.executable).with_name("itkimage2segimage")
    run = subprocess.run(
        [str(each) for each in (program, *words)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    segments = read_segmentation(made)
    assert list(segments.names.values()) == ["Ball 1", "Ball 2"]
    (found,) = on_scan(segments, series.outline)
    np.testing.assert_array_equal(found, labels)


@pytest.fixture(scope="module")
def oblique(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """An oblique series with segmentations whose first and third segment overlap."""
    folder = tmp_path_factory.mktemp("oblique")
    phantom.write_series(folder / "source", phantom.slice_datasets(phantom.OBLIQUE, grid=GRID))
    series = opened(folder / "source")
    entry = case(series)
    entry = replace(entry, findings=entry.findings.judge(3, Verdict.ACCEPTED))
    save_dicom(folder / "out", entry, series, ("seg",))
    return Exported(series, entry, folder / "out")


def test_alone_it_lies_in_its_own_frame(oblique: Exported) -> None:
    segments = read_segmentation(oblique.folder / "segmentation.dcm")
    for number, centre in enumerate(centres(oblique.entry.found.scan), start=1):
        index = np.argwhere(segments.layers[0] == number)
        lps = index @ segments.affine[:3, :3].T + segments.affine[:3, 3]
        assert np.linalg.norm(lps - centre, axis=1).max() < RADIUS_MM + 1e-3


def test_segments_that_overlap_hide_nothing(oblique: Exported) -> None:
    first, second = on_scan(read_segmentation(oblique.folder / "segmentation.dcm"), oblique.series.outline)
    one, other = balls(oblique.entry.found.scan)
    np.testing.assert_array_equal(first, one + 2 * other)
    np.testing.assert_array_equal(second, 3 * one)


def test_shares_count_from_a_half(oblique: Exported, tmp_path: Path) -> None:
    source = read_source(oblique.series)
    shares = np.zeros((*oblique.series.grid, 1))
    shares[2, 3, 4], shares[3, 4, 5], shares[4, 5, 6] = 0.4, 0.5, 1.0
    with quiet():
        made = highdicom.seg.Segmentation(
            list(source.headers),
            shares,
            highdicom.seg.SegmentationTypeValues.FRACTIONAL,
            list(highdicom.seg.segread(oblique.folder / "segmentation.dcm").SegmentSequence[:1]),
            max_fractional_value=100,
            **origin(source, 1),
            **{key: value for key, value in made_by().items() if key != "manufacturer"},
        )
    made.save_as(tmp_path / "shares.dcm")
    segments = read_segmentation(tmp_path / "shares.dcm")
    assert segments.is_halved
    (labels,) = on_scan(segments, oblique.series.outline)
    assert np.argwhere(labels).tolist() == [[3, 4, 5], [4, 5, 6]]


def test_one_that_does_not_fit_is_refused(oblique: Exported, tmp_path: Path) -> None:
    dataset = pydicom.dcmread(oblique.folder / "segmentation.dcm")
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        x, y, z = frame.PlanePositionSequence[0].ImagePositionPatient
        frame.PlanePositionSequence[0].ImagePositionPatient = [float(x) + 0.3, y, z]
    dataset.save_as(tmp_path / "moved.dcm")
    with pytest.raises(StudyError, match=r"S07.*not those of the scan"):
        on_scan(read_segmentation(tmp_path / "moved.dcm"), oblique.series.outline)
    dataset.FrameOfReferenceUID = generate_uid()
    dataset.save_as(tmp_path / "elsewhere.dcm")
    with pytest.raises(StudyError, match=r"S07.*frame of reference"):
        on_scan(read_segmentation(tmp_path / "elsewhere.dcm"), oblique.series.outline)
    for number, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        frame.PlanePositionSequence[0].ImagePositionPatient = [number, number * number, 0]
    dataset.save_as(tmp_path / "slanted.dcm")
    refused(tmp_path / "slanted.dcm", Code.AMBIGUOUS_GEOMETRY)
    dataset = pydicom.dcmread(oblique.folder / "segmentation.dcm")
    dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing = [0, 1]
    dataset.save_as(tmp_path / "flat.dcm")
    refused(tmp_path / "flat.dcm", Code.AMBIGUOUS_GEOMETRY)


def test_other_and_damaged_files_are_refused(oblique: Exported, tmp_path: Path) -> None:
    file, source = oblique.folder / "segmentation.dcm", next((oblique.folder.parent / "source").iterdir())
    assert not is_segmentation(source)
    assert not is_segmentation(tmp_path)
    assert segmentation_files([oblique.folder.parent, file]) == [file]
    refused(source, Code.NOT_AN_IMAGE)
    (tmp_path / "cut.dcm").write_bytes(file.read_bytes()[:-40])
    refused(tmp_path / "cut.dcm", Code.CONTRADICTORY_PIXELS)
    dataset = pydicom.dcmread(file)
    frames, dataset.NumberOfFrames = dataset.NumberOfFrames, 2**31 - 1
    dataset.save_as(tmp_path / "large.dcm")
    refused(tmp_path / "large.dcm", Code.TOO_LARGE)
    dataset.NumberOfFrames = frames
    dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless
    dataset.PixelData = encapsulate([b"no codestream"])
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(tmp_path / "compressed.dcm")
    refused(tmp_path / "compressed.dcm", Code.UNSUPPORTED_PIXELS)
