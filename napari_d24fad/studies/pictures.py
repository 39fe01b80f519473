"""Ordinary 2-D images: PNG, JPEG and TIFF, grey or colour, without geometry."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image, ImageFile

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.studies.decoding.pictures import GREY_MODES, opened, tag
from napari_d24fad.studies.decoding.processes import decode_picture
from napari_d24fad.studies.files.bounded import open_file
from napari_d24fad.studies.files.limits import check_size
from napari_d24fad.studies.scan import Photometric, Scan, SeriesIdentity, Voxels
from napari_d24fad.studies.series import Series, outline_voxels, pixel_affine

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")

_EXIF_ORIENTATION = 0x0112
_LYING = (5, 6, 7, 8)  # EXIF orientations that exchange rows and columns
_WIDTH = 256
_INTERPRETATION, _WHITE_IS_ZERO = 262, 0  # TIFF tags and their values


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ImageSeries(Series):
    """One image file, a scan of a single slice."""

    def _read(self, progress: Progress, cancel: CancelToken) -> Voxels:
        return self._read_middle_slice(cancel)

    def _read_middle_slice(self, cancel: CancelToken) -> Voxels:
        try:
            with open_file(self.source) as file:
                check_size((os.fstat(file.fileno()).st_size // 4,))
                content = file.read()
        except FileNotFoundError:
            raise StudyError(Code.PATH_MISSING, "The file disappeared while it was read.") from None
        except OSError:
            raise StudyError(Code.PATH_UNREADABLE) from None
        return decode_picture(content, self.grid, cancel)


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
        StudyError: ``NOT_AN_IMAGE`` (also for files with several pages), ``UNSUPPORTED_PIXELS``,
            ``TOO_LARGE``, or ``PATH_UNREADABLE``.
    """
    with opened(partial(open_file, path)) as image:
        pages = getattr(image, "n_frames", 1)
        # A JPEG with a preview beside it (MPO) counts as one image.
        if pages > 1 and image.format != "MPO":
            text = f"It is a {image.format} stack of {pages} pages, which have no place in a patient"
            raise StudyError(Code.NOT_AN_IMAGE, f"{text}; save each page as a file of its own.")
        columns, rows = image.size
        # Pillow exchanges them itself in a TIFF.
        turned = image.format == "TIFF" and columns != tag(image, _WIDTH)
        # Of the header alone: a PNG's own method decodes all pixels to look for more behind them.
        if Image.Image.getexif(image).get(_EXIF_ORIENTATION) in _LYING and not turned:
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


def _photometric(image: Image.Image) -> Photometric:
    if image.mode not in GREY_MODES:
        return Photometric.COLOUR
    # Pillow inverts white-is-zero pixels of 8 bits or fewer, but not deeper ones.
    inverted = image.mode.startswith(("I", "F")) and tag(image, _INTERPRETATION) == _WHITE_IS_ZERO
    return Photometric.BRIGHT_TO_DARK if inverted else Photometric.DARK_TO_BRIGHT


def _check_strips(image: Image.Image) -> None:
    """Finds out that the strips of a TIFF do not cover it: Pillow leaves the rest black."""
    boxes = [tile[1] for tile in image.tile] if isinstance(image, ImageFile.ImageFile) else []
    area = sum((right - left) * (bottom - top) for left, top, right, bottom in filter(None, boxes))
    if image.format == "TIFF" and area < image.width * image.height:
        raise StudyError(Code.TRUNCATED)
