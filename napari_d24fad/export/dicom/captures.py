"""Pictures as DICOM: Secondary Captures (PS3.3 A.8) and the Key Object Selection (A.35.4) that names them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from highdicom.ko import KeyObjectSelection, KeyObjectSelectionDocument
from highdicom.sc import ConversionTypeValues, SCImage
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

from napari_d24fad.export.anatomy import edge_letters
from napari_d24fad.export.dicom.common import origin, say_body_part
from napari_d24fad.export.dicom.source import Source
from napari_d24fad.export.notice import NOTICE
from napari_d24fad.export.overlay import model_text
from napari_d24fad.export.pages.entry import CaseEntry
from napari_d24fad.export.pages.pictures import Picture, Pictures
from napari_d24fad.export.stamp import Stamp, corner, stamp
from napari_d24fad.studies.orientation import canonical

_SHEET, _SHEET_COLUMNS = 20, 5


def key_slices(source: Source, entry: CaseEntry, drawn: Pictures, number: int) -> list[SCImage]:
    """Draws a slice for each accepted finding, with legend and notice burned in, all in one series.

    A picture of one slice says where in the patient it lies, as the slice does; so a viewer can show it
    beside the others. Its edges, where legend and notice stand, lie there too and mean nothing.

    Args:
        source: The images of the scan.
        entry: The case; its scan must have its pixels.
        drawn: Its pictures.
        number: Which object of the export it is.
    """
    series = origin(source, number, "Anomaly map, key slices (research use only)")
    made: list[SCImage] = []
    for _, picture in drawn.key_slices():
        marks = _marks(entry, drawn.limits, picture.caption)
        pixels = _pixels(picture)
        own = {"sop_instance_uid": generate_uid(prefix=None), "instance_number": len(made) + 1}
        capture = _capture(source, stamp(pixels, marks), series | own)
        if picture.slice_index is not None and source.is_one_to_one and source.has_places:
            _place(capture, source, picture.slice_index, pixels.shape[1], corner(pixels, marks))
            header, frame = source.of_slice[picture.slice_index]
            capture.SourceImageSequence = [_reference(header, frame)]
        made.append(capture)
    return made


def contact_sheet(source: Source, entry: CaseEntry, drawn: Pictures, number: int) -> SCImage | None:
    """Draws slices that lie evenly through the scan on one sheet; None of a single image."""
    pictures = drawn.contact_sheet(_SHEET)
    if not pictures:
        return None
    tiles = [_pixels(each) for each in pictures]
    rows, columns = tiles[0].shape[:2]
    across = min(_SHEET_COLUMNS, len(tiles))
    sheet = np.zeros((rows * -(-len(tiles) // across), columns * across, 3), np.uint8)
    for at, tile in enumerate(tiles):
        row, column = divmod(at, across)
        sheet[row * rows : (row + 1) * rows, column * columns : (column + 1) * columns] = tile
    captions = f"Slices {', '.join(each.caption for each in pictures)}"
    page = stamp(sheet, _marks(entry, drawn.limits, captions))
    return _capture(source, page, origin(source, number, "Anomaly map, contact sheet (research use only)"))


def key_objects(source: Source, captures: Sequence[SCImage], number: int) -> KeyObjectSelectionDocument:
    """Makes a selection of pictures, which an archive shows first."""
    return KeyObjectSelectionDocument(
        evidence=list(captures),
        content=KeyObjectSelection(
            document_title=codes.DCM.OfInterest,
            referenced_objects=list(captures),
            description=f"Anomaly map. {NOTICE}",
        ),
        **origin(source, number, "Key pictures (research use only)"),
    )


def _marks(entry: CaseEntry, limits: tuple[float, float], caption: str) -> Stamp:
    return Stamp(
        heading=(entry.found.label, caption),
        footing=(model_text(entry.found.anomaly), NOTICE),
        limits=limits,
    )


def _pixels(picture: Picture) -> npt.NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(picture.png)).convert("RGB"))


def _capture(source: Source, page: npt.NDArray[np.uint8], shared: dict[str, Any]) -> SCImage:
    letters = edge_letters(canonical(source.scan))
    first = source.first
    capture = SCImage(
        pixel_array=np.ascontiguousarray(page),
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=("L", "P"),  # highdicom knows single letters only; the true ones follow
        study_instance_uid=first.StudyInstanceUID,
        patient_id=first.PatientID,
        patient_name=first.PatientName,
        patient_birth_date=first.PatientBirthDate,
        patient_sex=first.PatientSex,
        accession_number=first.AccessionNumber,
        study_id=first.StudyID,
        study_date=first.StudyDate,
        study_time=first.StudyTime,
        referring_physician_name=first.ReferringPhysicianName,
        **shared,
    )
    capture.copy_patient_and_study_information(first)
    say_body_part(capture, source)
    # The direction of the rows, then of the columns: what lies at the right and at the lower edge.
    capture.PatientOrientation = [] if letters is None else [_letters(letters[1]), _letters(letters[3])]
    capture.ConversionType = ConversionTypeValues.WSD.value
    capture.ImageType = ["DERIVED", "SECONDARY"]
    capture.BurnedInAnnotation = "YES" if source.scan.may_show_identity else "NO"
    return capture


def _letters(edge: str) -> str:
    """Returns Patient Orientation (0020,0020), where the lower end of the body is F and the upper H."""
    return edge.replace("I", "F").replace("S", "H")


def _place(capture: SCImage, source: Source, index: int, columns: int, first_pixel: tuple[int, int]) -> None:
    """Says where a page lies: the picture on it is a slice, enlarged, upright, away from the corner."""
    upright = canonical(source.scan)
    affine = np.asarray(upright.affine, float)
    # The slice in the order of the upright scan, from the voxel that both call their first.
    here = np.linalg.inv(affine) @ np.asarray(source.scan.affine, float) @ _index(source, index)
    pixel = upright.spacing[2] * upright.grid[2] / columns
    along_row, along_column = (affine[:3, axis] / np.linalg.norm(affine[:3, axis]) for axis in (2, 1))
    # The outer corner of the slice is that of its first pixel: half a voxel out, half a pixel in.
    corner_mm = (affine @ [round(float(here[0])), -0.5, -0.5, 1.0])[:3]
    row, column = first_pixel
    first = corner_mm + along_row * pixel * (0.5 - column) + along_column * pixel * (0.5 - row)
    capture.PixelSpacing = [f"{pixel:.9g}"] * 2
    capture.ImageOrientationPatient = [f"{each:.9g}" for each in (*along_row, *along_column)]
    capture.ImagePositionPatient = [f"{each:.9g}" for each in first]
    capture.FrameOfReferenceUID = source.first.FrameOfReferenceUID
    capture.PositionReferenceIndicator = None


def _index(source: Source, index: int) -> npt.NDArray[np.float64]:
    place = np.zeros(4)
    place[source.scan.slice_axis], place[3] = index, 1
    return place


def _reference(header: Dataset, frame: int | None) -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID = header.SOPClassUID
    reference.ReferencedSOPInstanceUID = header.SOPInstanceUID
    if frame:
        reference.ReferencedFrameNumber = frame
    return reference
