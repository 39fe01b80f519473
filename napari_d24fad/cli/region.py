"""``--roi``: drawn regions from files, and the scan that each was drawn on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from napari_d24fad.errors import Code, PairingError, StudyError
from napari_d24fad.session.request import Drawn
from napari_d24fad.studies.orientation import canonical_orientation
from napari_d24fad.studies.scan import Affine, Scan
from napari_d24fad.studies.series import Series
from napari_d24fad.studies.study import open_study

_CLOSE_MM = 0.5


def open_regions(
    paths: Sequence[Path], of: Sequence[Path], candidates: Sequence[Series]
) -> tuple[Drawn, ...]:
    """Reads masks and finds the scan on whose voxels each lies.

    Args:
        paths: Of the masks.
        of: Of the scans they were drawn on, one for each mask; empty to tell them by geometry.
        candidates: Queries and references.

    Raises:
        PairingError: See `open_region`; ``REGION_AMBIGUOUS`` also if two belong to one scan.
        StudyError: A mask cannot be read.
    """
    found: list[Drawn] = []
    scans: Sequence[Path | None] = of or [None] * len(paths)
    for path, scan in zip(paths, scans, strict=True):
        drawn = open_region(path, scan, candidates)
        if any(drawn.series == other.series for other in found):
            raise PairingError(Code.REGION_AMBIGUOUS, "Two masks belong to the same scan; join them.")
        found.append(drawn)
    return tuple(found)


def open_region(path: Path, of: Path | None, candidates: Sequence[Series]) -> Drawn:
    """Reads a mask and finds the scan on whose voxels it lies.

    Args:
        path: Of the mask; all but 0 is the region.
        of: Of the scan it was drawn on; None to tell it by geometry.
        candidates: Queries and references.

    Raises:
        PairingError: ``REGION_UNMATCHED``, ``REGION_AMBIGUOUS`` or ``REGION_EMPTY``.
        StudyError: The mask cannot be read.
    """
    series = open_study(path).series
    if len(series) > 1:
        raise StudyError(Code.SEVERAL_SERIES, "They are in the file of the drawn region.")
    if series[0].refusal:
        raise series[0].refusal
    mask = _loaded(series[0])
    chosen = list(dict.fromkeys(each for each in candidates if of is None or _is_of(each, of)))
    fitting = [each for each in chosen if _on_voxels_of(mask, each.outline)]
    if not fitting:
        raise PairingError(Code.REGION_UNMATCHED)
    if len(fitting) > 1:
        raise PairingError(Code.REGION_AMBIGUOUS, f"They are {len(fitting)}.")
    return _drawn(mask, fitting[0])


def _loaded(series: Series) -> Scan:
    try:
        return series.load()
    except StudyError as error:
        if error.code is not Code.CONSTANT_IMAGE:
            raise
        raise PairingError(Code.REGION_EMPTY, "All voxels of the mask have the same value.") from error


def _drawn(mask: Scan, series: Series) -> Drawn:
    voxels = np.asarray(mask.voxels.max(axis=-1) if mask.is_colour else mask.voxels)
    upright = canonical_orientation(mask).apply(np.nan_to_num(voxels) != 0)
    return Drawn.of(series, canonical_orientation(series.outline).invert(upright))


def _is_of(series: Series, path: Path) -> bool:
    place = path.resolve()
    archive = series.holds.of if series.holds else None
    files = series.files if archive is None else (archive,)
    return any(place == file or place in file.parents for file in map(Path.resolve, files))


def _on_voxels_of(mask: Scan, scan: Scan) -> bool:
    (grid, ours), (theirs_grid, theirs) = _upright(mask), _upright(scan)
    if grid != theirs_grid:
        return False
    if not scan.has_geometry:
        return True
    if mask.in_patient != scan.in_patient or not mask.has_geometry:
        return False
    close = min(_CLOSE_MM, 0.5 * min(scan.spacing))
    if not scan.in_patient:  # only lengths are known
        return bool(np.allclose(mask.spacing, scan.spacing, atol=close / max(grid)))
    corners = np.array(np.meshgrid(*([0, n - 1] for n in grid), indexing="ij")).reshape(3, -1)
    apart = (ours - theirs)[:3, :3] @ corners + (ours - theirs)[:3, 3:]
    return bool(np.linalg.norm(apart, axis=0).max() <= close)


def _upright(scan: Scan) -> tuple[tuple[int, ...], Affine]:
    """Returns shape and affine of a scan in canonical order."""
    orientation = canonical_orientation(scan)
    grid = tuple(scan.grid[axis] for axis in orientation.permutation)
    return grid, np.asarray(scan.affine @ orientation.index_transform(scan.grid))
