"""Finds what of a scan is anatomy: the narrowest mask that passes the checks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from napari_d24fad.anatomy.body import body, is_cut_out, tissue
from napari_d24fad.anatomy.brain_window import BrainWindow, brain_window
from napari_d24fad.anatomy.check import faults_inside_skull
from napari_d24fad.anatomy.found import Anatomy, Kind
from napari_d24fad.anatomy.grid import Millimetres, WorkingGrid, working_grid
from napari_d24fad.anatomy.head_ct import enclosed, head_ct, intracranial
from napari_d24fad.errors import Code, PairingError
from napari_d24fad.studies.scan import Problem, Scan

HEAD_CT_MM: Millimetres = (5.0, 1.5, 1.5)
BODY_MM: Millimetres = (5.0, 2.0, 2.0)


def find_anatomy(scan: Scan, kind: Kind | None = None, spacing: Millimetres | None = None) -> Anatomy:
    """Finds the mask of a scan on its working grid.

    Args:
        scan: A grey volume.
        kind: What is wanted; None to try the inside of the skull where the values are those of a
            CT, then the body or, where the scan was cut out of its surroundings, the tissue.
        spacing: Of the working grid along (z, y, x) in mm; None for that of the kind.

    Raises:
        PairingError: ``NOTHING_TO_EXAMINE``, if there is no anatomy.
    """
    problems: list[Problem] = []
    if kind in (None, Kind.INTRACRANIAL):
        window = brain_window(scan.voxels, scan.modality)
        if window is not None:
            found = _inside_skull(scan, window, working_grid(scan, spacing or HEAD_CT_MM))
            if not isinstance(found, str):
                return found
            if kind is Kind.INTRACRANIAL:
                problems.append(Problem(Code.MASK_REPLACED, found))
        elif kind is Kind.INTRACRANIAL:
            problems.append(Problem(Code.MASK_REPLACED, "Its values are not those of a CT of the head."))
    return replace(find_body(scan, kind, spacing), problems=tuple(problems))


def find_body(scan: Scan, kind: Kind | None = None, spacing: Millimetres | None = None) -> Anatomy:
    """Finds the body or, where the scan was cut out of its surroundings, the tissue.

    Args:
        scan: A grey volume.
        kind: ``BODY`` or ``TISSUE`` to have that; else whichever it is.
        spacing: See `find_anatomy`.

    Raises:
        PairingError: ``NOTHING_TO_EXAMINE``, if there is neither.
    """
    grid = working_grid(scan, spacing or BODY_MM)
    values = grid.reduce(scan.voxels)
    if not np.isfinite(values).any() or np.nanmin(values) == np.nanmax(values):
        raise PairingError(Code.NOTHING_TO_EXAMINE)
    hounsfield = scan.modality == "CT" and float(np.nanmin(values)) < -200
    # In HU air is known as such; outside a round field of view lies a value of its own.
    cut_out = kind is Kind.TISSUE or (kind is not Kind.BODY and not hounsfield and is_cut_out(values))
    mask = tissue(values) if cut_out else body(values, grid, hounsfield=hounsfield)
    if not mask.any():
        raise PairingError(Code.NOTHING_TO_EXAMINE)
    return Anatomy(Kind.TISSUE if cut_out else Kind.BODY, grid, mask, values)


def drawn_region(
    scan: Scan,
    region: npt.NDArray[np.bool_],
    spacing: Millimetres | None = None,
    how: str = "",
    problems: tuple[Problem, ...] = (),
) -> Anatomy:
    """Makes the anatomy that a reader drew.

    Args:
        scan: The scan.
        region: On the grid of the scan.
        spacing: See `find_anatomy`.
        how: See `Anatomy.how`.
        problems: Of the way in which the region came to this scan.

    Raises:
        PairingError: ``REGION_EMPTY``, if nothing was drawn where the scan has values.
    """
    grid = working_grid(scan, spacing or BODY_MM)
    values, share = grid.reduce(scan.voxels), grid.reduce(region.astype(np.float32))
    known = np.isfinite(values)
    mask = known & (share >= 0.5)
    if not mask.any():  # thinner than a voxel here
        mask = known & (share > 0)
    if not mask.any():
        raise PairingError(Code.REGION_EMPTY)
    return Anatomy(Kind.REGION, grid, mask, values, problems=problems, how=how)


def _inside_skull(scan: Scan, window: BrainWindow, grid: WorkingGrid) -> Anatomy | str:
    """Returns the inside of the skull, or why no mask of it passes the checks."""
    head = head_ct(scan.voxels, grid, window)
    why = ""
    for number, search in enumerate((intracranial, enclosed)):
        mask = search(head)
        faults = faults_inside_skull(mask, head)
        if not faults:
            problems = (Problem(Code.MASK_REPLACED, why),) if number else ()
            return Anatomy(Kind.INTRACRANIAL, grid, mask, head.grey, window, head.bone, problems)
        why = why or faults[0]
    return why
