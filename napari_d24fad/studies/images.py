"""Ordinary 2-D images: PNG, JPEG and TIFF, grey or colour, without geometry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from napari_d24fad.errors import Cancelled, Code, D24fadError, StudyError
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.studies.files import open_file
from napari_d24fad.studies.limits import check_size
from napari_d24fad.studies.quiet import quiet
from napari_d24fad.studies.scan import Photometric, Scan, SeriesIdentity, Voxels
from napari_d24fad.studies.series import Series, outline_voxels, pixel_affine

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")

_FORMATS = ("PNG", "JPEG", "TIFF")
_GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"})
_EXIF_ORIENTATION = 0x0112
_LYING = (5, 6, 7, 8)  # EXIF orientations that exchange rows and columns
_WIDTH = 256
_INTERPRETATION, _WHITE_IS_ZERO = 262, 0  # TIFF tags and their values
_SAMPLE_FORMAT, _SIGNED = 339, 2
# What tells grey from colour (8 bits); on 1,740 medical pictures of six kinds, grey ones
# have at most a share of 0.05, colour ones at least 0.19.
_GREY_RANGE, _COLOURED_SHARE = 32, 0.1
_BLACK, _WHITE = 16, 240


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ImageSeries(Series):
    """One image file, a scan of a single slice."""

    kind: ClassVar[str] = "image"

    def _read(self, progress: Progress, cancel: CancelToken) -> Voxels:
        return self._read_middle_slice(cancel)

    def _read_middle_slice(self, cancel: CancelToken) -> Voxels:
        with _opened(self.source) as stored:
            check_size((1, stored.height, stored.width), 3)  # it may be another file by now
            image = ImageOps.exif_transpose(stored)
            if image.mode in _GREY_MODES:
                # Transparency of a grey image is dropped, like that of colours.
                grey = np.asarray(image.convert("L") if image.mode in ("1", "LA", "La") else image)
                if stored.format == "TIFF" and stored.mode == "I" and _tag(stored, _SAMPLE_FORMAT) != _SIGNED:
                    grey = grey.view(np.uint32)  # Pillow reads these 32 bits as signed
                return grey[np.newaxis].astype(np.float32)
            colours = image.convert("RGB")
            pixels = np.asarray(colours)
            if _is_grey(pixels):
                # Luminance: of equal channels it is their value, of a JPEG the channel without chroma noise.
                return np.asarray(colours.convert("L"))[np.newaxis].astype(np.float32)
            return pixels[np.newaxis]


def image_series(path: Path) -> ImageSeries:
    """Makes a series of a PNG, JPEG or TIFF file; reads the header.

    An RGB file counts as colour here; if its channels turn out to hardly differ, the loaded
    scan is grey. That is so where at most a tenth of the pixels that are neither nearly
    black nor nearly white have channels further apart than an eighth of the range, as in
    grey pictures with JPEG chroma noise, the faint tint of a photographed screen, or a
    few coloured marks.

    Args:
        path: The file.

    Raises:
        StudyError: ``NOT_AN_IMAGE``, ``UNSUPPORTED_PIXELS`` (also for files with several
            pages), ``TOO_LARGE``, or ``PATH_UNREADABLE``.
    """
    with _opened(path) as image:
        pages = getattr(image, "n_frames", 1)
        # A JPEG with a preview beside it (MPO) counts as one image.
        if pages > 1 and image.format != "MPO":
            raise StudyError(Code.UNSUPPORTED_PIXELS, f"It holds {pages} pages; save each as its own file.")
        columns, rows = image.size
        # Pillow exchanges them itself in a TIFF.
        turned = image.format == "TIFF" and columns != _tag(image, _WIDTH)
        if image.getexif().get(_EXIF_ORIENTATION) in _LYING and not turned:
            columns, rows = rows, columns
        grid = (1, rows, columns)
        check_size(grid, 3)
        _check_strips(image)
        photometric = _photometric(image)
    return ImageSeries(
        outline=Scan(
            voxels=outline_voxels(grid, photometric),
            affine=pixel_affine((1.0, 1.0, 1.0)),
            photometric=photometric,
            # The file name may be a patient's.
            identity=SeriesIdentity(description="image"),
            has_geometry=False,
        ),
        source=path,
    )


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Opens an image file; pixels are decoded when they are asked for."""
    with _coded_errors(path), quiet(), open_file(path) as file, Image.open(file, formats=_FORMATS) as image:
        yield image


