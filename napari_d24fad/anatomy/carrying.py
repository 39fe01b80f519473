"""Carries regions that were drawn on some scans to another: each by itself, then by a vote."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from scipy import ndimage

from napari_d24fad.anatomy.find import find_anatomy
from napari_d24fad.anatomy.found import DRAWN, Anatomy, Kind
from napari_d24fad.anatomy.grid import BoolArray, FloatArray
from napari_d24fad.anatomy.place import BoxPlacer
from napari_d24fad.anatomy.registration import Template, align, coarser
from napari_d24fad.anatomy.thick_slices import Part, matched_slices
from napari_d24fad.anatomy.volume import resample, volume_of
from napari_d24fad.errors import Code, PairingError
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.scan import Affine, Problem, Scan

ALIGNED, BY_BOX = "carried by alignment", "carried by place in the anatomy's box"

# A stack of few, thick slices says too little along its normal to be aligned.
_FEWEST_SLICES = 12
_THICKEST_MM = 6.0
# Aligning takes seconds: of many outlines so many are carried to a volume that is fine in all directions.
_MOST_ALIGNED = 3


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


class Outline:
    """A region that was drawn on one scan, with what carries it to others; keeps none of its voxels.

    Args:
        region: On the grid of the scan; not empty.
        on: The scan.
        again: Reads the scan again, where its body is wanted as well; None to keep it.

    Attributes:
        drawn_on: `Scan.scan_hash` of the scan.
    """

    def __init__(self, region: BoolArray, on: Scan, again: Callable[[], Scan] | None = None) -> None:
        self.drawn_on = on.scan_hash()
        self._again = again or (lambda: on)
        self._grid, self._affine = on.grid, on.affine
        self._box = ndimage.find_objects(region.astype(np.uint8))[0]
        self._shape = region[self._box]
        self._anatomy = find_anatomy(on)
        self._on_working_grid = Part.of(self._anatomy, region, on)
        self._template = _template(region, on, self._anatomy) if _may_align(on) else None

    @property
    def region(self) -> BoolArray:
        """As it was drawn, on the grid of its scan."""
        whole = np.zeros(self._grid, bool)
        whole[self._box] = self._shape
        return whole

    def share_in(self, to: _Target, cancel: CancelToken) -> tuple[FloatArray, str, tuple[Problem, ...]]:
        """Carries the region to another scan.

        Args:
            to: The scan.
            cancel: Asked between steps.

        Returns:
            How much of each of its voxels lies in the region, 0 to 1; how it came there; what is to be known.

        Raises:
            PairingError: See `carried`.
        """
        problems: tuple[Problem, ...] = ()
        if self._template is not None and _may_align(to.scan):
            alignment = align(self._template, volume_of(to.scan), cancel)
            if alignment.accepted:
                return self._through(to.scan, alignment.move), ALIGNED, ()
            problems = (Problem(Code.NOT_ALIGNED, alignment.reason),)
        ours, theirs = self._anatomy, to.anatomy
        if ours.kind is not theirs.kind:  # boxes of one thing only say where a place is
            ours, theirs = self._body, to.body
            problems += (Problem(Code.MASK_REPLACED, "The drawn region was carried by the box of the body."),)
        return self._by_box(ours, theirs, to.scan, cancel), BY_BOX, problems

    @cached_property
    def _body(self) -> Anatomy:
        return find_anatomy(self._again(), Kind.BODY)

    def _through(self, to: Scan, move: Affine) -> FloatArray:
        """Reads it at the voxels of another scan, by the map from mm of its own scan to mm of that."""
        affine = self._affine.copy()
        affine[:3, 3] += affine[:3, :3] @ [part.start - 1 for part in self._box]
        back: Affine = np.linalg.inv(move).astype(np.float64)
        edged = np.pad(self._shape, 1).astype(np.float32)
        return resample(edged, affine, to.grid, to.affine, back, outside=0.0)

    def _by_box(self, ours: Anatomy, theirs: Anatomy, to: Scan, cancel: CancelToken) -> FloatArray:
        """Gives it the same place in the bounding box of another anatomy."""
        if ours.grid.sided != theirs.grid.sided:
            raise PairingError(Code.REGION_NOT_CARRIED, "Only one of the two scans states its sides.")
        filled = [axis for axis in range(3) if any(_reaches_edge(each, axis) for each in (ours, theirs))]
        from_, to_ = (_box_matrix(each, filled) for each in (ours, theirs))
        part, shape = self._on_working_grid, theirs.mask.shape
        of_part = np.linalg.inv(self._anatomy.grid.scan_matrix) @ ours.grid.scan_matrix
        back: Affine = np.asarray(of_part @ np.linalg.inv(from_) @ to_, np.float64)
        share = part.read(part.share, back, shape, 0.0)
        if not _may_align(to):
            values = part.read(part.values, back, shape, np.nan)
            share = matched_slices(share, values, theirs, cancel)
        return np.asarray(theirs.grid.expand(share), np.float32)


class _Target:
    """A scan that regions are carried to: its anatomy is found once for all of them."""

    def __init__(self, scan: Scan) -> None:
        self.scan = scan

    @cached_property
    def anatomy(self) -> Anatomy:
        return find_anatomy(self.scan)

    @cached_property
    def body(self) -> Anatomy:
        return find_anatomy(self.scan, Kind.BODY)


def carried(outlines: Sequence[Outline], to: Scan, cancel: CancelToken | None = None) -> Carried:
    """Returns the region of one grey volume: its own outline if there is one, else one that is carried.

    Volumes that are fine in all directions are aligned, affinely. Where that is rejected, and in stacks
    of few or thick slices, an outline takes the same place in the bounding box of the anatomy, and thick
    slices are matched in their plane. Of several outlines that are carried a place belongs to the region
    where most of them hold (multi-atlas label fusion: Heckemann et al., NeuroImage 33, 2006).

    Args:
        outlines: One or more, each of another scan.
        to: The scan it is wanted for.
        cancel: Asked between steps.

    Raises:
        PairingError: ``NOTHING_TO_EXAMINE``, if a scan holds no anatomy; ``REGION_NOT_CARRIED``, if the
            region cannot be placed in the scan.
    """
    token = cancel or CancelToken()
    own = [each for each in outlines if each.drawn_on == to.scan_hash()]
    if own:
        return Carried(own[0].region, DRAWN)
    target = _Target(to)
    tried = outlines[:_MOST_ALIGNED] if _may_align(to) else outlines
    total = np.zeros(to.grid, np.float32)
    ways: list[str] = []
    problems: list[Problem] = []
    refused: list[PairingError] = []
    for outline in tried:
        token.check()
        try:
            share, how, known = outline.share_in(target, token)
        except PairingError as error:
            if error.code is not Code.REGION_NOT_CARRIED:
                raise
            refused.append(error)
            continue
        if (share >= 0.5).any():
            total += share
            ways.append(how)
            problems += known
    if refused and not ways:
        raise refused[0]
    if not ways:
        raise PairingError(Code.REGION_NOT_CARRIED, "It lies outside what this scan shows.")
    mask = total >= 0.5 * len(ways)
    if not mask.any():
        raise PairingError(Code.REGION_NOT_CARRIED, "The outlines do not agree where it lies.")
    return Carried(mask, _told(ways, len(tried)), tuple(dict.fromkeys(problems)))


def _told(ways: Sequence[str], tried: int) -> str:
    """Says how outlines came to a scan."""
    if tried == 1:
        return ways[0]
    number = f"{len(ways)}" if len(ways) == tried else f"{len(ways)} of {tried}"
    each = ways[0] if len(set(ways)) == 1 else "carried in several ways"
    return f"{each}, by a vote of {number} outlines"


def _template(region: BoolArray, on: Scan, anatomy: Anatomy) -> Template:
    compared = np.asarray(anatomy.grid.expand(anatomy.mask), bool) | region
    return coarser(Template(volume_of(on), region, compared))


def _may_align(scan: Scan) -> bool:
    return scan.in_patient and min(scan.grid) >= _FEWEST_SLICES and max(scan.spacing) <= _THICKEST_MM


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
