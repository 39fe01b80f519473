"""The `Scan`: voxels that know where in the patient they are.

The one geometry convention of the project: a voxel array is indexed
``(slice, row, column)`` and its affine maps ``(slice, row, column, 1)`` to
millimetres in the DICOM patient coordinate system (LPS: x to the patient's left,
y to posterior, z to superior), whatever the file it came from. Where a source tells lengths
but not which side is which, the affine is in millimetres of no known direction, and
`Scan.sides_known` says so; where it tells neither, lengths are pixels.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from enum import Enum

import numpy as np
import numpy.typing as npt

from napari_d24fad.errors import Code

Voxels = npt.NDArray[np.generic]
Affine = npt.NDArray[np.float64]


class Photometric(Enum):
    """What a voxel value means on a screen (DICOM Photometric Interpretation, 0028,0004)."""

    DARK_TO_BRIGHT = "MONOCHROME2"
    BRIGHT_TO_DARK = "MONOCHROME1"
    COLOUR = "RGB"


class Plane(Enum):
    """The anatomical plane that the slices of a scan lie nearest to."""

    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something found while reading that the user should know and that was not fatal.

    Attributes:
        code: The stable code.
        detail: What is particular to this case, without identity or path.
        example: Which abnormal example it is about, from 0; None if about none. The detail says so too.
    """

    code: Code
    detail: str = ""
    example: int | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.code.code}: {' '.join(s for s in (self.code.meaning, self.detail) if s)}"


