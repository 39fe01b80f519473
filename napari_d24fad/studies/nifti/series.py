"""NIfTI files: voxels in the order they are stored, geometry turned from RAS to LPS."""

from __future__ import annotations

import io
import math
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from nibabel.fileholders import FileHolder
from nibabel.nifti1 import Nifti1Image
from nibabel.nifti2 import Nifti2Image

from napari_d24fad.errors import Cancelled, Code, D24fadError, StudyError
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.studies.files.bounded import BoundedGzip, open_file
from napari_d24fad.studies.files.limits import check_size, limits
from napari_d24fad.studies.files.quiet import quiet
from napari_d24fad.studies.nifti.geometry import nifti_geometry, slice_axis
from napari_d24fad.studies.scan import Photometric, Scan, SeriesIdentity, Voxels
from napari_d24fad.studies.series import Series, outline_voxels

NIFTI_SUFFIXES = (".nii", ".nii.gz")

_MOST_VOLUMES = 100
_HEADER_LENGTHS = (348, 540)  # of the two versions of the format
_BLOCK = 2**22
# Deflate makes nothing smaller than by this factor.
_MOST_DEFLATED = 1040
_RGB_TYPES = (128, 2304)  # RGB24 and RGBA32


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class NiftiSeries(Series):
    """One volume of a NIfTI file.

    Attributes:
        volume: Which volume along the fourth axis of the file.
    """

    kind: ClassVar[str] = "NIfTI"

    volume: int = 0

    @property
    def variant(self) -> str:
        """See `Series.variant`."""
        return str(self.volume)

    def _read(self, progress: Progress, cancel: CancelToken) -> Voxels:
        with _coded_errors(), quiet(), _opened(self.source, cancel) as file:
            image = _image(file)
            _allow_voxels(file, image)
            voxels = self._part(image, [slice(None), slice(None), slice(None)])
            # Reading up to the end compares the checksum, which nibabel leaves out.
            while isinstance(file, BoundedGzip) and file.read(_BLOCK):
                pass
            return voxels

    def _read_middle_slice(self, cancel: CancelToken) -> Voxels:
        part = [slice(None), slice(None), slice(None)]
        axis = self.outline.slice_axis
        middle = self.grid[axis] // 2
        part[axis] = slice(middle, middle + 1)
        with _coded_errors(), quiet(), _opened(self.source, cancel) as file:
            image = _image(file)
            _allow_voxels(file, image)
            return self._part(image, part)

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


@contextmanager
def _coded_errors() -> Iterator[None]:
    """Turns what reading voxels raises into a `StudyError`."""
    try:
        yield
    except (D24fadError, Cancelled):
        raise
    except MemoryError:
        raise StudyError(Code.TOO_LARGE, "There is not enough free memory.") from None
    except FileNotFoundError:
        raise StudyError(Code.PATH_MISSING, "The file disappeared while it was read.") from None
    except PermissionError:
        raise StudyError(Code.PATH_UNREADABLE) from None
    except Exception:
        # The header was read before, so whatever gzip, zlib, nibabel or numpy raise now
        # comes from missing or damaged data; their messages quote the path.
        raise StudyError(Code.TRUNCATED) from None


@contextmanager
def _coded_header_errors() -> Iterator[None]:
    """Turns what reading and interpreting a header raises into a `StudyError`."""
    try:
        yield
    except (D24fadError, Cancelled):
        raise
    except (EOFError, OSError, zlib.error):
        raise StudyError(Code.TRUNCATED) from None
    except Exception:
        # nibabel raises many kinds on a malformed header, and quotes the path.
        raise StudyError(Code.NOT_AN_IMAGE, "Its NIfTI header is malformed.") from None


def nifti_series(path: Path) -> tuple[NiftiSeries, ...]:
    """Makes a series of each volume of a NIfTI file (.nii, .nii.gz); reads the header.

    Args:
        path: The file.

    Raises:
        StudyError: ``NOT_AN_IMAGE``, ``UNSUPPORTED_PIXELS``, ``TRUNCATED``,
            ``MIXED_SERIES`` for more than four dimensions or too many volumes, or
            ``PATH_UNREADABLE``.
    """
    with _opened(path, CancelToken()) as file, _coded_header_errors(), quiet():
        image = _image(file)
        if image is None:
            raise _unidentified(file)
        return _series_of(path, file, image)


def _series_of(path: Path, file: io.BufferedIOBase, image: Any) -> tuple[NiftiSeries, ...]:
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
    _check_length(file, image)
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
                has_geometry=geometry.in_mm,
                sides_known=geometry.in_patient,
                slice_axis=slice_axis(grid, geometry),
                problems=geometry.problems,
            ),
            source=path,
            refusal=geometry.refusal,
            volume=volume,
        )
        for volume in range(volumes)
    )


@contextmanager
def _opened(path: Path, cancel: CancelToken) -> Iterator[io.BufferedIOBase]:
    """Opens a file, and inflates it on the way if it is compressed."""
    try:
        file: Any = BoundedGzip(path, cancel) if path.suffix.lower() == ".gz" else open_file(path)
    except FileNotFoundError:
        raise StudyError(Code.PATH_MISSING, "The file disappeared while it was read.") from None
    except OSError:
        raise StudyError(Code.PATH_UNREADABLE) from None
    with file:
        yield file


def _image(file: io.BufferedIOBase) -> Any:
    """Reads the header, of whichever version of the format; None if it is neither."""
    start = file.read(max(_HEADER_LENGTHS))
    file.seek(0)
    holder = FileHolder(fileobj=file)
    for kind in (Nifti1Image, Nifti2Image):
        if kind.header_class.may_contain_header(start):
            return kind.from_file_map({"image": holder, "header": holder}, mmap=False)
    return None


def _unidentified(file: io.BufferedIOBase) -> StudyError:
    """Says what is wrong with a file that has no header of this format."""
    file.seek(0)
    start = file.read(4)
    # Every file starts with the length of its header.
    if any(start == length.to_bytes(4, order) for length in _HEADER_LENGTHS for order in ("little", "big")):
        return StudyError(Code.TRUNCATED, "Its header is damaged.")
    return StudyError(Code.NOT_AN_IMAGE, "It is not a NIfTI file.")


def _end(image: Any) -> int:
    """Returns where the voxels of a file end."""
    size = math.prod(map(int, image.shape)) * int(image.header.get_data_dtype().itemsize)
    return int(image.dataobj.offset) + size


def _allow_voxels(file: io.BufferedIOBase, image: Any) -> None:
    """Lets a compressed file be inflated as far as its voxels reach."""
    if isinstance(file, BoundedGzip):
        file.allowed = _end(image) + limits().header


def _check_length(file: io.BufferedIOBase, image: Any) -> None:
    """Finds out at once that a file is too short, or its voxels lie in its header."""
    if image.dataobj.offset < image.header.single_vox_offset:
        raise StudyError(Code.NOT_AN_IMAGE, "Its NIfTI header is malformed.")
    if image.dataobj.offset > limits().header:
        raise StudyError(Code.TOO_LARGE, "Its header claims to be larger than the limit.")
    stored = os.fstat(file.fileno()).st_size
    if _end(image) > stored * (_MOST_DEFLATED if isinstance(file, BoundedGzip) else 1):
        raise StudyError(Code.TRUNCATED)
