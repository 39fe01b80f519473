"""Reads what the header of one DICOM file tells, without its pixels."""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException
from pydicom.tag import Tag
from pydicom.uid import UID, RTDoseStorage, SegmentationStorage

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.descriptions import without_identity
from napari_d24fad.studies.dicom.burned_in import may_be_burned_in
from napari_d24fad.studies.dicom.file import NOT_DICOM, NotDicomError, is_deflated, open_dicom, read_header
from napari_d24fad.studies.dicom.pet import PET_TAGS, pet_facts
from napari_d24fad.studies.dicom.placement import Placement, placement
from napari_d24fad.studies.dicom.subject import body_part, patient_key, with_contrast
from napari_d24fad.studies.dicom.traits import TRAIT_TAGS, traits
from napari_d24fad.studies.dicom.values import number, numbers, positive, text
from napari_d24fad.studies.dicom.window import WINDOW_KEYWORDS, stated_window
from napari_d24fad.studies.files.limits import check_size
from napari_d24fad.studies.files.quiet import quiet
from napari_d24fad.studies.scan import Photometric, SeriesIdentity

_PREAMBLE = 128

# How programs of Windows, Linux and macOS begin, and scripts: a file can be one of them and a
# DICOM file at once (CVE-2019-11687).
_PROGRAMS = (
    b"MZ",
    b"\x7fELF",
    b"\xfe\xed\xfa",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"#!",
)

_MOST_BITS = 64
_LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.7"  # not known to pydicom
_NO_ANATOMY = frozenset({RTDoseStorage, SegmentationStorage, _LABEL_MAP})

_PHOTOMETRIC = {
    "MONOCHROME1": Photometric.BRIGHT_TO_DARK,
    "MONOCHROME2": Photometric.DARK_TO_BRIGHT,
    "RGB": Photometric.COLOUR,
    "PALETTE COLOR": Photometric.COLOUR,
    "YBR_FULL": Photometric.COLOUR,
    "YBR_FULL_422": Photometric.COLOUR,
    "YBR_ICT": Photometric.COLOUR,
    "YBR_RCT": Photometric.COLOUR,
}

_KEYWORDS = (
    "SpecificCharacterSet",
    "ImageType",
    "SOPClassUID",
    "SOPInstanceUID",
    "Modality",
    "SeriesDescription",
    "PatientID",
    "IssuerOfPatientID",
    "BodyPartExamined",
    "AnatomicRegionSequence",
    "SliceThickness",
    "SpacingBetweenSlices",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SeriesNumber",
    "InstanceNumber",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "FrameOfReferenceUID",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "PixelSpacing",
    "ImagerPixelSpacing",
    "PixelAspectRatio",
    "BitsAllocated",
    "BitsStored",
    "PixelPaddingValue",
    "BurnedInAnnotation",
    "ConversionType",
    "ConcatenationUID",
)
_TAGS = [
    *map(Tag, (*_KEYWORDS, *WINDOW_KEYWORDS)),
    *TRAIT_TAGS,
    *PET_TAGS,
]


@dataclass(frozen=True, slots=True)
class Instance:
    """The header of one DICOM image file, or of one frame of it.

    Attributes:
        path: The file; never shown or logged.
        identity: Which series it belongs to.
        sop_class: SOP Class UID (0008,0016).
        sop_uid: SOP Instance UID (0008,0018).
        transfer_syntax: Transfer Syntax UID (0002,0010).
        modality: Modality (0008,0060).
        photometric: None if Photometric Interpretation (0028,0004) is unknown to us.
        rows: Rows (0028,0010).
        columns: Columns (0028,0011).
        frames: Number of Frames (0028,0008).
        pixel_bytes: Size of its decoded pixels as stored, before they become a scan.
        bits_stored: Bits Stored (0028,0101).
        padded: Whether it declares a Pixel Padding Value (0028,0120).
        pixel_shape: Height and width of a pixel, in any unit.
        placement: Where in the patient its pixels lie; None if the file does not say.
        frame: Which frame of the file this is, from 0; None if it is the file.
        has_groups: Whether it may say of each frame, also of a single one, what it says of none here.
        thickness: Spacing Between Slices (0018,0088), else Slice Thickness (0018,0050), else
            1, in mm.
        image_type: Image Type (0008,0008).
        series_number: Series Number (0020,0011).
        number: Instance Number (0020,0013).
        traits: Values of `TRAITS`, as text.
        program: Whether its preamble makes the file a program too.
        burned_in: Whether its pixels may show who the patient is.
        window: See `stated_window`.
        concatenation: Concatenation UID (0020,9161), of which this file is one part.
        pet: See `pet_facts`; None of other modalities.
    """

    path: Path = field(repr=False)
    identity: SeriesIdentity
    sop_class: str
    sop_uid: str = field(repr=False)
    transfer_syntax: str
    modality: str
    photometric: Photometric | None
    rows: int
    columns: int
    frames: int
    pixel_bytes: int
    bits_stored: int
    padded: bool
    pixel_shape: tuple[float, float]
    placement: Placement | None
    thickness: float
    image_type: tuple[str, ...]
    series_number: int
    number: int | None
    traits: tuple[str, ...] = field(repr=False)  # times among them
    program: bool = False
    burned_in: bool = False
    window: tuple[float, float] | None = None
    frame: int | None = None
    has_groups: bool = False
    concatenation: str = field(default="", repr=False)
    pet: Dataset | None = field(default=None, repr=False, compare=False)


