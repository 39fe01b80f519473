"""Files that are cut, empty or no image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import (
    MPEG4HP41,
    BasicTextSRStorage,
)

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.study import open_study
from tests.studies import phantom
from tests.studies.dicom.opened import only, refused

NOISE = np.random.default_rng(3)


def test_a_missing_decoder_is_known_from_the_header(tmp_path: Path) -> None:
    dataset = phantom.image_dataset(NOISE.integers(0, 255, (16, 16), dtype=np.uint8))
    dataset.file_meta.TransferSyntaxUID = MPEG4HP41
    dataset.PixelData = encapsulate([b"\xff\xd8 12"])
    path = phantom.save(dataset, tmp_path / "jpeg")
    assert only(path).refusal is not None
    assert only(path).problems == ()
    assert "MPEG-4" in refused(path, Code.UNSUPPORTED_PIXELS).detail


@pytest.mark.parametrize("cut", [0.999, 0.9, 0.5, 0.25])
def test_truncated_file(tmp_path: Path, cut: float) -> None:
    path = phantom.save(
        phantom.image_dataset(NOISE.integers(0, 9, (40, 40)).astype(np.int16)), tmp_path / "t"
    )
    path.write_bytes(path.read_bytes()[: int(cut * path.stat().st_size)])
    refused(path, Code.TRUNCATED)


def test_truncated_slice_in_a_series(tmp_path: Path) -> None:
    paths = phantom.write_series(tmp_path, phantom.slice_datasets())
    paths[3].write_bytes(paths[3].read_bytes()[:-10])
    assert only(tmp_path).thumbnail().size
    refused(tmp_path, Code.TRUNCATED)


def test_truncated_enhanced_file(tmp_path: Path) -> None:
    path = phantom.save(phantom.enhanced_dataset(), tmp_path / "e")
    whole = path.read_bytes()
    pixels = whole.rindex(b"\xe0\x7f\x10\x00")  # the tag (7FE0,0010)
    for cut in np.linspace(pixels, len(whole) - 2, 12, dtype=int):
        path.write_bytes(whole[:cut])
        refused(path, Code.TRUNCATED)
    for cut in range(300, pixels, 7):
        path.write_bytes(whole[:cut])
        with pytest.raises(StudyError) as caught:
            only(path).load()
        # Cut within the class of the object, it no longer says that it is an image.
        assert caught.value.code in (Code.TRUNCATED, Code.NOT_AN_IMAGE)


def test_float_pixels_that_are_not_numbers(tmp_path: Path) -> None:
    dataset = phantom.image_dataset(np.zeros((4, 4), np.int32), modality="OT")
    del dataset.PixelData
    for name in ("BitsStored", "HighBit", "PixelRepresentation"):
        delattr(dataset, name)
    values = NOISE.normal(size=(4, 4)).astype(np.float32)
    dataset.FloatPixelData = values.tobytes()
    path = phantom.save(dataset, tmp_path / "f")
    np.testing.assert_array_equal(only(path).load().voxels[0], values)
    for value in (np.nan, np.inf):
        values[0, 0] = value
        dataset.FloatPixelData = values.tobytes()
        phantom.save(dataset, path)
        if np.isnan(value):  # what was not measured
            np.testing.assert_array_equal(only(path).load().voxels[0], values)
        else:
            refused(path, Code.NOT_FINITE)


def test_a_report_is_no_image(tmp_path: Path) -> None:
    report = phantom.image_dataset(np.zeros((4, 4), np.int16), sop_class=BasicTextSRStorage, modality="SR")
    for name in ("Rows", "Columns", "PixelData"):
        delattr(report, name)
    with pytest.raises(StudyError) as caught:
        open_study(phantom.save(report, tmp_path / "sr"))
    assert caught.value.code is Code.NOT_AN_IMAGE
    assert "Basic Text SR" in caught.value.detail


def test_a_scan_of_padding_only_holds_no_anatomy(tmp_path: Path) -> None:
    dataset = phantom.image_dataset(np.full((4, 4), -2000, np.int16))
    dataset.PixelPaddingValue = -2000
    refused(phantom.save(dataset, tmp_path / "p"), Code.CONSTANT_IMAGE)
