"""DICOM series of single-frame files: from headers to series, from series to voxels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.studies.dicom_geometry import stack
from napari_d24fad.studies.dicom_header import Instance
from napari_d24fad.studies.dicom_multiframe import multiframe_series
from napari_d24fad.studies.dicom_pixels import check_decodable, read_slice
from napari_d24fad.studies.dicom_split import Group, split_series
from napari_d24fad.studies.scan import Photometric, Problem, Scan, Voxels
from napari_d24fad.studies.series import Series, outline_voxels, pixel_affine


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class DicomSeries(Series):
    """A volume of single-frame files, or one single-frame image.

    Attributes:
        instances: The headers of the files in slice order.
    """

    kind: ClassVar[str] = "DICOM"

    instances: tuple[Instance, ...] = field(repr=False)

    def _read(self, progress: Progress, cancel: CancelToken) -> Voxels:
        placeholder = self.outline.voxels
        voxels = np.empty(placeholder.shape, placeholder.dtype)
        for index, instance in enumerate(self.instances):
            cancel.check()
            voxels[index] = read_slice(instance)
            progress((index + 1) / len(self.instances), "Reading slices")
        return voxels

    def _read_middle_slice(self) -> Voxels:
        return read_slice(self.instances[len(self.instances) // 2])[np.newaxis]

    @property
    def _may_hold_nan(self) -> bool:
        return any(instance.padded for instance in self.instances)


def dicom_series(instances: Iterable[Instance]) -> tuple[Series, ...]:
    """Makes series of the headers of any number of DICOM files.

    Args:
        instances: One header per file.

    Returns:
        One series for each volume or image that is to be told apart. A series that
        cannot be read says why in its `Series.refusal`.
    """
    return tuple(_series(group) for group in split_series(instances))


def _series(group: Group) -> Series:
    first = group.instances[0]
    description = ", ".join(text for text in (first.identity.description, group.suffix) if text)
    first = replace(first, identity=replace(first.identity, description=description))
    if first.frames > 1:
        return multiframe_series(first, group.problems)
    instances, refusal, affine = group.instances, group.refusal, None
    problems = group.problems
    try:
        check_decodable(first)
        if refusal is None and "MOSAIC" in first.image_type:
            refusal = StudyError(Code.AMBIGUOUS_GEOMETRY, "Its slices are tiled into one picture (mosaic).")
        if refusal is None and first.placement is not None:
            instances, affine = stack(instances)
    except StudyError as error:
        refusal = error
    if refusal is None and affine is None and first.modality in {"CT", "MR", "PT"}:
        problems += (Problem(Code.AMBIGUOUS_GEOMETRY, "It is shown as a plain image."),)
    grid = (len(instances), first.rows, first.columns)
    photometric = first.photometric or Photometric.DARK_TO_BRIGHT
    return DicomSeries(
        outline=Scan(
            voxels=outline_voxels(grid, photometric),
            affine=pixel_affine((1.0, *first.pixel_shape)) if affine is None else affine,
            modality=first.modality,
            photometric=photometric,
            identity=first.identity,
            has_geometry=affine is not None,
            problems=problems,
        ),
        source=_common_folder(instances),
        n_files=len(instances),
        refusal=refusal,
        instances=instances,
    )


def _common_folder(instances: tuple[Instance, ...]) -> Path:
    """Returns the file of a single-file series, else the deepest folder that holds all files."""
    if len(instances) == 1:
        return instances[0].path
    folders = {instance.path.parent for instance in instances}
    common = folders.pop()
    while not all(folder.is_relative_to(common) for folder in folders):
        common = common.parent
    return common
