"""Slices tiled into one picture: MOSAIC of Siemens, VFRAME of United Imaging (UIH)."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.values import convert_SQ

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.dicom.file import open_dicom, read_header
from napari_d24fad.studies.dicom.header import Instance
from napari_d24fad.studies.dicom.placement import Placement
from napari_d24fad.studies.dicom.values import number, numbers, positive
from napari_d24fad.studies.files.quiet import quiet
from napari_d24fad.studies.scan import Affine, Problem, Voxels

with warnings.catch_warnings():
    # That its DICOM readers are experimental, whenever they are imported.
    warnings.simplefilter("ignore", UserWarning)
    from nibabel.nicom import csareader

_MOSAIC, _UIH = "MOSAIC", "VFRAME"

_SIEMENS_COUNT, _UIH_COUNT, _UIH_FRAMES = 0x0019100A, 0x00651050, 0x00651051
_TAGS = (
    *(0x00180050, 0x00180088, 0x00280030, 0x00290010, 0x00291010),
    *(0x00190010, _SIEMENS_COUNT, 0x00650010, _UIH_COUNT, _UIH_FRAMES),
)
# How far a direction may be from that of the normal: scanners write seven digits.
_PARALLEL = 1e-4
# How far, in mm, a slice may lie from where even distances put it.
_IN_PLACE = 0.05
_TILED = "Its slices are tiled into one picture"


@dataclass(frozen=True, slots=True, eq=False)
class Tiles:
    """Cuts the one picture of a file into its slices, row by row of tiles; see `studies.regrid`.

    Attributes:
        n_slices: Number of slices; there may be more tiles, which are empty.
        shape: Rows and columns of a slice.
        affine: ``(4, 4)``, from (slice, row, column) to LPS mm.
        across: Tiles beside each other.
        problems: What the user must know.
        refusal: Why the slices are no volume unless the user agrees to what the problem says.
    """

    n_slices: int
    shape: tuple[int, int]
    affine: Affine = field(repr=False)
    across: int
    problems: tuple[Problem, ...] = ()
    refusal: StudyError | None = None

    def draw(self, index: int, read: Callable[[int], Voxels]) -> Voxels:
        """Returns a slice.

        Args:
            index: Which slice of the volume.
            read: Returns the picture of a file, by its number.
        """
        (down, right), (rows, columns) = divmod(index, self.across), self.shape
        picture = read(0)
        return picture[down * rows : (down + 1) * rows, right * columns : (right + 1) * columns]


def is_tiled(instance: Instance) -> bool:
    """Whether Image Type (0008,0008) says that slices are tiled into one picture."""
    return _MOSAIC in instance.image_type or _UIH in instance.image_type


def tiles_of(instance: Instance) -> Tiles:
    """Finds out how the picture of a file is cut into slices, and where they lie.

    Siemens: the formula of nibabel (https://nipy.org/nibabel/dicom/dicom_mosaic.html): Image Position
    (Patient) is that of the whole picture, as if it lay in the plane of the first slice with the same
    centre. The count is NumberOfImagesInMosaic of the CSA header (0029,1010), else of (0019,100A); the
    direction of the slices is SliceNormalVector of the CSA header. UIH: count (0065,1050), places of all
    slices (0065,1051).

    Raises:
        StudyError: ``FRAMES_UNPLACED``: the file does not tell how; ``AMBIGUOUS_GEOMETRY``: it contradicts
            itself.
    """
    try:
        with open_dicom(instance.path) as file, quiet():
            header = read_header(file, _TAGS)
            return _uih(instance, header) if _UIH in instance.image_type else _siemens(instance, header)
    except StudyError:
        raise
    except OSError:
        raise StudyError(Code.PATH_UNREADABLE) from None
    except Exception:
        # A private header that is damaged makes its readers raise whatever they stumble over.
        raise _refused("and how is not stated.") from None


def _siemens(instance: Instance, header: Dataset) -> Tiles:
    csa = csareader.get_csa_header(header, "image") or {}
    count = csareader.get_n_mosaic(csa) if csa else None
    stated = number(header, _SIEMENS_COUNT)
    if count and stated and count != stated:
        raise _contradictory("and two numbers of slices are stated.")
    count = int(count or stated or 0)
    if count < 1:
        raise _refused("and the number of tiles is not stated.")
    across = math.ceil(math.sqrt(count))
    shape = _shape(instance, across, across)
    place = instance.placement
    if place is None:
        raise _refused("and where they lie is not stated.")
    normal, refusal = _normal(csa, place), None
    problems: list[Problem] = []
    if normal is None:
        text = "The direction in which its slices are counted is not stated; it was taken from their plane."
        problems.append(Problem(Code.ASSUMED_ORDER, text))
        refusal = _refused("and in which direction they are counted is not stated.")
        normal = 1
    distance = positive((number(header, "SpacingBetweenSlices") or 0.0,))
    if distance is None:
        distance = positive((number(header, "SliceThickness") or 0.0,))
        text = "The distance of its slices is not stated; it was taken from their thickness."
        problems.append(Problem(Code.ASSUMED_ORDER, text))
        refusal = refusal or _refused("and their distance is not stated.")
    if distance is None:
        raise _refused("and their distance is not stated.")
    right, down = np.reshape(place.orientation, (2, 3))
    affine = _in_plane(place)
    affine[:3, 0] = normal * np.cross(right, down) * distance[0]
    beside = (np.array([instance.rows, instance.columns]) - shape) / 2
    affine[:3, 3] = np.array(place.position) + affine[:3, 1:3] @ beside
    return Tiles(count, shape, affine, across, tuple(problems), refusal)


def _normal(csa: dict[str, Any], place: Placement) -> int | None:
    """Returns whether slices are counted along the normal of their plane (1) or against it (-1)."""
    stated = csareader.get_slice_normal(csa) if csa else None
    if stated is None:
        return None
    cosine = float(np.cross(place.orientation[:3], place.orientation[3:]) @ np.array(stated))
    if abs(abs(cosine) - 1) > _PARALLEL:
        raise _contradictory("and their direction contradicts their plane.")
    return 1 if cosine > 0 else -1


def _uih(instance: Instance, header: Dataset) -> Tiles:
    frames = _sequence(header, _UIH_FRAMES)
    count = int(number(header, _UIH_COUNT) or len(frames))
    if not frames or count != len(frames):
        raise _refused("and where each of them lies is not stated.")
    places = [_placement(frame, header) for frame in frames]
    first = places[0]
    if any(np.abs(np.subtract(place.orientation, first.orientation)).max() > _PARALLEL for place in places):
        raise _contradictory("and they are not parallel.")
    across = math.ceil(math.sqrt(count))
    shape = _shape(instance, math.ceil(count / across), across)
    positions = np.array([place.position for place in places])
    affine = _in_plane(first)
    normal = np.cross(first.orientation[:3], first.orientation[3:])
    step = (positions[-1] - positions[0]) / (count - 1) if count > 1 else normal * instance.thickness
    even = positions[0] + np.outer(np.arange(count), step)
    slanted = np.linalg.norm(np.cross(step, normal)) * max(1, count - 1)
    if np.abs(positions - even).max() > _IN_PLACE or slanted > _IN_PLACE or not step.any():
        raise _contradictory("and they are not evenly spaced above each other.")
    affine[:3, 0], affine[:3, 3] = step, positions[0]
    return Tiles(count, shape, affine, across)


def _sequence(header: Dataset, tag: int) -> list[Dataset]:
    """Returns the items of a private sequence; one whose kind is not known (UN) is in Implicit VR."""
    value = header[tag].value if tag in header else []
    return list(convert_SQ(value, True, True) if isinstance(value, bytes) else value)


def _placement(frame: Dataset, header: Dataset) -> Placement:
    position = numbers(frame, "ImagePositionPatient", 3)
    orientation = numbers(frame, "ImageOrientationPatient", 6) or numbers(
        header, "ImageOrientationPatient", 6
    )
    spacing = positive(numbers(frame, "PixelSpacing", 2) or numbers(header, "PixelSpacing", 2))
    if position is None or orientation is None or spacing is None:
        raise _refused("and where each of them lies is not stated.")
    return Placement(position, orientation, spacing)


def _in_plane(place: Placement) -> npt.NDArray[np.float64]:
    """Returns an affine whose rows and columns are those of the plane."""
    right, down = np.reshape(place.orientation, (2, 3))
    if np.abs([right @ right - 1, down @ down - 1, right @ down]).max() > 2e-3:
        raise _contradictory("and their orientation is not valid.")
    affine = np.eye(4)
    affine[:3, 1], affine[:3, 2] = down * place.pixel_spacing[0], right * place.pixel_spacing[1]
    return affine


def _shape(instance: Instance, down: int, across: int) -> tuple[int, int]:
    rows, rest = divmod(instance.rows, down)
    columns, left = divmod(instance.columns, across)
    if rest or left or not rows or not columns:
        raise _contradictory(f"which {down} x {across} tiles do not fill.")
    return rows, columns


def _refused(why: str) -> StudyError:
    return StudyError(Code.FRAMES_UNPLACED, f"{_TILED} {why}")


def _contradictory(why: str) -> StudyError:
    return StudyError(Code.AMBIGUOUS_GEOMETRY, f"{_TILED} {why}")
