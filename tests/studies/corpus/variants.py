"""Good files of rare make: what archives, converters and anonymisers turn others into."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import SimpleITK
from pydicom.dataset import Dataset
from pydicom.fileset import FileSet
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from napari_d24fad.errors import Code
from tests.studies import phantom
from tests.studies.corpus.build import affine_of, changed, even, positions, slices, volume, written
from tests.studies.corpus.case import Case, Refused, Volume
from tests.studies.corpus.mosaics import mosaic, vframe
from tests.studies.corpus.multiframe import saved
from tests.studies.corpus.unusual import tomogram

_SPLIT = (Code.SPLIT_SERIES,)
_UIH = Volume(affine_of(positions(even(20), phantom.OBLIQUE), phantom.OBLIQUE), (20, 12, 10))
_MOSAIC = Volume(affine_of(positions(even(7))), (7, 12, 10))
_FOUR = positions(even(4))
_PHILIPS = "Philips MR Imaging DD 005"
_OBLIQUE = np.array([[0.8, -0.6, 0], [0.36, 0.48, -0.8], [0.48, 0.64, 0.6]]) * (0.75, 1.5, 4.0)


def _implicit(dataset: Dataset) -> Dataset:
    """The same as a file without kinds of values: private attributes become unknown ones (UN)."""
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    file.seek(0)
    return pydicom.dcmread(file)


def _unknown(folder: Path) -> None:
    """A private sequence that an archive took over as UN, in Explicit VR."""
    dataset = _implicit(vframe())
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(folder / "1", implicit_vr=False, little_endian=True, enforce_file_format=True)


def _two_weightings(folder: Path) -> None:
    for number in range(2):
        dataset = vframe()
        dataset.DiffusionBValue, dataset.InstanceNumber = 1000.0 * number, number + 1
        phantom.save(dataset, folder / str(number))


def _kernels(distances: tuple[list[float], list[float]], **blank: str) -> Callable[[], list[Dataset]]:
    """Two reconstructions, of which an anonymiser replaced the identifiers; each counts from 1."""

    def make() -> list[Dataset]:
        datasets = []
        for kernel, places in zip(("B30f", "B70h"), distances, strict=True):
            for dataset in slices(positions(places), modality="CT"):
                dataset.ConvolutionKernel = kernel
                for name, value in blank.items():
                    setattr(dataset, name, value)
                dataset.file_meta.MediaStorageSOPInstanceUID = "2.25.1"
                datasets.append(dataset)
        return datasets

    return make


def _kernel(distances: list[float], name: str) -> Volume:
    return volume(places=positions(distances), problems=_SPLIT, name=f"kernel {name}")


_BLANK = dict.fromkeys(
    ("SeriesInstanceUID", "StudyInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID", "PatientID"), ""
)
_LOWER, _BETWEEN = even(6, 8.0), np.add(even(6, 8.0), 4.0).tolist()


_NEAR = positions(even(), origin=(-10, 10, -50))


def _twelve_bits() -> list[Dataset]:
    datasets = slices(_NEAR)
    for dataset in datasets:
        pixels = np.frombuffer(dataset.PixelData, np.int16).copy()
        pixels[:3] = -2048
        dataset.PixelData = (pixels & 0x0FFF).astype(np.uint16).tobytes()
        dataset.BitsStored, dataset.HighBit = 12, 11
        dataset.add_new(0x00280120, "US", 2048)
    return datasets


def _padding_range(dataset: Dataset, index: int) -> None:
    pixels = np.frombuffer(dataset.PixelData, np.int16).copy()
    pixels[:3], pixels[3:5] = -2000, -1500
    dataset.PixelData = pixels.tobytes()
    dataset.add_new(0x00280120, "US", 2**16 - 2000)
    dataset.add_new(0x00280121, "US", 2**16 - 1000)


def _parts_of_ge() -> list[Dataset]:
    datasets = []
    for part in range(4):
        for index, dataset in enumerate(slices(_FOUR)):
            dataset.private_block(0x0043, "GEMS_PARM_01", create=True).add_new(0x2F, "SS", part)
            dataset.InstanceNumber = 4 * index + part + 1
            datasets.append(dataset)
    return datasets


def _gated() -> Dataset:
    dataset = tomogram()()
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "RECON GATED TOMO", "EMISSION"]
    dataset.NumberOfFrames, dataset.SliceVector = 16, [*range(1, 9)] * 2
    dataset.NumberOfTimeSlots, dataset.TimeSlotVector = 2, [1] * 8 + [2] * 8
    dataset.PixelData *= 2
    return dataset


def _disc(folder: Path) -> None:
    """A directory with a small picture of each image, which the images hold as well."""
    icon = phantom.image_dataset(np.zeros((64, 64), np.uint8))
    icon.remove_private_tags()
    for name in ("file_meta", "SOPClassUID", "SOPInstanceUID", "PatientID", "PatientName"):
        delattr(icon, name)
    files = FileSet()
    for dataset in slices(positions(even())):
        dataset.StudyID, dataset.StudyDate, dataset.StudyTime = "1", "20200101", "120000"
        dataset.IconImageSequence = [icon]
        files.add(dataset)
    files.write(folder)
    files._stage["t"].cleanup()  # pydicom leaves it to the garbage collector, which warns
    directory = pydicom.dcmread(folder / "DICOMDIR")
    for record in directory.DirectoryRecordSequence:
        if record.DirectoryRecordType == "IMAGE":
            record.IconImageSequence = [icon]
    directory.save_as(folder / "DICOMDIR")


def _oblique() -> np.ndarray:
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = _OBLIQUE, phantom.ORIGIN
    return affine


def _values() -> np.ndarray:
    """As files store them, ``(columns, rows, slices)``."""
    return np.round(phantom.values_on(_oblique()[:, [2, 1, 0, 3]], (8, 12, 10))).astype(np.int16).T


def _times_first(folder: Path) -> Path:
    """An NRRD file that counts time along its first axis."""
    lps = _oblique()
    directions = " ".join("({:g},{:g},{:g})".format(*lps[:3, axis]) for axis in range(3))
    origin = "({:g},{:g},{:g})".format(*lps[:3, 3])
    header = f"""NRRD0005