@dataclass(frozen=True, slots=True)
class SeriesIdentity:
    """Which series this is. Kept out of ``repr`` so that no log can leak it.

    Attributes:
        description: What may be shown of Series Description (0008,103E), see
            `descriptions.without_identity`, or the kind of file.
        series_uid: Series Instance UID (0020,000E); empty for other formats.
        study_uid: Study Instance UID (0020,000D); empty for other formats.
        frame_of_reference_uid: Frame of Reference UID (0020,0052); empty if not stated.
        patient_key: Tells patients apart within one run of the program without keeping who
            they are; see `dicom_subject.patient_key`. Empty if not stated.
        body_part: In capital letters, see `dicom_subject.body_part`; empty if not stated.
        with_contrast: Whether a contrast agent is named, see `dicom_subject.with_contrast`.
    """

    description: str = field(default="", repr=False)
    series_uid: str = field(default="", repr=False)
    study_uid: str = field(default="", repr=False)
    frame_of_reference_uid: str = field(default="", repr=False)
    patient_key: str = field(default="", repr=False)
    body_part: str = field(default="", repr=False)
    with_contrast: bool = field(default=False, repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """One series as a volume (or one image as a volume of a single slice).

    Attributes:
        voxels: ``(slices, rows, columns)``, or ``(slices, rows, columns, 3)`` for
            colour. Real-world values: CT in HU, others after the rescale that the
            file states. Never inverted for MONOCHROME1; see `photometric`.
        affine: ``(4, 4)`` float64, array index to LPS millimetres; see `has_geometry` and
            `sides_known` for what of that is known. Without geometry, lengths are pixels.
        modality: DICOM Modality (0008,0060), such as ``"CT"`` or ``"MR"``; empty if
            the file does not say.
        photometric: What a value means on a screen.
        identity: Which series this is.
        has_geometry: Whether lengths are known: the affine is in millimetres.
        sides_known: Whether the axes of the affine are those of the patient, if lengths are known.
            If not, nothing may be said of plane, side or position; see `in_patient`.
        slice_axis: The array axis that the slices are stacked along. 0 for DICOM;
            other formats store volumes in any order and keep it.
        problems: What was found while reading.
        stated_window: Real-world values that the file asks to be shown as black and white, low
            and high; None if it does not say.
        unit: What a value is: ``"SUV"`` for standardised uptake values by body weight of PET; empty for HU
            of CT, and where values have no unit or one that nothing here depends on.
        pixels_hash: `content_hash` of voxels that were let go (`without_pixels`); empty while they
            are there.
    """

    voxels: Voxels = field(repr=False)
    affine: Affine = field(repr=False)
    modality: str = ""
    photometric: Photometric = Photometric.DARK_TO_BRIGHT
    identity: SeriesIdentity = field(default_factory=SeriesIdentity)
    has_geometry: bool = True
    sides_known: bool = True
    slice_axis: int = 0
    problems: tuple[Problem, ...] = ()
    stated_window: tuple[float, float] | None = None
    unit: str = ""
    pixels_hash: str = field(default="", repr=False)
    _hash: str = field(default="", init=False, repr=False)

    def __post_init__(self) -> None:
        expected = 4 if self.is_colour else 3
        if self.voxels.ndim != expected or self.affine.shape != (4, 4):
            raise ValueError("voxels must be (slices, rows, columns[, 3]) and affine (4, 4)")
        for name in ("voxels", "affine"):
            frozen = getattr(self, name).view()
            frozen.flags.writeable = False
            object.__setattr__(self, name, frozen)

    @property
    def may_show_identity(self) -> bool:
        """Whether the pixels themselves may show who the patient is."""
        return any(problem.code is Code.BURNED_IN for problem in self.problems)

    @property
    def has_pixels(self) -> bool:
        """Whether the voxels are its own, and not a placeholder for those that were let go or not read."""
        return not self.pixels_hash

    @property
    def in_patient(self) -> bool:
        """Whether it is known where in the patient the voxels lie: lengths and sides."""
        return self.has_geometry and self.sides_known

    @property
    def is_colour(self) -> bool:
        """Whether voxels carry red, green and blue."""
        return self.photometric is Photometric.COLOUR

    @property
    def is_volume(self) -> bool:
        """Whether there is more than one slice."""
        return self.n_slices > 1

    @property
    def grid(self) -> tuple[int, int, int]:
        """Array shape without the colour axis."""
        slices, rows, columns = self.voxels.shape[:3]
        return slices, rows, columns

    @property
    def n_slices(self) -> int:
        """Number of slices along `slice_axis`."""
        return int(self.voxels.shape[self.slice_axis])

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distance of neighbouring voxels along each array axis, in mm (pixels without geometry)."""
        lengths = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(lengths[0]), float(lengths[1]), float(lengths[2])

    @property
    def plane(self) -> Plane | None:
        """The anatomical plane the slices lie nearest to; None where sides are not known."""
        if not self.in_patient:
            return None
        in_plane = [axis for axis in range(3) if axis != self.slice_axis]
        normal = np.cross(self.affine[:3, in_plane[0]], self.affine[:3, in_plane[1]])
        return (Plane.SAGITTAL, Plane.CORONAL, Plane.AXIAL)[int(np.abs(normal).argmax())]

    def content_hash(self) -> str:
        """SHA-256 of shape and voxel values: equal for equal pixels, whoever they belong to."""
        if self.pixels_hash:
            return self.pixels_hash
        if not self._hash:
            digest = hashlib.sha256(repr(self.voxels.shape).encode())
            for part in self.voxels:  # a whole volume would be copied to be converted
                digest.update(np.ascontiguousarray(part, dtype="<f4").data)
            object.__setattr__(self, "_hash", digest.hexdigest())
        return self._hash

    def scan_hash(self) -> str:
        """SHA-256 of all that decides what is seen of the scan: pixels, and how they are read and lie."""
        known = (self.has_geometry, self.in_patient)
        read = (self.modality, self.photometric.value, self.slice_axis, known)
        digest = hashlib.sha256(f"{self.content_hash()} {read}{self.unit}".encode())
        digest.update(np.ascontiguousarray(self.affine[:3, :3]).tobytes())
        return digest.hexdigest()

    def without_pixels(self) -> Scan:
        """Returns the scan with all that is known but its voxels, which read as 0 and take no memory."""
        outline = np.broadcast_to(self.voxels.dtype.type(0), self.voxels.shape)
        return replace(self, voxels=outline, pixels_hash=self.content_hash())
