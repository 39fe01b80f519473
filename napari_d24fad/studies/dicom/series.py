"""DICOM series of slices, in files of their own or frames of one: from headers to series, to voxels."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from napari_d24fad.cores import usable_cores
from napari_d24fad.errors import Code, StudyError
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.studies.decoding.processes import MOST_KEPT
from napari_d24fad.studies.dicom.copies import Copy, check_copies
from napari_d24fad.studies.dicom.geometry import Stack, stack
from napari_d24fad.studies.dicom.group import Group
from napari_d24fad.studies.dicom.header import Instance
from napari_d24fad.studies.dicom.mosaic import Tiles, is_tiled, tiles_of
from napari_d24fad.studies.dicom.pixels import FrameFile, read_slice
from napari_d24fad.studies.dicom.refusals import check_decodable
from napari_d24fad.studies.dicom.split import split_series
from napari_d24fad.studies.dicom.suv import NoSuvError, suv_factor
from napari_d24fad.studies.files.limits import check_size
from napari_d24fad.studies.regrid import Regrid
from napari_d24fad.studies.scan import Photometric, Problem, Scan, Voxels
from napari_d24fad.studies.series import Series, outline_voxels, pixel_affine
from napari_d24fad.studies.volumes import Member

_CROSS_SECTIONAL = frozenset({"CT", "MR", "PT"})
_IN_ORDER = "It was taken from the order of its frames and the one distance that is stated."
_RUN = 8  # slices that one thread reads before it looks for others


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class DicomSeries(Series):
    """A volume of single-frame files or of the frames of one file, or one image.

    Attributes:
        instances: The headers of the files or frames in slice order.
        copies: Pairs of one of the files and another that should be the same.
        regrid: How the volume is made of the files, where it is not simply all of them.
        factor: What values are multiplied with after the rescale that the files state; see `suv_factor`.
    """

    kind: str = "DICOM"

    instances: tuple[Instance, ...] = field(repr=False)
    copies: tuple[Copy, ...] = field(default=(), repr=False)
    regrid: Regrid | Tiles | None = field(default=None, repr=False)
    factor: float = 1.0

    @property
    def files(self) -> tuple[Path, ...]:
        """See `Series.files`."""
        return tuple(dict.fromkeys(instance.path for instance in self.instances))

    @property
    def variant(self) -> str:
        """See `Series.variant`."""
        kind = "" if self.regrid is None else type(self.regrid).__name__
        unit = f"{self.outline.unit} {self.factor!r}" if self.outline.unit else ""
        frames = [str(instance.frame) for instance in self.instances if instance.frames > 1]
        return " ".join([kind, *([unit] if unit else []), *frames]).strip()

    def _read(self, progress: Progress, cancel: CancelToken) -> Voxels:
        check_copies(self.copies, cancel)
        placeholder = self.outline.voxels
        voxels = np.empty(placeholder.shape, placeholder.dtype)
        unwanted = threading.Event()
        read_one = self._reader(cancel)

        def read_run(start: int) -> int:
            # Two neighbours are needed at a time at most.
            read = lru_cache(maxsize=2)(read_one)
            stop = min(start + _RUN, len(voxels))
            for index in range(start, stop):
                if not unwanted.is_set():
                    cancel.check()
                    voxels[index] = self._slice(index, read)
            return stop

        # Files and decoding processes are waited for; numpy computes while others do.
        threads = min(MOST_KEPT, usable_cores())
        with ThreadPoolExecutor(threads, "reading slices") as pool:
            try:
                # In order, so that of several problems the first is told, as if read one by one.
                for stop in pool.map(read_run, range(0, len(voxels), _RUN)):
                    progress(stop / len(voxels), "Reading slices")
                    cancel.check()
            finally:
                unwanted.set()
        return voxels

    def _read_middle_slice(self, cancel: CancelToken) -> Voxels:
        return self._slice(self.grid[0] // 2, self._reader(cancel))[np.newaxis]

    def _slice(self, index: int, read: Callable[[int], Voxels]) -> Voxels:
        picture = read(index) if self.regrid is None else self.regrid.draw(index, read)
        return picture if self.factor == 1 else np.multiply(picture, np.float32(self.factor))

    def _reader(self, cancel: CancelToken) -> Callable[[int], Voxels]:
        """Returns what reads a slice by its number; files of several frames are read here."""
        if all(instance.frames == 1 for instance in self.instances):
            return lambda index: read_slice(self.instances[index], cancel)
        files: dict[Path, FrameFile] = {}
        opening = threading.Lock()

        def read(index: int) -> Voxels:
            instance = self.instances[index]
            with opening:
                if instance.path not in files:
                    files[instance.path] = FrameFile(instance)
            return files[instance.path].read(instance.frame or 0, cancel)

        return read


def dicom_series(instances: Iterable[Instance]) -> tuple[Series, ...]:
    """Makes series of the headers of any number of DICOM files.

    Args:
        instances: One header per file.

    Returns:
        One series for each volume or image that is to be told apart. A series that
        cannot be read says why in its `Series.refusal`.
    """
    groups = [_with_remarks(group) for group in split_series(instances)]
    wholes = Counter(group.whole for group in groups)
    numbers: Counter[str] = Counter()
    found = []
    for group in groups:
        series = _in_suv(_series(group))
        if group.whole and wholes[group.whole] > 1:
            numbers[group.whole] += 1
            series = series.as_member(Member(group.whole, numbers[group.whole], group.name))
        found.append(series)
    return tuple(found)


def _in_suv(series: Series) -> Series:
    """Returns a PET series in SUV if its header allows that, else with the reason why not."""
    if series.modality != "PT" or not isinstance(series, DicomSeries) or series.outline.is_colour:
        return series
    outline, factor = series.outline, 1.0
    try:
        factor = suv_factor([one.pet for one in series.instances if one.pet is not None])
        # What the header asks to be shown is in the unit of the file.
        outline = replace(outline, unit="SUV", stated_window=None)
    except NoSuvError as reason:
        outline = replace(outline, problems=(*outline.problems, Problem(Code.NOT_IN_SUV, str(reason))))
    remedy = None if series.remedy is None else _in_suv(series.remedy)
    return replace(series, outline=outline, factor=factor, remedy=remedy)


def _with_remarks(group: Group) -> Group:
    """Adds what single files of a group give reason to say."""
    if not any(instance.burned_in for instance in group.instances):
        return group
    return replace(group, problems=(*group.problems, Problem(Code.BURNED_IN)))


def _series(group: Group) -> Series:
    first = group.instances[0]
    description = ", ".join(text for text in (first.identity.description, group.suffix) if text)
    first = replace(first, identity=replace(first.identity, description=description))
    if any(instance.program for instance in group.instances):
        group = replace(group, problems=(*group.problems, Problem(Code.ALSO_A_PROGRAM)))
    if first.frames > 1 and first.frame is None and group.refusal is not None:
        return replace(_plain(first, group), refusal=group.refusal)
    try:
        check_decodable(first)
        check_size(_plain(first, group).outline.voxels.shape)
        if group.assumed:
            return _if_agreed(first, group)
        if group.refusal is not None:
            raise group.refusal
        if is_tiled(first) and len(group.instances) > 1:
            raise StudyError(Code.MIXED_SERIES, "Each of its pictures is a volume.")
        if is_tiled(first):
            return _of_tiles(first, group, tiles_of(first))
        if first.placement is None:
            return _picture(first, group)
        return _volume(first, group, stack(group.instances))
    except StudyError as error:
        return replace(_plain(first, group), refusal=error)


def _picture(first: Instance, group: Group) -> DicomSeries:
    """Makes the series of an image that does not say where in the patient it lies."""
    plain = _plain(first, group)
    if first.modality not in _CROSS_SECTIONAL:
        return plain
    problem = Problem(Code.AMBIGUOUS_GEOMETRY, "It is shown as a plain image.")
    return replace(plain, outline=replace(plain.outline, problems=(*group.problems, problem)))


def _of_tiles(first: Instance, group: Group, tiles: Tiles) -> DicomSeries:
    """Makes the series of slices that are tiled into one picture."""
    plain = _plain(first, group)
    volume = replace(
        plain,
        regrid=tiles,
        outline=replace(
            plain.outline,
            voxels=outline_voxels((tiles.n_slices, *tiles.shape), plain.photometric),
            affine=tiles.affine,
            has_geometry=True,
            problems=(*group.problems, *tiles.problems),
        ),
    )
    return volume if tiles.refusal is None else replace(plain, refusal=tiles.refusal, remedy=volume)


def _if_agreed(first: Instance, group: Group) -> DicomSeries:
    """Makes the series of frames whose places were taken from their order, once the user agrees to that."""
    plain = replace(_plain(first, group), refusal=group.refusal)
    assumed = replace(group, problems=(*group.problems, Problem(Code.ASSUMED_ORDER, _IN_ORDER)))
    volume = _volume(first, assumed, stack(group.instances))
    return plain if volume.refusal else replace(plain, remedy=volume)


def _volume(first: Instance, group: Group, found: Stack) -> DicomSeries:
    """Makes the series of slices that form a volume, or could be made to."""
    whole = replace(_plain(first, group), instances=found.instances, source=_common_folder(found.instances))
    geometry = replace(whole.outline, affine=found.affine, has_geometry=True)
    if found.regrid is None:
        return replace(whole, outline=geometry, refusal=found.refusal)
    regrid = found.regrid
    regridded = replace(
        whole,
        regrid=regrid,
        outline=replace(
            geometry,
            voxels=outline_voxels((regrid.n_slices, *regrid.shape), whole.photometric),
            affine=regrid.affine,
            problems=(*group.problems, regrid.problem),
        ),
    )
    if found.refusal is None:
        return regridded
    return replace(whole, outline=geometry, refusal=found.refusal, remedy=regridded)


def _plain(first: Instance, group: Group) -> DicomSeries:
    """Makes the series as far as it needs no place in the patient."""
    photometric = first.photometric or Photometric.DARK_TO_BRIGHT
    return DicomSeries(
        outline=Scan(
            voxels=outline_voxels((group.n_slices, first.rows, first.columns), photometric),
            affine=pixel_affine((1.0, *first.pixel_shape)),
            modality=first.modality,
            photometric=photometric,
            identity=first.identity,
            has_geometry=False,
            problems=group.problems,
            stated_window=first.window,
        ),
        source=_common_folder(group.instances),
        n_files=len({instance.path for instance in group.instances}),
        instances=group.instances,
        copies=group.copies,
    )


def _common_folder(instances: tuple[Instance, ...]) -> Path:
    """Returns the file of a single-file series, else the deepest folder that holds all files."""
    if len({instance.path for instance in instances}) == 1:
        return instances[0].path
    folders = {instance.path.parent for instance in instances}
    common = folders.pop()
    while not all(folder.is_relative_to(common) for folder in folders):
        common = common.parent
    return common
