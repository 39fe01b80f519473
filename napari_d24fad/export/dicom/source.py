"""The DICOM files a result was made from: what every object that goes back to the archive tells of them.

Patient, study and references to images come from their headers and from nowhere else. Where the slices lie
comes from the scan: headers of one volume differ by what scanners round, and highdicom takes that for
another place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from napari_d24fad.errors import Code, ExportError, StudyError
from napari_d24fad.studies.dicom.file import open_dicom, read_header
from napari_d24fad.studies.dicom.header import Instance
from napari_d24fad.studies.dicom.refusals import coded_errors
from napari_d24fad.studies.dicom.series import DicomSeries
from napari_d24fad.studies.dicom.values import text
from napari_d24fad.studies.files.quiet import quiet
from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.series import Series

_NEEDED = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")
# Required of every object, but may be empty (PS3.3, type 2): what the source does not say stays unsaid.
_MAY_BE_EMPTY = (
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
)
_TIMES = ("StudyDate", "StudyTime", "PatientBirthDate")
_TIME = re.compile(r"\d{2,8}(\.\d{1,6})?")
_PLACES = (
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "PerFrameFunctionalGroupsSequence",
    "SharedFunctionalGroupsSequence",
)
_FAR = 1e6
"""Millimetres away, where no slice of a patient lies."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """The images a scan was read from.

    Attributes:
        scan: The scan, or its outline.
        headers: One for each file, without pixels: patient, study and UIDs as the file has them, the place
            of its pixels as the scan has them. For looking up, not to be written.
        has_places: Whether it is known where in the patient the slices lie, and in which frame of reference.
        of_slice: For each slice of the scan, the header that it was read from, and the number of the frame,
            from 1, if there are several; empty where slices were computed of several or cut out of one.
        orientation: Image Orientation (Patient) (0020,0037) as the images state it, where each slice is one
            and all state the same.
    """

    scan: Scan
    headers: tuple[Dataset, ...] = field(repr=False)
    has_places: bool
    of_slice: tuple[tuple[Dataset, int | None], ...] = field(repr=False)
    orientation: tuple[float, ...] = ()

    @property
    def first(self) -> Dataset:
        """The header that patient and study are taken from."""
        return self.headers[0]

    @property
    def is_plain_image(self) -> bool:
        """Whether it is one image that says nothing of its place, such as a chest film."""
        return not self.scan.in_patient and not self.scan.is_volume

    @property
    def is_one_to_one(self) -> bool:
        """Whether each slice of the scan is one image or frame of the source."""
        return bool(self.of_slice)


def read_source(series: Series) -> Source:
    """Reads the headers of the files of a series.

    Args:
        series: What was examined.

    Raises:
        ExportError: ``NO_DICOM_SOURCE`` if it was not read from DICOM files; ``SOURCE_INCOMPLETE`` if these
            lack what an object that refers to them must repeat.
        StudyError: A file is not there any more, or is another one.
    """
    if not isinstance(series, DicomSeries):
        raise ExportError(Code.NO_DICOM_SOURCE)
    files = _by_file(series.instances)
    headers = {path: _header(path, own) for path, own in files.items()}
    first = next(iter(headers.values()))
    scan = series.outline
    has_places = scan.in_patient and bool(text(first, "FrameOfReferenceUID"))
    one_to_one = series.regrid is None
    for path, own in files.items():
        _clear_places(headers[path])
        if has_places:
            _set_places(headers[path], own, series, one_to_one=one_to_one)
    of_slice = tuple(
        (headers[each.path], None if each.frames == 1 else (each.frame or 0) + 1) for each in series.instances
    )
    stated = {each.placement.orientation for each in series.instances if each.placement is not None}
    return Source(
        scan,
        tuple(headers.values()),
        has_places,
        of_slice if one_to_one else (),
        stated.pop() if one_to_one and has_places and len(stated) == 1 else (),
    )


def _by_file(instances: Sequence[Instance]) -> dict[Path, list[tuple[int, Instance]]]:
    files: dict[Path, list[tuple[int, Instance]]] = {}
    for index, instance in enumerate(instances):
        files.setdefault(instance.path, []).append((index, instance))
    return files


def _header(path: Path, own: Sequence[tuple[int, Instance]]) -> Dataset:
    instance = own[0][1]
    with coded_errors(instance.transfer_syntax), quiet(), open_dicom(path) as file:
        header = read_header(file)
        if text(header, "SOPInstanceUID") != instance.sop_uid:
            raise StudyError(Code.PATH_MISSING, "A file was replaced since it was opened.")
    missing = [name for name in _NEEDED if not text(header, name)]
    if missing:
        raise ExportError(Code.SOURCE_INCOMPLETE, f"It lacks {', '.join(missing)}.")
    for name in _MAY_BE_EMPTY:
        if name not in header:
            setattr(header, name, None)
    for name in _TIMES:
        setattr(header, name, _plain_time(text(header, name)))
    if "Modality" not in header:
        header.Modality = "OT"  # nothing of it is written, but highdicom asks
    return header


def _plain_time(stated: str) -> str | None:
    """Returns a date or time without the dots or colons of files before 1993; None of anything else."""
    is_old = ":" in stated or stated.count(".") == 2
    digits = stated.replace(":", "").replace(".", "", 2) if is_old else stated
    return digits if _TIME.fullmatch(digits) else None


def _clear_places(header: Dataset) -> None:
    for name in _PLACES:
        header.pop(name, None)
    if not text(header, "FrameOfReferenceUID"):
        header.pop("FrameOfReferenceUID", None)


def _set_places(
    header: Dataset, own: Sequence[tuple[int, Instance]], series: DicomSeries, *, one_to_one: bool
) -> None:
    """Writes into a header where its pixels lie.

    Where each slice is one image, that is where the scan has it; else where the file has it, so that only
    what truly lies in a slice is named as its source.
    """
    first = own[0][1]
    affine = series.outline.affine
    along_row, along_column = (affine[:3, axis] / np.linalg.norm(affine[:3, axis]) for axis in (2, 1))
    orientation = [float(each) for each in (*along_row, *along_column)]
    spacing = [float(np.linalg.norm(affine[:3, axis])) for axis in (1, 2)]
    placed = first.placement
    if not one_to_one and placed is not None:
        orientation, spacing = list(placed.orientation), list(placed.pixel_spacing)
    positions = {
        (each.frame or 0): _position(affine, index, each, one_to_one=one_to_one) for index, each in own
    }
    # Said both for files and for frames: highdicom looks where the kind of object allows frames, or not.
    header.ImageOrientationPatient = _short(orientation)
    header.PixelSpacing = _short(spacing)
    header.ImagePositionPatient = _short(positions[min(positions)])
    shared, plane, measures = Dataset(), Dataset(), Dataset()
    plane.ImageOrientationPatient = _short(orientation)
    measures.PixelSpacing = _short(spacing)
    measures.SliceThickness = first.thickness
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = [plane], [measures]
    header.SharedFunctionalGroupsSequence = [shared]
    # Frames of other volumes in the same file lie nowhere near: none of them may be taken for a source.
    elsewhere = (_FAR, _FAR, _FAR)
    header.PerFrameFunctionalGroupsSequence = [
        _group(positions.get(frame, elsewhere)) for frame in range(first.frames)
    ]


def _group(position: Sequence[float]) -> Dataset:
    group, place = Dataset(), Dataset()
    place.ImagePositionPatient = _short(position)
    group.PlanePositionSequence = [place]
    return group


def _position(
    affine: npt.NDArray[np.float64], index: int, instance: Instance, *, one_to_one: bool
) -> tuple[float, ...]:
    if instance.placement is not None and not one_to_one:
        return instance.placement.position
    x, y, z = (affine @ [index, 0.0, 0.0, 1.0])[:3]
    return float(x), float(y), float(z)


def _short(values: Sequence[float]) -> list[str]:
    """Writes numbers as Decimal Strings, of at most 16 characters."""
    return [f"{value:.9g}" for value in values]
