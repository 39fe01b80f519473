"""Carries a region that was drawn on one scan to another."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from scipy import ndimage

from napari_d24fad.anatomy.find import find_anatomy
from napari_d24fad.anatomy.found import Anatomy, Kind
from napari_d24fad.anatomy.grid import BoolArray
from napari_d24fad.anatomy.place import BoxPlacer
from napari_d24fad.anatomy.registration import Template, align
from napari_d24fad.anatomy.volume import resample, volume_of
from napari_d24fad.errors import Code, PairingError
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.scan import Affine, Problem, Scan

DRAWN, ALIGNED, BY_BOX = "drawn on this scan", "carried by alignment", "carried by place in the anatomy's box"

# A stack of few, thick slices says too little along its normal to be aligned.
_FEWEST_SLICES = 12
_THICKEST_MM = 6.0


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """A drawn region in one scan.

    Attributes:
        mask: On the grid of the scan; never empty.
        how: How it came there, in a few words.
        problems: Such as an alignment that failed.
    """

    mask: BoolArray = field(repr=False)
    how: str
    problems: tuple[Problem, ...] = ()


def carried(region: BoolArray, on: Scan, to: Scan, cancel: CancelToken | None = None) -> Carried:
    """Carries a region from one grey volume to another.

    Volumes that are fine in all directions are aligned, affinely. Where that is rejected, and in stacks
    of few or thick slices, the region takes the same place in the bounding box of the anatomy.

    Args:
        region: On the grid of ``on``.
        on: The scan it was drawn on.
        to: The scan it is wanted for.
        cancel: Asked between steps.

    Raises:
        PairingError: ``NOTHING_TO_EXAMINE``, if a scan holds no anatomy; ``REGION_NOT_CARRIED``, if the
            region cannot be placed in the other scan.
    """
    if on.scan_hash() == to.scan_hash():
        return Carried(region, DRAWN)
    problems: tuple[Problem, ...] = ()
    if _may_align(on) and _may_align(to):
        compared = _expanded(find_anatomy(on)) | region
        alignment = align(Template(volume_of(on), region, compared), volume_of(to), cancel)
        if alignment.accepted:
            return Carried(_through(region, on, to, alignment.move), ALIGNED)
        problems = (Problem(Code.NOT_ALIGNED, alignment.reason),)
    ours, theirs = find_anatomy(on), find_anatomy(to)
    if ours.kind is not theirs.kind:  # boxes of one thing only say where a place is
        ours, theirs = find_anatomy(on, Kind.BODY), find_anatomy(to, Kind.BODY)
        problems += (Problem(Code.MASK_REPLACED, "The drawn region was carried by the box of the body."),)
    return Carried(_by_box(region, ours, theirs), BY_BOX, problems)


def _may_align(scan: Scan) -> bool:
    return scan.in_patient and min(scan.grid) >= _FEWEST_SLICES and max(scan.spacing) <= _THICKEST_MM


def _expanded(anatomy: Anatomy) -> BoolArray:
    return np.asarray(anatomy.grid.expand(anatomy.mask), bool)


def _through(region: BoolArray, on: Scan, to: Scan, move: Affine) -> BoolArray:
    """Reads a region at the voxels of another scan, by the map from mm of its own scan to mm of that."""
    back: Affine = np.linalg.inv(move).astype(np.float64)
    share = resample(region.astype(np.float32), on.affine, to.grid, to.affine, back, outside=0.0)
    return _seen(share >= 0.5)


def _by_box(region: BoolArray, ours: Anatomy, theirs: Anatomy) -> BoolArray:
    """Gives a region the same place in the bounding box of another anatomy."""
    if ours.grid.sided != theirs.grid.sided:
        raise PairingError(Code.REGION_NOT_CARRIED, "Only one of the two scans states its sides.")
    filled = [axis for axis in range(3) if any(_reaches_edge(each, axis) for each in (ours, theirs))]
    from_, to_ = (_box_matrix(each, filled) for each in (ours, theirs))
    to_ours = np.linalg.inv(from_) @ to_
    share = ndimage.affine_transform(
        ours.grid.reduce(region.astype(np.float32)), to_ours[:3, :3], to_ours[:3, 3],
        output_shape=theirs.mask.shape, order=1,
    )  # fmt: skip
    return _seen(np.asarray(theirs.grid.expand(share >= 0.5), bool))


def _reaches_edge(anatomy: Anatomy, axis: int) -> bool:
    """Whether the anatomy goes on beyond the picture along an axis within its slices."""
    if axis == anatomy.grid.slice_axis:
        return False
    planes = np.moveaxis(anatomy.mask, axis, 0)
    return bool(planes[0].any() or planes[-1].any())


def _box_matrix(anatomy: Anatomy, filled: list[int]) -> Affine:
    """Returns the map from index to the unit box of the anatomy.

    Along axes that the anatomy fills in one of the scans it is the box of the picture: where a body is
    cut, its ends say nothing, and examiners put what they look for in the same place of the picture.
    """
    mask = anatomy.mask.copy()
    for axis in filled:
        np.moveaxis(mask, axis, 0)[[0, -1]] = True
    return BoxPlacer((1.0, 1.0, 1.0)).matrix(replace(anatomy, mask=mask))


def _seen(mask: BoolArray) -> BoolArray:
    if not mask.any():
        raise PairingError(Code.REGION_NOT_CARRIED, "It lies outside what this scan shows.")
    return mask
