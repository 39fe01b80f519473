"""Opens NIfTI and Analyze files, in one piece or in two (.hdr and .img), and those of FreeSurfer."""

from __future__ import annotations

import io
import math
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from nibabel.analyze import AnalyzeImage
from nibabel.arrayproxy import ArrayProxy
from nibabel.fileholders import FileHolder
from nibabel.freesurfer.mghformat import MGHHeader, MGHImage
from nibabel.nifti1 import Nifti1Image, Nifti1Pair
from nibabel.nifti2 import Nifti2Image, Nifti2Pair
from nibabel.spm2analyze import Spm2AnalyzeHeader
from nibabel.spm99analyze import Spm99AnalyzeHeader

from napari_d24fad.errors import Cancelled, Code, D24fadError, StudyError
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.files.bounded import BoundedGzip, is_file, open_file
from napari_d24fad.studies.files.limits import MOST_DEFLATED, limits

ALONE = (".nii", ".nii.gz")
"""What the names of NIfTI files of one piece end in."""
FREESURFER = (".mgh", ".mgz")
HEADERS, VOXELS = (".hdr", ".hdr.gz"), (".img", ".img.gz")
"""What the names of files in two pieces end in."""

_HEADER_LENGTHS = (348, 540)  # of the two versions of the format; the first is that of Analyze too
_GZIP = b"\x1f\x8b"
_MGH_START, _MGH_LONGEST, _MGH_TYPES = struct.Struct(">6i"), 2**15, (0, 1, 3, 4)
_MGH_LENGTH, _GOOD_DIRECTIONS = 284, slice(28, 30)


class _Spm2(AnalyzeImage):  # nibabel's own asks for a .mat file beside it
    header_class = Spm2AnalyzeHeader


class _Spm99(AnalyzeImage):  # as above
    header_class = Spm99AnalyzeHeader


# In the order in which nibabel tries them.
_SINGLE = (Nifti1Image, Nifti2Image)
_PAIRS = (Nifti1Pair, Nifti2Pair, _Spm2, _Spm99, AnalyzeImage)


@contextmanager
def opened(path: Path, cancel: CancelToken) -> Iterator[tuple[Any, Any]]:
    """Opens a file, or the two that belong together, and reads the header.

    Args:
        path: The file; of two, either.
        cancel: Stops the reading of compressed voxels.

    Yields:
        The file with the voxels, and the image that nibabel makes of it, whose voxels are not read.

    Raises:
        StudyError: ``PATH_MISSING``, ``PATH_UNREADABLE``; ``NOT_AN_IMAGE`` or ``TRUNCATED`` if there
            is no header that can be read, or no file with voxels.
    """
    header, voxels = _pieces(path)
    try:
        with ExitStack() as files:
            first = files.enter_context(_open(header, cancel))
            second = first if voxels == header else files.enter_context(_open(voxels, cancel))
            with coded_header_errors():
                image = _image(first, second, path)
            yield second, image
    except FileNotFoundError:
        raise StudyError(Code.PATH_MISSING, "The file disappeared while it was read.") from None
    except PermissionError:
        raise StudyError(Code.PATH_UNREADABLE) from None


@contextmanager
def coded_header_errors() -> Iterator[None]:
    """Turns what reading and interpreting a header raises into a `StudyError`."""
    try:
        yield
    except (D24fadError, Cancelled):
        raise
    except (EOFError, OSError, zlib.error):
        raise StudyError(Code.TRUNCATED) from None
    except Exception:
        # nibabel raises many kinds on a malformed header, and quotes the path.
        raise StudyError(Code.NOT_AN_IMAGE, "Its header is malformed.") from None


def is_piece(path: Path) -> bool:
    """Whether a file is a header or its voxels, and the other is beside it."""
    name = path.name.lower()
    if name.endswith(HEADERS):
        return _partner(path, HEADERS, VOXELS) is not None
    return header_of(path) is not None


def header_of(path: Path) -> Path | None:
    """Returns the header beside a file of voxels; None if it is no such file, or there is none."""
    return _partner(path, VOXELS, HEADERS) if path.name.lower().endswith(VOXELS) else None


def may_be_volume(start: bytes) -> bool:
    """Whether a file that begins so, whatever its name, is of NIfTI in one piece, or of FreeSurfer."""
    return any(kind.header_class.may_contain_header(start) for kind in _SINGLE) or _is_freesurfer(start)


def _is_freesurfer(start: bytes) -> bool:
    """Whether a header states the version, four lengths and a type of number of FreeSurfer's files."""
    if len(start) < _MGH_LENGTH:
        return False
    version, *lengths, kind = _MGH_START.unpack_from(start)
    return version == 1 and all(0 < length < _MGH_LONGEST for length in lengths) and kind in _MGH_TYPES


def is_deflated(start: bytes) -> bool:
    """Whether a file that begins so is compressed by gzip."""
    return start.startswith(_GZIP)