type: int16
dimension: 4
space: left-posterior-superior
sizes: 3 10 12 8
space directions: none {directions}
kinds: list domain domain domain
endian: little
encoding: gzip
space origin: {origin}
DWMRI_b-value:=1000

"""
    path = folder / "times.nrrd"
    content = np.stack([_values()] * 3).tobytes(order="F")
    path.write_bytes(header.encode() + gzip.compress(content, mtime=0))
    return path


def _four_volumes(folder: Path) -> Path:
    path = folder / "four.mgz"
    ras = np.diag([-1.0, -1.0, 1.0, 1.0]) @ _oblique()
    nibabel.save(nibabel.MGHImage(np.stack([_values()] * 4, axis=-1), ras), path)
    return path


def _renamed(build: Callable[[Path], Path], name: str) -> Callable[[Path], Path]:
    return lambda folder: build(folder).rename(folder / name)


def _written_by_itk(suffix: str) -> Callable[[Path], Path]:
    def build(folder: Path) -> Path:
        image = SimpleITK.GetImageFromArray(_values().T)
        lengths = np.linalg.norm(_OBLIQUE, axis=0)
        image.SetSpacing(lengths.tolist())
        image.SetDirection((_OBLIQUE / lengths).ravel().tolist())
        image.SetOrigin(phantom.ORIGIN)
        SimpleITK.WriteImage(image, str(folder / f"v{suffix}"))
        return folder / f"v{suffix}"

    return build


_SLANTED = Volume(_oblique()[:, [2, 1, 0, 3]], (8, 12, 10))


def _empty_rescale(dataset: Dataset, index: int) -> None:
    dataset.RescaleSlope = dataset.RescaleIntercept = None


def _empty_half(dataset: Dataset, index: int) -> None:
    dataset.RescaleIntercept = None


def _flat_rescale(dataset: Dataset, index: int) -> None:
    dataset.RescaleSlope, dataset.RescaleIntercept = "0", "-100"


CASES = (
    Case("rescale that is empty", written(changed(_empty_rescale)), (volume(),)),
    Case("rescale of which half is empty and half is missing", written(changed(_empty_half)), (volume(),)),
    Case(
        "rescale of slope 0",
        written(changed(_flat_rescale)),
        (Refused(Code.CONTRADICTORY_PIXELS, "The slope of its rescale is 0"),),
        compared=False,
    ),
    Case("UIH, Implicit VR", saved(lambda: _implicit(vframe())), (_UIH,)),
    Case("UIH, its sequence of a kind that was not known", _unknown, (_UIH,)),
    Case(
        "UIH, two b-values",
        _two_weightings,
        tuple(Volume(_UIH.affine, _UIH.grid, _SPLIT, name=name) for name in ("b 0", "b 1000")),
    ),
    Case("mosaic, Implicit VR", saved(lambda: _implicit(mosaic())), (_MOSAIC,)),
    Case(
        "mosaic, Implicit VR, counted in another attribute",
        saved(lambda: _implicit(mosaic(private_count=True))),
        (_MOSAIC,),
    ),
    Case(
        "two kernels of one SOP Instance UID, in the same places",
        written(_kernels((even(6), even(6)), SOPInstanceUID="2.25.1")),
        (_kernel(even(6), "B30f"), _kernel(even(6), "B70h")),
    ),
    Case(
        "two kernels without identifiers, which interleave",
        written(_kernels((_LOWER, _BETWEEN), **_BLANK)),
        (_kernel(_LOWER, "B30f"), _kernel(_BETWEEN, "B70h")),
    ),
    Case(
        "padding of twelve signed bits stated as unsigned",
        written(_twelve_bits),
        (volume(places=_NEAR, problems=(Code.PADDING,), padding=24),),
    ),
    Case(
        "a range of padding of signed values stated as unsigned",
        written(changed(_padding_range)),
        (volume(problems=(Code.PADDING,), padding=40),),
    ),
    Case(
        "complex images of GE",
        written(_parts_of_ge),
        tuple(
            volume(places=_FOUR, problems=_SPLIT, name=f"type {name}")
            for name in ("IMAGINARY", "MAGNITUDE", "PHASE", "REAL")
        ),
    ),
    Case(
        "SPECT, gated",
        saved(_gated),
        tuple(volume(problems=_SPLIT, name=f"volume {number}") for number in (1, 2)),
    ),
    Case("DICOMDIR with icons", _disc, (volume(),)),
    Case("NRRD, time as its first axis", _times_first, (_SLANTED,) * 3),
    Case("FreeSurfer, doubly oblique, four volumes", _four_volumes, (_SLANTED,) * 4),
    Case("FreeSurfer, without a suffix", _renamed(_four_volumes, "T1"), (_SLANTED,) * 4, compared=False),
    Case("NRRD, without a suffix", _renamed(_written_by_itk(".nrrd"), "T1"), (_SLANTED,), compared=False),
    Case("MetaImage, without a suffix", _renamed(_written_by_itk(".mha"), "T1"), (_SLANTED,), compared=False),
)
