"""DICOM files with many frames: enhanced CT, MR and the like, one volume in one file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import highdicom
import numpy as np
import numpy.typing as npt
from highdicom import CoordinateSystemNames
from highdicom.spatial import get_image_coordinate_system
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.studies.dicom.copies import check_copies
from napari_d24fad.studies.dicom.file import open_dicom, read_header
from napari_d24fad.studies.dicom.frames import CompressedFrames
from napari_d24fad.studies.dicom.geometry import along_normal, in_place
from napari_d24fad.studies.dicom.header import Instance
from napari_d24fad.studies.dicom.pixels import (
    TRANSFORMS,
    check_decodable,
    coded_errors,
    eight_bit,
    frame_format,
    frames,
    is_compressed,
    read_whole,
    without_padding,
)
from napari_d24fad.studies.dicom.subject import body_part
from napari_d24fad.studies.dicom.window import stated_window
from napari_d24fad.studies.files.limits import limits
from napari_d24fad.studies.files.quiet import quiet
from napari_d24fad.studies.scan import Affine, Photometric, Problem, Scan, Voxels
from napari_d24fad.studies.series import Series, outline_voxels, pixel_affine

_FRAMES_AT_ONCE = 8
# A byte of a sequence becomes twenty in memory; frames are described by two kilobytes each.
_GROUPS_SHARE = 16


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class MultiframeSeries(Series):
    """A volume whose slices are the frames of one file, in any order.

    Attributes:
        instance: The header of the file.
        copies: Pairs of the file and another that should be the same.
    """

    kind: ClassVar[str] = "DICOM"

    instance: Instance = field(repr=False)
    copies: tuple[tuple[Instance, Instance], ...] = field(default=(), repr=False)

    @property
    def files(self) -> tuple[Path, ...]:
        """See `Series.files`."""
        return (self.instance.path,)

    def _read(self, progress: Progress, cancel: CancelToken) -> Voxels:
        check_copies(self.copies, cancel)
        placeholder = self.outline.voxels
        voxels = np.empty(placeholder.shape, placeholder.dtype)
        with self._opened(cancel) as (image, coded):
            order = self._frame_order(image)
            for start in range(0, len(voxels), _FRAMES_AT_ONCE):
                cancel.check()
                stop = min(start + _FRAMES_AT_ONCE, len(voxels))
                if coded is not None:
                    coded.keep(order[start : stop + _FRAMES_AT_ONCE])
                voxels[start:stop] = self._frames(image, start, stop)
                progress(stop / len(voxels), "Reading slices")
        return voxels

    def _read_middle_slice(self, cancel: CancelToken) -> Voxels:
        middle = self.grid[0] // 2
        with self._opened(cancel) as (image, _):
            return self._frames(image, middle, middle + 1)

    @contextmanager
    def _opened(self, cancel: CancelToken) -> Iterator[tuple[highdicom.Image, CompressedFrames | None]]:
        """Reads the file; compressed frames are decoded when they are asked for, or ahead of it."""
        syntax = self.instance.transfer_syntax
        with coded_errors(syntax), quiet():
            image = highdicom.Image.from_dataset(read_whole(self.instance), copy=False)
            if not is_compressed(image):
                yield image, None
                return
            with CompressedFrames(syntax, frame_format(image), frames(image), cancel) as coded:
                # highdicom asks for a frame here to decode it, and takes a decoded one as well.
                image.get_raw_frame = coded.decoded  # type: ignore[assignment, method-assign]  # see above
                yield image, coded

    def _frame_order(self, image: highdicom.Image) -> list[int]:
        """Returns which frame each slice is, counted from 0."""
        along = np.array(_positions(image)) @ self.outline.affine[:3, 0]
        return [int(index) for index in np.argsort(along)]

    def _frames(self, image: highdicom.Image, start: int, stop: int) -> Voxels:
        """Reads a range of slices, which highdicom counts from the other end."""
        colour = self.photometric is Photometric.COLOUR
        frames = self._volume(image, start, stop, dtype=np.uint32 if colour else np.float32)
        if colour:
            return eight_bit(frames, image)
        if not self.instance.padded:
            return frames
        stored = self._volume(image, start, stop, dtype=np.float32, apply_modality_transform=False)
        return without_padding(frames, stored, image)

    def _volume(self, image: highdicom.Image, start: int, stop: int, **options: Any) -> npt.NDArray[Any]:
        volume = image.get_volume(
            slice_start=self.grid[0] - stop,
            slice_end=self.grid[0] - start,
            as_indices=True,
            **TRANSFORMS,
            **options,
        )
        frames: npt.NDArray[Any] = volume.array[::-1]
        return frames


def multiframe_series(
    instance: Instance,
    problems: tuple[Problem, ...] = (),
    copies: tuple[tuple[Instance, Instance], ...] = (),
) -> MultiframeSeries:
    """Makes a series of a file with several frames.

    Args:
        instance: Its header.
        problems: What was found before.
        copies: See `MultiframeSeries.copies`.

    Returns:
        The series, with a `Series.refusal` if its frames are no single volume.
    """
    grid = (instance.frames, instance.rows, instance.columns)
    photometric = instance.photometric or Photometric.DARK_TO_BRIGHT
    affine: Affine | None = None
    identity, window, refusal = instance.identity, instance.window, None
    try:
        check_decodable(instance)
        with coded_errors(instance.transfer_syntax), quiet(), open_dicom(instance.path) as file:
            header = read_header(file)
            window = window or stated_window(header)
            identity = replace(identity, body_part=identity.body_part or body_part(header))
            affine = _affine(header, instance.frames)
    except StudyError as error:
        refusal = error
    return MultiframeSeries(
        outline=Scan(
            voxels=outline_voxels(grid, photometric),
            affine=pixel_affine((1.0, *instance.pixel_shape)) if affine is None else affine,
            modality=instance.modality,
            photometric=photometric,
            identity=identity,
            has_geometry=affine is not None,
            problems=problems,
            stated_window=window,
        ),
        source=instance.path,
        refusal=refusal,
        instance=instance,
        copies=copies,
    )


def _affine(header: Dataset, frames: int) -> Affine:
    """Returns the affine of the frames in slice order.

    Raises:
        StudyError: ``FILM``, ``AMBIGUOUS_GEOMETRY``, ``MISSING_SLICE``, ``MIXED_SERIES`` or
            ``TRUNCATED``.
    """
    if get_image_coordinate_system(header) is not CoordinateSystemNames.PATIENT:
        raise StudyError(Code.FILM, f"It holds {frames} frames without a place in the patient.")
    groups: Any = header.get_item("PerFrameFunctionalGroupsSequence")
    if isinstance(groups, RawDataElement) and groups.length > limits().header // _GROUPS_SHARE:
        raise StudyError(Code.TOO_LARGE, "What it says of each of its frames is too long.")
    if len(header.get("PerFrameFunctionalGroupsSequence", ())) != frames:
        raise StudyError(Code.TRUNCATED, "It does not describe all of its frames.")
    image = highdicom.Image.from_dataset(header, copy=False)
    geometry = image.get_volume_geometry(allow_duplicate_positions=False)
    if geometry is not None:
        affine = along_normal(geometry)
        if not in_place(affine, _positions(image)):
            raise StudyError(Code.AMBIGUOUS_GEOMETRY, "The frames are stacked at a slant.")
        return affine
    if image.get_volume_geometry(allow_duplicate_positions=True) is not None:
        raise StudyError(Code.MIXED_SERIES, "The file holds several frames at each position.")
    if image.get_volume_geometry(allow_missing_positions=True) is not None:
        raise StudyError(Code.MISSING_SLICE)
    raise StudyError(Code.AMBIGUOUS_GEOMETRY, "The frames do not form one stack of parallel slices.")


def _positions(image: highdicom.Image) -> list[list[float]]:
    groups = [*image.get("SharedFunctionalGroupsSequence", ()), *image.PerFrameFunctionalGroupsSequence]
    return [
        [float(mm) for mm in group.PlanePositionSequence[0].ImagePositionPatient]
        for group in groups
        if "PlanePositionSequence" in group
    ]
