"""NIfTI files: voxels in the order they are stored, geometry turned from RAS to LPS."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.fileholders import FileHolder

from napari_d24fad.errors import Cancelled, Code, D24fadError, StudyError
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.studies.limits import check_size
from napari_d24fad.studies.nifti_geometry import nifti_geometry, slice_axis
from napari_d24fad.studies.quiet import quiet
from napari_d24fad.studies.scan import Photometric, Scan, SeriesIdentity, Voxels
from napari_d24fad.studies.series import Series, outline_voxels

NIFTI_SUFFIXES = (".nii", ".nii.gz")

_MOST_VOLUMES = 100
_HEADER_LENGTH = 348
_BLOCK = 2**22
_RGB_TYPES = (128, 2304)  # RGB24 and RGBA32


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class NiftiSeries(Series):
    """One volume of a NIfTI file.

    Attributes:
        volume: Which volume along the fourth axis of the file.
    """

    kind: ClassVar[str] = "NIfTI"

    volume: int = 0

    def _read(self, progress: Progress, cancel: CancelToken) -> Voxels:
        with _coded_errors(), quiet():
            image: Any = nibabel.load(self.source, mmap=False)
            if self.source.suffix.lower() == ".gz":
                # Reading up to the end compares the checksum, which nibabel leaves out.
                file = FileHolder(fileobj=_decompressed(self.source, cancel))
                image = type(image).from_file_map({"image": file, "header": file})
            return self._part(image, [slice(None), slice(None), slice(None)])

    def _read_middle_slice(self) -> Voxels:
        part = [slice(None), slice(None), slice(None)]
        axis = self.outline.slice_axis
        middle = self.grid[axis] // 2
        part[axis] = slice(middle, middle + 1)
        with _coded_errors(), quiet():
            return self._part(nibabel.load(self.source, mmap=False), part)

    def _part(self, image: Any, part: list[slice]) -> Voxels:
        """Reads a block; ``part`` is in the order of our axes, which the file reverses."""
        index: list[Any] = part[::-1][: len(image.shape)]
        index += [0 if axis > 3 else self.volume for axis in range(3, len(image.shape))]
        stored = np.asanyarray(image.dataobj[tuple(index)])
        if self.photometric is Photometric.COLOUR:
            colours = np.stack([stored[name] for name in "RGB"], axis=-1)
            return np.ascontiguousarray(colours.transpose(2, 1, 0, 3))
        stored = stored.reshape(stored.shape + (1,) * (3 - stored.ndim))
        return np.ascontiguousarray(stored.transpose(2, 1, 0), dtype=np.float32)


def _decompressed(path: Path, cancel: CancelToken) -> BytesIO:
    content = BytesIO()
    with gzip.open(path) as file:
        while block := file.read(_BLOCK):
            cancel.check()
            content.write(block)
    content.seek(0)
    return content


@contextmanager
def _coded_errors() -> Iterator[None]:
    """Turns what reading voxels raises into a `StudyError`."""
    try:
        yield
    except (D24fadError, Cancelled):
        raise
    except MemoryError:
        raise StudyError(Code.TOO_LARGE, "There is not enough free memory.") from None
    except PermissionError:
        raise StudyError(Code.PATH_UNREADABLE) from None
    except Exception:
        # The header was read before, so whatever gzip, zlib, nibabel or numpy raise now
        # comes from missing or damaged data; their messages quote the path.
        raise StudyError(Code.TRUNCATED) from None


def nifti_series(path: Path) -> tuple[NiftiSeries, ...]:
    """Makes a series of each volume of a NIfTI file (.nii, .nii.gz); reads the header.

    Args:
        path: The file.

    Raises:
        StudyError: ``NOT_AN_IMAGE``, ``UNSUPPORTED_PIXELS``, ``TRUNCATED``,
            ``MIXED_SERIES`` for more than four dimensions or too many volumes, or
            ``PATH_UNREADABLE``.
    """
    image = _header(path)
    header = image.header
    shape = tuple(int(length) for length in image.shape)
    if not shape or min(shape) < 1:
        raise StudyError(Code.NOT_AN_IMAGE, "Its header states no size.")
    grid = (*shape[:3], *(1,) * (3 - len(shape)))[::-1]
    check_size(grid)
    volumes = shape[3] if len(shape) > 3 else 1
    if any(length > 1 for length in shape[4:]):
        raise StudyError(Code.MIXED_SERIES, "It has more than four dimensions.")
    if volumes > _MOST_VOLUMES:
        raise StudyError(Code.MIXED_SERIES, f"It holds {volumes} volumes; up to {_MOST_VOLUMES} are shown.")
    datatype = int(header["datatype"])
    if header.get_data_dtype().kind == "c":
        raise StudyError(Code.UNSUPPORTED_PIXELS, "Its voxels are complex numbers.")
    _check_length(path, image)
    geometry = nifti_geometry(image)
    photometric = Photometric.COLOUR if datatype in _RGB_TYPES else Photometric.DARK_TO_BRIGHT
    return tuple(
        NiftiSeries(
            outline=Scan(
                voxels=outline_voxels((grid[0], grid[1], grid[2]), photometric),
                affine=geometry.affine,
                photometric=photometric,
                identity=SeriesIdentity(
                    # The file name may be a patient's, and so may the header's free text.
                    description="NIfTI volume" + (f" {volume + 1} of {volumes}" if volumes > 1 else "")
                ),
                has_geometry=geometry.in_patient,
                slice_axis=slice_axis(grid, geometry),
                problems=geometry.problems,
            ),
            source=path,
            refusal=geometry.refusal,
            volume=volume,
        )
        for volume in range(volumes)
    )


def _header(path: Path) -> Any:
    try:
        with quiet():
            return nibabel.load(path, mmap=False)
    except PermissionError:
        raise StudyError(Code.PATH_UNREADABLE) from None
    except (ImageFileError, EOFError, OSError, zlib.error):
        raise _unidentified(path) from None
    except Exception:
        # nibabel raises many kinds on a malformed header, and quotes the path.
        raise StudyError(Code.NOT_AN_IMAGE, "Its NIfTI header is malformed.") from None


def _unidentified(path: Path) -> StudyError:
    """Says what is wrong with a file that nibabel does not recognise."""
    with path.open("rb") as file:
        start = file.read(4)
    if path.suffix.lower() == ".gz" and start[:2] == b"\x1f\x8b":
        try:
            with gzip.open(path) as file:
                start = file.read(_HEADER_LENGTH)[:4]
        except (EOFError, OSError, zlib.error):
            return StudyError(Code.TRUNCATED)
    # Every NIfTI-1 file starts with the length of its header.
    if start in (_HEADER_LENGTH.to_bytes(4, "little"), _HEADER_LENGTH.to_bytes(4, "big")):
        return StudyError(Code.TRUNCATED, "Its header is damaged.")
    return StudyError(Code.NOT_AN_IMAGE, "It is not a NIfTI file.")


def _check_length(path: Path, image: Any) -> None:
    """Finds out at once that an uncompressed file is too short, or its voxels lie in its header."""
    if image.dataobj.offset < image.header.single_vox_offset:
        raise StudyError(Code.NOT_AN_IMAGE, "Its NIfTI header is malformed.")
    needed = int(image.dataobj.offset) + int(np.prod(image.shape)) * image.header.get_data_dtype().itemsize
    if path.suffix.lower() == ".nii" and path.stat().st_size < needed:
        raise StudyError(Code.TRUNCATED)