def read_instance(path: Path) -> Instance:
    """Reads the header of a DICOM file.

    Raises:
        StudyError: ``NOT_AN_IMAGE`` for other files and for DICOM objects without an
            image of anatomy, ``TOO_LARGE`` if it claims more voxels than are allowed,
            ``TRUNCATED``, ``PATH_MISSING`` or ``PATH_UNREADABLE``.
    """
    try:
        with open_dicom(path) as file:
            start = file.read(_PREAMBLE + 4)
            has_preamble = start[_PREAMBLE:] == b"DICM"
            # Some archives strip the preamble: such files start with a group 0002 or 0008 tag.
            if not has_preamble and start[:2] not in (b"\x02\x00", b"\x08\x00"):
                raise NotDicomError(Code.NOT_AN_IMAGE, NOT_DICOM)
            file.seek(0)
            with quiet():
                header = read_header(file, _TAGS, force=not has_preamble)
                if not has_preamble and "SOPClassUID" not in header:
                    raise NotDicomError(Code.NOT_AN_IMAGE, NOT_DICOM)
                instance = _instance(path, header, program=has_preamble and start.startswith(_PROGRAMS))
                if not is_deflated(header) and not file.read(1):
                    raise StudyError(Code.TRUNCATED, "It ends before its pixels.")
                return instance
    except StudyError:
        raise
    except FileNotFoundError:
        raise vanished() from None
    except OSError as error:
        if isinstance(error.__context__, StudyError):  # which pydicom hides where it reads a sequence
            raise error.__context__ from None
        # The file system numbers its errors; pydicom raises others on damaged files.
        raise StudyError(Code.PATH_UNREADABLE if error.errno else Code.TRUNCATED) from None
    except (struct.error, zlib.error, BytesLengthException):
        # A tag, a length or a value stops in its middle.
        raise StudyError(Code.TRUNCATED, "It ends within its header.") from None
    except Exception:
        # pydicom raises whatever a malformed header makes it stumble over, and its
        # messages quote header values; all of them mean the same to the user.
        raise StudyError(Code.NOT_AN_IMAGE, "Its DICOM header is malformed.") from None


def vanished() -> StudyError:
    """Returns the refusal of a file that was there a moment ago."""
    return StudyError(Code.PATH_MISSING, "A file disappeared while the study was read.")


def _instance(path: Path, header: Dataset, *, program: bool) -> Instance:
    # A DICOMDIR states its class in the file meta information only.
    sop_class = UID(text(header, "SOPClassUID") or text(header.file_meta, "MediaStorageSOPClassUID"))
    rows, columns = (number(header, name) for name in ("Rows", "Columns"))
    modality = text(header, "Modality")
    if not rows or not columns or min(rows, columns) < 1:
        if not sop_class or "Image Storage" in sop_class.name:
            raise StudyError(Code.TRUNCATED, "It ends before its pixels are described.")
        raise StudyError(Code.NOT_AN_IMAGE, f"{_class_name(sop_class)} holds no image.")
    if modality in {"SEG", "RTDOSE"} or sop_class in _NO_ANATOMY:
        raise StudyError(Code.NOT_AN_IMAGE, f"{_class_name(sop_class)} holds no image of anatomy.")
    photometric = _PHOTOMETRIC.get(text(header, "PhotometricInterpretation"))
    frames = max(1, int(number(header, "NumberOfFrames") or 1))
    grid = (frames, int(rows), int(columns))
    channels = 3 if photometric is Photometric.COLOUR else 1
    check_size(grid, channels)
    pixel_spacing = positive(numbers(header, "PixelSpacing", 2))
    shape = pixel_spacing or positive(numbers(header, "ImagerPixelSpacing", 2))
    shape = shape or positive(numbers(header, "PixelAspectRatio", 2)) or (1.0, 1.0)
    thickness = number(header, "SpacingBetweenSlices") or number(header, "SliceThickness")
    instance_number = number(header, "InstanceNumber")
    return Instance(
        path=path,
        identity=SeriesIdentity(
            description=without_identity(text(header, "SeriesDescription")),
            series_uid=text(header, "SeriesInstanceUID"),
            study_uid=text(header, "StudyInstanceUID"),
            frame_of_reference_uid=text(header, "FrameOfReferenceUID"),
            patient_key=patient_key(header),
            body_part=body_part(header),
            with_contrast=with_contrast(header),
        ),
        sop_class=sop_class,
        sop_uid=text(header, "SOPInstanceUID"),
        transfer_syntax=str(header.file_meta.get("TransferSyntaxUID", "")),
        modality=modality,
        photometric=photometric,
        rows=grid[1],
        columns=grid[2],
        frames=frames,
        pixel_bytes=math.prod(grid) * channels * _bytes_per_value(header),
        bits_stored=int(number(header, "BitsStored") or 0),
        padded="PixelPaddingValue" in header,
        pixel_shape=(shape[0], shape[1]),
        placement=placement(header, pixel_spacing),
        thickness=abs(thickness or 1.0),
        image_type=tuple(text(header, "ImageType").split("\\")),
        series_number=int(number(header, "SeriesNumber") or 0),
        number=None if instance_number is None else int(instance_number),
        traits=traits(header),
        program=program,
        burned_in=may_be_burned_in(header),
        window=stated_window(header),
        has_groups="NumberOfFrames" in header or "Enhanced" in sop_class.name,
        concatenation=text(header, "ConcatenationUID"),
        pet=pet_facts(header) if modality == "PT" else None,
    )


def _bytes_per_value(header: Dataset) -> int:
    bits = number(header, "BitsAllocated") or 16
    if not 1 <= bits <= _MOST_BITS:
        raise StudyError(Code.UNSUPPORTED_PIXELS, "Its values have a size that DICOM does not know.")
    return max(1, int(bits) // 8)


def _class_name(sop_class: UID) -> str:
    return sop_class.name if sop_class.name != sop_class else "This DICOM object"
