"""NIfTI and its like: voxels in the order they are stored, geometry turned from RAS to LPS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.studies.file_geometry import slice_axis
from napari_d24fad.studies.files.bounded import BoundedGzip
from napari_d24fad.studies.files.faults import coded_voxel_errors
from napari_d24fad.studies.files.limits import check_size
from napari_d24fad.studies.files.quiet import quiet
from napari_d24fad.studies.nifti.files import allow_voxels, check_length, coded_header_errors, opened
from napari_d24fad.studies.nifti.geometry import geometry_of
from napari_d24fad.studies.nifti.weightings import volume_names
from napari_d24fad.studies.scan import Photometric, Scan, SeriesIdentity, Voxels
from napari_d24fad.studies.series import Series, outline_voxels
from napari_d24fad.studies.volumes import Member

_MOST_VOLUMES = 20_000
_BLOCK = 2**22


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class NiftiSeries(Series):
    """One volume of a file of NIfTI, Analyze or FreeSurfer.

    Attributes:
        volume: Which volume along the fourth axis of the file.
    """

    volume: int = 0

    @property
    def variant(self) -> str:
        """See `Series.variant`."""
        return str(self.volume)

    def _read(self, progress: Progress, cancel: CancelToken) -> Voxels:
        with coded_voxel_errors(), quiet(), opened(self.source, cancel) as (file, image):
            allow_voxels(file, image)
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
        with coded_voxel_errors(), quiet(), opened(self.source, cancel) as (file, image):
            allow_voxels(file, image)
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


def nifti_series(path: Path) -> tuple[NiftiSeries, ...]:
    """Makes a series of each volume of a file of NIfTI, Analyze or FreeSurfer; reads the header.

    Args:
        path: The file (.nii, .nii.gz, .mgh, .mgz, or a NIfTI file of any name), or one of two
            (.hdr and .img).

    Raises:
        StudyError: ``NOT_AN_IMAGE``, ``UNSUPPORTED_PIXELS``, ``TRUNCATED``, ``MIXED_SERIES`` for more
            than four dimensions or too many volumes, ``PATH_MISSING`` or ``PATH_UNREADABLE``.
    """
    with quiet(), opened(path, CancelToken()) as (file, image), coded_header_errors():
        return _series_of(path, file, image)


def _series_of(path: Path, file: Any, image: Any) -> tuple[NiftiSeries, ...]:
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
    if header.get_data_dtype().kind == "c":
        raise StudyError(Code.UNSUPPORTED_PIXELS, "Its voxels are complex numbers.")
    check_length(file, image)
    geometry = geometry_of(image)
    is_colour = header.get_data_dtype().names is not None
    photometric = Photometric.COLOUR if is_colour else Photometric.DARK_TO_BRIGHT
    kind = "NIfTI" if "xyzt_units" in header else "FreeSurfer" if "Mdc" in header else "Analyze"
    names = volume_names(path, volumes)
    return tuple(
        NiftiSeries(
            outline=Scan(
                voxels=outline_voxels((grid[0], grid[1], grid[2]), photometric),
                affine=geometry.affine,
                photometric=photometric,
                identity=SeriesIdentity(
                    # The file name may be a patient's, and so may the header's free text.
                    description=f"{kind} volume" + (f" {number} of {volumes}" if volumes > 1 else "")
                ),
                has_geometry=geometry.in_mm,
                sides_known=geometry.in_patient,
                slice_axis=slice_axis(grid, geometry),
                problems=geometry.problems,
            ),
            source=path,
            kind=kind,
            refusal=geometry.refusal,
            volume=number - 1,
            member=Member(str(path), number, names[number - 1]) if volumes > 1 else None,
        )
        for number in range(1, volumes + 1)
    )
