"""The inside of the skull in a head CT, from the vertex to the skull base.

In each slice the skull is closed with the smallest radius that holds the head together, filled, and
bone is taken away; from the largest slice upwards and downwards a part is kept that continues the
slice before. Works in grey levels of the brain window (`BrainWindow`), so that scans in Hounsfield
units and scans that were saved as 8-bit pictures of that window are read alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.morphology import convex_hull_image

from napari_d24fad.anatomy.brain_window import BONE, BrainWindow
from napari_d24fad.anatomy.grid import BoolArray, FloatArray, WorkingGrid
from napari_d24fad.anatomy.planes import Spacing, closed, dilated, filled, opened, parts

RADII_MM = (4.5, 7.5, 12.0, 18.0)

_AIR = 25.0  # below: air, in a smoothed slice
_FAT = 45.0
_SMALL_CM2, _LARGE_CM2 = 1.0, 60.0
_OPEN_CM2 = 45.0  # a slice that continues one larger than this does not end, its skull is open
_SKULL_MM = 14.0  # from the mask of a slice to the outside of the skull in the next
_TOP_CM2, _FOOT_CM2 = 3.0, 14.0  # where the way up and the way down end


@dataclass(frozen=True, slots=True, eq=False)
class HeadCT:
    """A head CT on its working grid.

    Attributes:
        grid: Working grid.
        grey: Brain-window grey levels, averaged over blocks.
        bone: Where at least half of the block is bone.
    """

    grid: WorkingGrid
    grey: FloatArray
    bone: BoolArray

    @property
    def spacing(self) -> Spacing:
        """Of a slice, in mm."""
        return self.grid.spacing[1], self.grid.spacing[2]


def head_ct(voxels: npt.NDArray[np.generic], grid: WorkingGrid, window: BrainWindow) -> HeadCT:
    """Brings a head CT to its working grid."""
    grey = grid.reduce(voxels, window.grey)
    bone = grid.reduce(voxels, lambda part: (window.grey(part) >= BONE).astype(np.float32)) >= 0.5
    return HeadCT(grid, grey, bone)


def _enclosed(bone: BoolArray, radius: float, spacing: Spacing) -> BoolArray:
    """Returns bone and what it encloses once gaps up to twice a radius are closed."""
    return filled(closed(bone, radius, spacing))


def _brain_mode(head: HeadCT, enclosed: Sequence[BoolArray]) -> float:
    """Returns the commonest grey level of what lies deep inside closed bone."""
    counts = np.zeros(256)
    for grey, bone, inside in zip(head.grey, head.bone, enclosed, strict=True):
        if not bone.any():
            continue
        inner = inside & ~dilated(bone, 4.0, head.spacing)
        counts += np.histogram(grey[inner], 256, (0, 256))[0]
    smooth = ndimage.gaussian_filter1d(counts, 3.0)
    return float(np.argmax(smooth[60:191]) + 60.5)


def intracranial(head: HeadCT) -> BoolArray:
    """Returns the inside of the skull; empty where no closed skull was found."""
    return _Search(head).run()


class _Search:
    """From the slice with the largest inside, up and then down."""

    def __init__(self, head: HeadCT) -> None:
        self._head = head
        self._enclosed = [_enclosed(bone, RADII_MM[1], head.spacing) for bone in head.bone]
        self._mode = _brain_mode(head, self._enclosed)
        self._smooth = ndimage.gaussian_filter(head.grey, (0, 1, 1))
        self._cm2 = float(np.prod(head.spacing)) / 100
        self._found: dict[tuple[int, float], BoolArray] = {}

    def run(self) -> BoolArray:
        head = self._head
        mask = np.zeros(head.grey.shape, bool)
        areas = [self._inside(index, RADII_MM[1]).sum() for index in range(len(mask))]
        start = int(np.argmax(areas))
        if not areas[start]:
            return mask
        mask[start] = self._inside(start, RADII_MM[1])
        for step, share, smallest in ((1, 0.6, _TOP_CM2), (-1, 0.75, _FOOT_CM2)):
            index, last = start + step, mask[start]
            while 0 <= index < len(mask):
                plane = self._continued(index, last, share, upwards=step > 0)
                if plane.sum() * self._cm2 < smallest:
                    break
                mask[index] = last = plane
                index += step
        for index, plane in enumerate(mask):
            if plane.any():
                grown = dilated(plane, 3.0, head.spacing) & ~head.bone[index] & (head.grey[index] > _AIR)
                mask[index] = filled(grown | plane)
        return mask

    def _continued(self, index: int, last: BoolArray, share: float, *, upwards: bool) -> BoolArray:
        """Returns what continues the mask of the slice before."""
        spacing = self._head.spacing
        near = dilated(last, 4.5, spacing)
        best = np.zeros_like(last)
        for radius in RADII_MM:
            inside = self._inside(index, radius)
            labels, number = parts(inside)
            sizes = ndimage.sum_labels(inside, labels, range(1, number + 1))
            within = ndimage.sum_labels(near, labels, range(1, number + 1))
            kept = [n for n in range(1, number + 1) if within[n - 1] > share * sizes[n - 1]]
            plane = np.isin(labels, kept)
            if plane.sum() > best.sum():
                best = plane
            if best.sum() >= 0.85 * last.sum():
                break
        if best.sum() < 0.6 * last.sum() and last.sum() * self._cm2 > _OPEN_CM2:
            best = best | self._across_a_gap(index, last, near, upwards=upwards)
        return best

    def _across_a_gap(self, index: int, last: BoolArray, near: BoolArray, *, upwards: bool) -> BoolArray:
        """Returns what continues a mask where the skull is open: bone is joined by straight lines."""
        bone, grey, spacing = self._head.bone[index], self._head.grey[index], self._head.spacing
        around = bone & dilated(last, _SKULL_MM, spacing)
        # Below lie the orbits and the nose, which straight lines between bones would take in.
        limit = dilated(last, _SKULL_MM, spacing) if upwards else near
        if around.sum() * self._cm2 > 1:
            hull = convex_hull_image(around)  # type: ignore[no-untyped-call]  # scikit-image has no types
            inside = opened(hull & limit & ~bone & (self._smooth[index] > _AIR), 4.5, spacing)
            if inside.sum() > 0.6 * last.sum() and (grey[inside] < _FAT).mean() < 0.06:
                return np.asarray(inside)
        alike = near & ~bone & (np.abs(grey - self._mode) < 30)
        return opened(alike, 4.5, spacing)

    def _inside(self, index: int, radius: float) -> BoolArray:
        """Returns the parts of a slice that look like brain inside a skull closed with a radius."""
        if (index, radius) not in self._found:
            self._found[index, radius] = self._look(index, radius)
        return self._found[index, radius]

    def _look(self, index: int, radius: float) -> BoolArray:
        bone, grey, spacing = self._head.bone[index], self._head.grey[index], self._head.spacing
        whole = self._enclosed[index] if radius == RADII_MM[1] else _enclosed(bone, radius, spacing)
        enclosed = whole & ~bone & (self._smooth[index] > _AIR)
        labels, number = parts(opened(enclosed, 4.5, spacing))
        kept = []
        for part in range(1, number + 1):
            values = grey[labels == part]
            area = len(values) * self._cm2
            off, fat = abs(float(np.median(values)) - self._mode), float((values < _FAT).mean())
            small = off <= 22 and fat <= 0.06 and float(values.std()) <= 40
            if area >= _SMALL_CM2 and (small or (area > _LARGE_CM2 and off <= 25 and fat <= 0.35)):
                kept.append(part)
        return np.isin(labels, kept)


def enclosed(head: HeadCT) -> BoolArray:
    """Returns a simpler mask: the largest part of each slice that bone encloses, deep in the head.

    Knows no grey level of brain. The skull is closed with a radius that bridges a bone flap.
    """
    mask = np.zeros(head.grey.shape, bool)
    for index, (bone, grey) in enumerate(zip(head.bone, head.grey, strict=True)):
        if not bone.any():
            continue
        inside = _enclosed(bone, 2 * RADII_MM[-1], head.spacing) & ~bone & (grey > _AIR)
        labels, number = parts(opened(inside, 9.0, head.spacing))
        if number:
            sizes = np.bincount(labels.ravel())[1:]
            mask[index] = labels == int(sizes.argmax()) + 1
    labels, number = ndimage.label(mask)
    return np.asarray(labels == int(np.bincount(labels.ravel())[1:].argmax()) + 1) if number else mask
