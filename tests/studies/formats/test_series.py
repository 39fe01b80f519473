"""Files of other programs that tell less than where the patient's left is, and what is not read."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK
from PIL import Image

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.study import open_scans, open_study
from tests.studies import phantom

VALUES = np.arange(8 * 12 * 10, dtype=np.int16).reshape(8, 12, 10)


def itk(path: Path, values: np.ndarray = VALUES, *, vectors: bool = False) -> Path:
    image = SimpleITK.GetImageFromArray(values, isVector=vectors)
    image.SetSpacing((0.75, 1.5, 4.0))
    SimpleITK.WriteImage(image, str(path))
    return path


def without(path: Path, *keys: str) -> Path:
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(
        b"\n".join(line for line in lines if not line.startswith(tuple(k.encode() for k in keys)))
    )
    return path


def lengths_only(path: Path) -> None:
    (series,) = open_study(path).series
    assert series.spacing is not None
    assert sorted(series.spacing) == [0.75, 1.5, 4.0]
    assert series.plane is None
    assert "sides not known" in series.label
    scan = series.load()
    assert not scan.in_patient
    assert [problem.code for problem in scan.problems] == [Code.AMBIGUOUS_GEOMETRY]
    np.testing.assert_array_equal(scan.voxels, VALUES)


def refused(path: Path, says: str, code: Code = Code.NOT_AN_IMAGE) -> None:
    with pytest.raises(StudyError) as caught:
        open_study(path)
    assert caught.value.code is code
    assert says in caught.value.detail
    assert path.name not in str(caught.value)


def test_metaimage_that_states_no_directions(tmp_path: Path) -> None:
    lengths_only(without(itk(tmp_path / "v.mha"), "TransformMatrix", "Offset"))


def test_nrrd_that_states_no_space(tmp_path: Path) -> None:
    path = itk(tmp_path / "v.nrrd")
    header, _, voxels = path.read_bytes().partition(b"\n\n")
    kept = [line for line in header.split(b"\n") if not line.startswith((b"space", b"#"))]
    path.write_bytes(b"\n".join([*kept, b"spacings: 0.75 1.5 4"]) + b"\n\n" + voxels)
    lengths_only(path)


def test_analyze_never_tells_sides(tmp_path: Path) -> None:
    image = nibabel.AnalyzeImage(VALUES.T, np.diag([0.75, 1.5, 4.0, 1]))
    nibabel.save(image, tmp_path / "v.img")
    lengths_only(tmp_path / "v.img")
    lengths_only(tmp_path / "v.hdr")


def test_freesurfer_that_says_its_directions_are_not_good(tmp_path: Path) -> None:
    path = tmp_path / "v.mgh"
    nibabel.save(nibabel.MGHImage(VALUES.T.astype(np.float32), np.diag([0.75, 1.5, 4.0, 1])), path)
    content = bytearray(path.read_bytes())
    content[28:30] = struct.pack(">h", 0)
    path.write_bytes(content)
    (series,) = open_study(path).series
    assert series.spacing is None
    assert [problem.code for problem in series.load().problems] == [Code.AMBIGUOUS_GEOMETRY]


def test_colour_and_vectors(tmp_path: Path) -> None:
    colours = np.random.default_rng(1).integers(0, 255, (8, 12, 10, 3), dtype=np.uint8)
    for name in ("v.mha", "v.nrrd"):
        path = itk(tmp_path / name, colours, vectors=True)
        if name.endswith("nrrd"):
            path.write_bytes(path.read_bytes().replace(b"kinds: vector", b"kinds: RGB-color"))
        (series,) = open_study(path).series
        np.testing.assert_array_equal(series.load().voxels, colours)
    for name in ("f.mha", "f.nrrd"):
        refused(itk(tmp_path / name, colours.astype(np.float32), vectors=True), "vectors")


@pytest.mark.parametrize("kind", [np.uint16, np.float32])
def test_colours_of_more_than_8_bits_are_refused(tmp_path: Path, kind: type) -> None:
    path = itk(tmp_path / "c.nrrd", np.zeros((4, 5, 6, 3), kind), vectors=True)
    path.write_bytes(path.read_bytes().replace(b"kinds: vector", b"kinds: RGB-color"))
    assert b"RGB-color" in path.read_bytes()
    refused(path, "8 bits")


@pytest.mark.parametrize("name", ["v.nrrd", "v.mha", "v.nii.gz"])
def test_a_file_that_is_gone_is_not_called_damaged(tmp_path: Path, name: str) -> None:
    (series,) = open_study(itk(tmp_path / name)).series
    (tmp_path / name).unlink()
    with pytest.raises(StudyError) as caught:
        series.load()
    assert caught.value.code is Code.PATH_MISSING


def test_a_volume_that_became_another_meanwhile(tmp_path: Path) -> None:
    path = itk(tmp_path / "v.mha")
    (series,) = open_study(path).series
    itk(path, VALUES.repeat(2, axis=0))
    with pytest.raises(StudyError) as caught:
        series.load()
    assert caught.value.code is Code.PATH_MISSING


@pytest.mark.parametrize("name", ["v.mha", "v.mhd", "v.nrrd"])
def test_damaged_compression_is_not_read(tmp_path: Path, name: str) -> None:
    """ITK returns what it could inflate, and 0 or worse for the rest, without an error."""
    values = np.random.default_rng(2).integers(0, 999, VALUES.shape).astype(np.int16)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(values), str(tmp_path / name), True)
    (series,) = open_study(tmp_path / name).series
    np.testing.assert_array_equal(series.load().voxels, values)
    path = tmp_path / "v.zraw" if name == "v.mhd" else tmp_path / name
    content = bytearray(path.read_bytes())
    content[-700] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(StudyError) as caught:
        series.load()
    assert caught.value.code is Code.TRUNCATED


def test_half_of_a_pair(tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti1Pair(VALUES.T, np.eye(4)), tmp_path / "v.img")
    (tmp_path / "v.img").rename(tmp_path / "w.img")
    refused(tmp_path / "v.hdr", "(.img) is not beside it", Code.TRUNCATED)
    refused(tmp_path / "w.img", "(.hdr) is not beside it")


def test_both_pieces_dropped_together_are_one_scan(tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti1Pair(VALUES.T, np.eye(4)), tmp_path / "v.img")
    (series,) = open_scans([tmp_path / "v.img", tmp_path / "v.hdr"]).series
    np.testing.assert_array_equal(series.load().voxels, VALUES)


def test_pieces_stay_together_in_an_archive(tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti1Pair(VALUES.T, np.eye(4)), tmp_path / "v.img")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("v.hdr", "v.img"):
            archive.write(tmp_path / name, f"study/{name}")
    (series,) = open_study(tmp_path / "a.zip").series
    np.testing.assert_array_equal(series.load().voxels, VALUES)


def test_dicom_files_that_are_called_like_other_formats(tmp_path: Path) -> None:
    for number, dataset in enumerate(phantom.slice_datasets()):
        phantom.save(dataset, tmp_path / f"IM{number}.img")
    (series,) = open_study(tmp_path).series
    assert series.kind == "DICOM"
    assert series.grid == phantom.GRID


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.pdf", b"%PDF-1.7 ...", "a PDF document"),
        ("report", b"%PDF-1.7 ...", "a PDF document"),
        ("a.czi", b"ZISRAWFILE\0\0\0\0\0\0", "a Zeiss CZI file"),
        ("a.nd2", b"\xda\xce\xbe\n....", "a Nikon ND2 file"),
        ("a.svs", b"II*\0....", "a TIFF file"),
        ("a.par", b"# === DATA DESCRIPTION FILE ===", "a Philips PAR/REC file"),
        ("a.gif", b"GIF89a....", "a GIF picture"),
        ("a.exe", b"MZ\x90\0....", "a Windows program"),
        ("a.v", b"MATRIX72v....", "an ECAT file"),
        ("a.h5", b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        ("a.tgz", b"\x1f\x8b\x08 not a volume", "an archive"),
        ("a.txt", b"hello", "a text file"),
        ("IM1", b"not anything that is known", "not a DICOM file"),
        ("a.nrrd", b"hello", "not an NRRD file"),
        ("a.mha", b"hello", "not a MetaImage"),
    ],
)
def test_what_is_not_read_is_called_by_its_name(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    refused(tmp_path / name, says)


def test_a_stack_of_pages_is_called_one(tmp_path: Path) -> None:
    pages = [Image.fromarray(np.full((8, 8), value, np.uint8)) for value in (1, 2, 3)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    refused(tmp_path / "a.tif", "a TIFF stack of 3 pages")


@pytest.mark.parametrize("suffix", [".nrrd", ".mha", ".mgh"])
def test_a_header_that_promises_too_much(tmp_path: Path, suffix: str) -> None:
    """Ten million times as many voxels as there are: nothing of that size is taken."""
    headers = {
        ".nrrd": b"NRRD0004\ntype: short\ndimension: 3\nsizes: 99999 99999 99999\nencoding: raw\n\n",
        ".mha": b"NDims = 3\nDimSize = 99999 99999 99999\nElementType = MET_SHORT\nElementDataFile = LOCAL\n",
        ".mgh": struct.pack(">7i", 1, 99999, 99999, 99999, 1, 3, 0) + bytes(400),
    }
    (tmp_path / f"v{suffix}").write_bytes(headers[suffix] + bytes(100))
    refused(tmp_path / f"v{suffix}", "GiB", Code.TOO_LARGE)
