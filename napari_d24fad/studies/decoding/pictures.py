"""The pixels of ordinary images, decoded by Pillow: run in a process of its own, see `decoding`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import IO, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.files.faults import coded_voxel_errors
from napari_d24fad.studies.files.limits import check_size
from napari_d24fad.studies.files.quiet import quiet

Opens = Callable[[], AbstractContextManager[IO[bytes]]]
"""Opens the file from its beginning, each time it is called."""

GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"})
_FORMATS = ("PNG", "JPEG", "TIFF")
_SAMPLE_FORMAT, _SIGNED = 339, 2
# What tells grey from colour (8 bits); on 1,740 medical pictures of six kinds, grey ones
# have at most a share of 0.05, colour ones at least 0.19.
_GREY_RANGE, _COLOURED_SHARE = 32, 0.1
_BLACK, _WHITE = 16, 240


def decode_image(opens: Opens) -> npt.NDArray[np.generic]:
    """Decodes an image upright, as its EXIF orientation says.

    Args:
        opens: Opens the file.

    Returns:
        ``(1, rows, columns)`` float32 for grey, ``(1, rows, columns, 3)`` uint8 for colour.

    Raises:
        StudyError: If it cannot be decoded, or is too large.
    """
    with opened(opens) as stored:
        check_size((1, stored.height, stored.width), 3)  # it may be another file by now
        image = ImageOps.exif_transpose(stored)
        if image.mode in GREY_MODES:
            # Transparency of a grey image is dropped, like that of colours.
            grey = np.asarray(image.convert("L") if image.mode in ("1", "LA", "La") else image)
            if stored.format == "TIFF" and stored.mode == "I" and tag(stored, _SAMPLE_FORMAT) != _SIGNED:
                grey = grey.view(np.uint32)  # Pillow reads these 32 bits as signed
            return grey[np.newaxis].astype(np.float32)
        colours = image.convert("RGB")
        pixels = np.asarray(colours)
        if _is_grey(pixels):
            # Luminance: of equal channels it is their value, of a JPEG the channel without chroma noise.
            return np.asarray(colours.convert("L"))[np.newaxis].astype(np.float32)
        return pixels[np.newaxis]


@contextmanager
def opened(opens: Opens) -> Iterator[Image.Image]:
    """Opens an image; pixels are decoded when they are asked for.

    Raises:
        StudyError: What Pillow raises, by its code; its messages quote the path.
    """
    with _coded_errors(opens), quiet(), opens() as file, Image.open(file, formats=_FORMATS) as image:
        yield image


def _is_grey(pixels: npt.NDArray[np.uint8]) -> bool:
    """Whether the channels of ``(rows, columns, 3)`` pixels hardly differ; see `image_series`."""
    highest, lowest = pixels.max(axis=-1), pixels.min(axis=-1)
    # Black and white margins have no colour to show, and would outvote a small coloured part.
    judged = (highest > _BLACK) & (lowest < _WHITE)
    coloured = judged & (highest - lowest > _GREY_RANGE)
    return bool(coloured.sum() <= _COLOURED_SHARE * judged.sum())


def tag(image: Image.Image, tag: int) -> int | None:
    """Returns the first value of a TIFF tag; None if there is none."""
    value = getattr(image, "tag_v2", {}).get(tag)
    return value[0] if isinstance(value, tuple) else value


def _unidentified(opens: Opens) -> StudyError:
    """Says what is wrong with a file that Pillow does not recognise."""
    with opens() as file:
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
def _coded_errors(opens: Opens) -> Iterator[None]:
    """Turns what Pillow raises into a `StudyError`; its messages quote the path."""
    with coded_voxel_errors():
        try:
            yield
        except UnidentifiedImageError:
            raise _unidentified(opens) from None
        except Image.DecompressionBombError:
            raise StudyError(Code.TOO_LARGE, "It has more pixels than any camera delivers.") from None
        except (RuntimeError, ValueError, OSError) as error:
            if "not available" in str(error):  # a decoder that Pillow was built without
                raise StudyError(Code.UNSUPPORTED_PIXELS) from None
            raise