def _pieces(path: Path) -> tuple[Path, Path]:
    name = path.name.lower()
    if name.endswith(HEADERS):
        voxels = _partner(path, HEADERS, VOXELS)
        if voxels is None:
            raise StudyError(Code.TRUNCATED, "The file with its voxels (.img) is not beside it.")
        return path, voxels
    if name.endswith(VOXELS):
        header = _partner(path, VOXELS, HEADERS)
        if header is None:
            raise StudyError(Code.NOT_AN_IMAGE, "Its header (.hdr) is not beside it.")
        return header, path
    return path, path


def _partner(path: Path, own: tuple[str, ...], others: tuple[str, ...]) -> Path | None:
    """Returns the other piece, whether it is compressed or named in capitals."""
    length = max(len(suffix) for suffix in own if path.name.lower().endswith(suffix))
    stem = path.name[: len(path.name) - length]
    names = (stem + each for suffix in others for each in (suffix, suffix.upper()))
    return next((found for name in names if is_file(found := path.with_name(name))), None)


@contextmanager
def _open(path: Path, cancel: CancelToken) -> Iterator[io.BufferedIOBase]:
    """Opens a file, and inflates it on the way if it is compressed."""
    try:
        with open_file(path) as plain:
            packed = is_deflated(plain.read(len(_GZIP)))
        # What is called .gz is inflated whatever it holds, so that a damaged one is called so.
        packed = packed or path.suffix.lower() in (".gz", ".mgz")
        file: Any = BoundedGzip(path, cancel) if packed else open_file(path)
    except FileNotFoundError:
        raise StudyError(Code.PATH_MISSING, "The file disappeared while it was read.") from None
    except OSError:
        raise StudyError(Code.PATH_UNREADABLE) from None
    with file:
        yield file


def _image(header: Any, voxels: Any, path: Path) -> Any:
    """Reads the header, of whichever format the file says it is."""
    start = header.read(max(_HEADER_LENGTHS))
    header.seek(0)
    if path.name.lower().endswith(FREESURFER) or (header is voxels and _is_freesurfer(start)):
        return _freesurfer(voxels)
    pieces = {"image": FileHolder(fileobj=voxels), "header": FileHolder(fileobj=header)}
    for kind in _SINGLE if header is voxels else _PAIRS:
        if kind.header_class.may_contain_header(start):
            return kind.from_file_map(pieces, mmap=False)
    # Every file starts with the length of its header.
    lengths = (n.to_bytes(4, order) for n in _HEADER_LENGTHS for order in ("little", "big"))
    if start[:4] in lengths and header is voxels:
        raise StudyError(Code.TRUNCATED, "Its header is damaged.")
    name = "a NIfTI file" if header is voxels else "a NIfTI or Analyze file"
    raise StudyError(Code.NOT_AN_IMAGE, f"It is not {name}.")


def _freesurfer(file: Any) -> Any:
    """Reads the header only: nibabel looks for what follows the voxels, which would inflate them all."""
    start = file.read(_MGH_LENGTH)
    if len(start) < _MGH_LENGTH:
        raise StudyError(Code.TRUNCATED)
    header = MGHHeader(start[: MGHHeader._hdrdtype.itemsize])
    pieces = {"image": FileHolder(fileobj=file), "header": FileHolder(fileobj=file)}
    image = MGHImage(ArrayProxy(file, header, mmap=False), header.get_affine(), header, file_map=pieces)
    # nibabel puts directions of its own, and this flag, where the file says that it has none.
    image.header["goodRASFlag"] = int.from_bytes(start[_GOOD_DIRECTIONS], "big", signed=True)
    return image


def end_of(image: Any) -> int:
    """Returns where the voxels of a file end."""
    size = math.prod(map(int, image.shape)) * int(image.header.get_data_dtype().itemsize)
    return int(image.dataobj.offset) + size


def allow_voxels(file: Any, image: Any) -> None:
    """Lets a compressed file be inflated as far as its voxels reach."""
    if isinstance(file, BoundedGzip):
        file.allowed = end_of(image) + limits().header


def check_length(file: Any, image: Any) -> None:
    """Finds out at once that a file is too short, or its voxels lie in its header."""
    if image.dataobj.offset < getattr(image.header, "single_vox_offset", 0) and _is_single(image):
        raise StudyError(Code.NOT_AN_IMAGE, "Its header is malformed.")
    if not 0 <= image.dataobj.offset <= limits().header:
        raise StudyError(Code.TOO_LARGE, "Its header claims to be larger than the limit.")
    stored = os.fstat(file.fileno()).st_size
    if end_of(image) > stored * (MOST_DEFLATED if isinstance(file, BoundedGzip) else 1):
        raise StudyError(Code.TRUNCATED)


def _is_single(image: Any) -> bool:
    return isinstance(image, _SINGLE)