def _is_grey(pixels: npt.NDArray[np.uint8]) -> bool:
    """Whether the channels of ``(rows, columns, 3)`` pixels hardly differ; see `image_series`."""
    highest, lowest = pixels.max(axis=-1), pixels.min(axis=-1)
    # Black and white margins have no colour to show, and would outvote a small coloured part.
    judged = (highest > _BLACK) & (lowest < _WHITE)
    coloured = judged & (highest - lowest > _GREY_RANGE)
    return bool(coloured.sum() <= _COLOURED_SHARE * judged.sum())


def _photometric(image: Image.Image) -> Photometric:
    if image.mode not in _GREY_MODES:
        return Photometric.COLOUR
    # Pillow inverts white-is-zero pixels of 8 bits or fewer, but not deeper ones.
    inverted = image.mode.startswith(("I", "F")) and _tag(image, _INTERPRETATION) == _WHITE_IS_ZERO
    return Photometric.BRIGHT_TO_DARK if inverted else Photometric.DARK_TO_BRIGHT


def _check_strips(image: Image.Image) -> None:
    """Finds out that the strips of a TIFF do not cover it: Pillow leaves the rest black."""
    boxes = [tile[1] for tile in image.tile] if isinstance(image, ImageFile.ImageFile) else []
    area = sum((right - left) * (bottom - top) for left, top, right, bottom in filter(None, boxes))
    if image.format == "TIFF" and area < image.width * image.height:
        raise StudyError(Code.TRUNCATED)


def _tag(image: Image.Image, tag: int) -> int | None:
    """Returns the first value of a TIFF tag; None if there is none."""
    value = getattr(image, "tag_v2", {}).get(tag)
    return value[0] if isinstance(value, tuple) else value


def _unidentified(path: Path) -> StudyError:
    """Says what is wrong with a file that Pillow does not recognise."""
    with open_file(path) as file:
        start = file.read(8)
        if start.startswith((b"\x89PNG", b"\xff\xd8\xff")):
            return StudyError(Code.TRUNCATED)
        if start[:4] not in (b"II*\0", b"MM\0*"):
            return StudyError(Code.NOT_AN_IMAGE, "It is not a PNG, JPEG or TIFF image.")
        # TIFF: the directory of the first page is a count and that many entries of 12 bytes.
        order: Literal["little", "big"] = "little" if start[:2] == b"II" else "big"
        file.seek(int.from_bytes(start[4:], order))
        length = 12 * int.from_bytes(file.read(2), order)
        complete = 0 < length == len(file.read(length))
    return StudyError(Code.UNSUPPORTED_PIXELS if complete else Code.TRUNCATED)


@contextmanager
def _coded_errors(path: Path) -> Iterator[None]:
    """Turns what Pillow raises into a `StudyError`; its messages quote the path."""
    try:
        yield
    except (D24fadError, Cancelled):
        raise
    except UnidentifiedImageError:
        raise _unidentified(path) from None
    except Image.DecompressionBombError:
        raise StudyError(Code.TOO_LARGE, "It has more pixels than any camera delivers.") from None
    except MemoryError:
        raise StudyError(Code.TOO_LARGE, "There is not enough free memory.") from None
    except FileNotFoundError:
        raise StudyError(Code.PATH_MISSING, "The file disappeared while it was read.") from None
    except PermissionError:
        raise StudyError(Code.PATH_UNREADABLE) from None
    except Exception as error:
        # Once a header is understood, Pillow raises whatever its decoders stumble over.
        if "not available" in str(error):
            raise StudyError(Code.UNSUPPORTED_PIXELS) from None
        raise StudyError(Code.TRUNCATED) from None
