"""Volumes of Slicer and ITK (NRRD, MetaImage), read by SimpleITK once their header was looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.studies.file_geometry import FileGeometry, placed, slice_axis, unplaced
from napari_d24fad.studies.files.faults import coded_voxel_errors
from napari_d24fad.studies.files.limits import LONGEST, SHORTEST
from napari_d24fad.studies.formats.facts import VolumeFacts, check_deflated, check_facts, start_of
from napari_d24fad.studies.formats.metaimage import metaimage_facts
from napari_d24fad.studies.formats.nrrd import nrrd_facts
from napari_d24fad.studies.scan import Photometric, Scan, SeriesIdentity, Voxels
from napari_d24fad.studies.series import Series, outline_voxels, pixel_affine
from napari_d24fad.studies.volumes import Member

_KINDS: dict[str, tuple[str, Callable[[Path], VolumeFacts], str]] = {
    ".nrrd": ("NRRD", nrrd_facts, "NrrdImageIO"),
    ".nhdr": ("NRRD", nrrd_facts, "NrrdImageIO"),
    ".mha": ("MetaImage", metaimage_facts, "MetaImageIO"),
    ".mhd": ("MetaImage", metaimage_facts, "MetaImageIO"),
}
ITK_SUFFIXES = tuple(_KINDS)
"""What the names of these files end in."""

_STARTS = {b"NRRD000": ".nrrd", b"ObjectType": ".mha", b"NDims": ".mha"}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ItkSeries(Series):
    """One volume of an NRRD file or a MetaImage.

    Attributes:
        facts: What its header stated when it was looked at.
        volume: Which of its volumes, from 0.
    """

    facts: VolumeFacts = field(repr=False)
    volume: int = 0

    @property
    def files(self) -> tuple[Path, ...]:
        """See `Series.files`."""
        return (self.source,) if self.facts.voxels_in is None else (self.source, self.facts.voxels_in)

    @property
    def variant(self) -> str:
        """See `Series.variant`."""
        return str(self.volume)

    def _read(self, progress: Progress, cancel: CancelToken) -> Voxels:
        _, facts_of, _ = _KINDS[_suffix(self.source)]
        facts = facts_of(self.source)
        if facts != self.facts:
            raise StudyError(Code.PATH_MISSING, "A file was replaced while the study was read.")
        check_facts(self.source, facts)
        if facts.compressed:
            check_deflated(self.source, facts, cancel)
        import SimpleITK as sitk  # noqa: N813 - its usual name; a third of a second to import

        with coded_voxel_errors():
            reader = _reader(self.source)
            image = reader.Execute()
            stored: npt.NDArray[Any] = sitk.GetArrayFromImage(image)  # a copy: a view would outlive it
            cancel.check()
            if self.photometric is Photometric.COLOUR:
                return np.ascontiguousarray(stored[..., :3].reshape(*self.grid, 3))
            if image.GetNumberOfComponentsPerPixel() > 1:
                stored = stored[..., self.volume]
            elif image.GetDimension() > 3:
                stored = stored[self.volume]
            return np.ascontiguousarray(stored, dtype=np.float32).reshape(self.grid)

    def _read_middle_slice(self, cancel: CancelToken) -> Voxels:
        # Compressed files have to be inflated up to it in any case.
        axis = self.outline.slice_axis
        middle = self.grid[axis] // 2
        voxels: Voxels = self._read(lambda fraction, text: None, cancel)
        return voxels[(slice(None),) * axis + (slice(middle, middle + 1),)]


def itk_series(path: Path) -> tuple[ItkSeries, ...]:
    """Makes a series of each volume of an NRRD file or a MetaImage; reads the header.

    Args:
        path: The file (.nrrd, .nhdr, .mha, .mhd, or one that `is_itk`).

    Raises:
        StudyError: ``NOT_AN_IMAGE``, ``TRUNCATED``, ``TOO_LARGE``, ``PATH_MISSING`` or
            ``PATH_UNREADABLE``.
    """
    kind, facts_of, _ = _KINDS[_suffix(path)]
    facts = facts_of(path)
    check_facts(path, facts)
    with coded_voxel_errors():
        reader = _reader(path)
        reader.ReadImageInformation()
        geometry = _geometry(reader, facts)
    photometric = Photometric.COLOUR if facts.channels > 1 else Photometric.DARK_TO_BRIGHT
    count = facts.volumes
    return tuple(
        ItkSeries(
            outline=Scan(
                voxels=outline_voxels(facts.grid, photometric),
                affine=geometry.affine,
                photometric=photometric,
                identity=SeriesIdentity(
                    # The file name may be a patient's, and so may the header's free text.
                    description=f"{kind} volume" + (f" {number} of {count}" if count > 1 else "")
                ),
                has_geometry=geometry.in_mm,
                sides_known=geometry.in_patient,
                slice_axis=slice_axis(facts.grid, geometry),
                problems=geometry.problems,
            ),
            source=path,
            kind=kind,
            refusal=geometry.refusal,
            facts=facts,
            volume=number - 1,
            member=Member(str(path), number) if count > 1 else None,
        )
        for number in range(1, count + 1)
    )


def is_itk(start: bytes) -> bool:
    """Whether a file that begins so, whatever its name, is one of NRRD or a MetaImage."""
    return start.startswith(tuple(_STARTS))


def _suffix(path: Path) -> str:
    """Returns the suffix that tells the format; of a name without one, by how the file begins."""
    if path.suffix.lower() in _KINDS:
        return path.suffix.lower()
    start = start_of(path)
    return next((suffix for begins, suffix in _STARTS.items() if start.startswith(begins)), ".nrrd")


def _reader(path: Path) -> Any:
    import SimpleITK as sitk  # noqa: N813 - its usual name; a third of a second to import

    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.SetImageIO(_KINDS[_suffix(path)][2])  # not whatever the content looks like
    return reader


def _geometry(reader: Any, facts: VolumeFacts) -> FileGeometry:
    """Returns where the voxels lie; ITK turns every space of an NRRD file into LPS."""
    dimension = reader.GetDimension()
    sizes = tuple(int(size) for size in reader.GetSize())
    if sizes[:3] != facts.sizes[:dimension] or dimension < len(facts.sizes):
        raise StudyError(Code.NOT_AN_IMAGE, "Its header contradicts itself.")
    spacing = np.array([*reader.GetSpacing()[:3], 1.0][:3]) * facts.to_mm
    if not (np.isfinite(spacing).all() and (spacing > SHORTEST).all() and (spacing < LONGEST).all()):
        return unplaced(pixel_affine((1.0, 1.0, 1.0)), None)
    plain = np.diag([*spacing[::-1], 1.0])
    if not facts.in_patient:
        return unplaced(pixel_affine((spacing[2], spacing[1], spacing[0])), plain if facts.in_mm else None)
    directions = np.reshape(reader.GetDirection(), (dimension, dimension))[:3, :3]
    stored = np.eye(4)
    stored[:3, :3] = directions * spacing
    stored[:3, 3] = np.array(reader.GetOrigin()[:3]) * facts.to_mm
    return placed(stored, plain)
