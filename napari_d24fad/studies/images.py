"""Ordinary 2-D images: PNG, JPEG and TIFF, grey or colour, without geometry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from napari_d24fad.errors import Cancelled, Code, D24fadError, StudyError
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.studies.limits import check_size
from napari_d24fad.studies.quiet import quiet
from napari_d24fad.studies.scan import Photometric, Scan, SeriesIdentity, Voxels
from napari_d24fad.studies.series import Series, outline_voxels, pixel_affine

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")

_FORMATS = ("PNG", "JPEG", "TIFF")
_GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"})
_EXIF_ORIENTATION = 0x0112
_LYING = (5, 6, 7, 8)  # EXIF orientations that exchange rows and columns


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ImageSeries(Series):
    """One image file, a scan of a single slice."""

    kind: ClassVar[str] = "image"

    def _read(self, progress: Progress, cancel: CancelToken) -> Voxels:
        return self._read_middle_slice()

    def _read_middle_slice(self) -> Voxels:
        with _coded_errors(), quiet(), Image.open(self.source, formats=_FORMATS) as stored:
            image = ImageOps.exif_transpose(stored)
            if image.mode in _GREY_MODES:
                # Transparency of a grey image is dropped, like that of colours.
                grey = image.convert("L") if image.mode in ("1", "LA", "La") else image
                return np.asarray(grey, dtype=np.float32)[np.newaxis]
            colours = np.asarray(image.convert("RGB"))
            if (colours == colours[..., :1]).all():
                return colours[np.newaxis, ..., 0].astype(np.float32)
            return colours[np.newaxis]


def image_series(path: Path) -> ImageSeries:
    """Makes a series of a PNG, JPEG or TIFF file; reads the header.

    An RGB file counts as colour here; if its channels turn out to be equal everywhere,
    the loaded scan is grey.

    Args:
        path: The file.

    Raises:
        StudyError: ``NOT_AN_IMAGE``, ``UNSUPPORTED_PIXELS`` (also for files with several
            pages), ``TOO_LARGE``, or ``PATH_UNREADABLE``.
    """
    with _coded_errors(), quiet(), Image.open(path, formats=_FORMATS) as image:
        pages = getattr(image, "n_frames", 1)
        # A JPEG with a preview beside it (MPO) counts as one image.
        if pages > 1 and image.format != "MPO":
            raise StudyError(Code.UNSUPPORTED_PIXELS, f"It holds {pages} pages; save each as its own file.")
        columns, rows = image.size
        if image.getexif().get(_EXIF_ORIENTATION) in _LYING:
            columns, rows = rows, columns
        grid = (1, rows, columns)
        check_size(grid, 3)
        photometric = Photometric.DARK_TO_BRIGHT if image.mode in _GREY_MODES else Photometric.COLOUR
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
def _coded_errors() -> Iterator[None]:
    """Turns what Pillow raises into a `StudyError`; its messages quote the path."""
    try:
        yield
    except (D24fadError, Cancelled):
        raise
    except UnidentifiedImageError:
        raise StudyError(Code.NOT_AN_IMAGE, "It is not a PNG, JPEG or TIFF image of a known kind.") from None
    except Image.DecompressionBombError:
        raise StudyError(Code.TOO_LARGE, "It has more pixels than any camera delivers.") from None
    except MemoryError:
        raise StudyError(Code.TOO_LARGE, "There is not enough free memory.") from None
    except PermissionError:
        raise StudyError(Code.PATH_UNREADABLE) from None
    except Exception as error:
        # Once a header is understood, Pillow raises whatever its decoders stumble over.
        if "not available" in str(error):
            raise StudyError(Code.UNSUPPORTED_PIXELS) from None
        raise StudyError(Code.TRUNCATED) from None
