"""Whether a mask can be what it is taken for: its volume, its leaks, its jumps between slices."""

from __future__ import annotations

import numpy as np

from napari_d24fad.anatomy.grid import BoolArray
from napari_d24fad.anatomy.head_ct import HeadCT
from napari_d24fad.anatomy.planes import dilated

_SMALLEST_ML, _LARGEST_ML = 20.0, 2400.0
_LARGEST_CM2 = 300.0
_LEAST_CM2 = 40.0  # of the largest slice: a spinal canal, a vertebra or the cavity of a heart has less
_OPEN = 0.35  # share of the outline without bone beside it
_FAT = 0.12  # share of voxels as dark as fat or air
_JUMP = 0.3  # smallest share of a slice that both it and the next hold, for slices 5 mm apart
_JUMP_CM2 = 60.0  # slices with less may end


def faults_inside_skull(mask: BoolArray, head: HeadCT) -> tuple[str, ...]:
    """Returns what is wrong with a mask of the inside of the skull; empty if nothing.

    Args:
        mask: On the working grid.
        head: The scan that it is of.
    """
    if not mask.any():
        return ("No closed skull was found.",)
    faults = []
    volume = float(mask.sum()) * head.grid.voxel_mm3 / 1000
    cm2 = mask.sum(axis=(1, 2)) * float(np.prod(head.spacing)) / 100
    if not _SMALLEST_ML <= volume <= _LARGEST_ML or cm2.max() > _LARGEST_CM2:
        faults.append(f"The volume found inside the skull is {volume:.0f} ml.")
    if cm2.max() < _LEAST_CM2:
        faults.append("What bone encloses is too small for a head in every slice.")
    if (head.grey[mask] < 45).mean() > _FAT:
        faults.append("What was found inside the skull holds fat or air.")
    # Sections through the middle of the head, where bone surrounds the brain all round.
    bare, border = 0, 0
    for plane, bone in zip(mask[cm2 > _JUMP_CM2], head.bone[cm2 > _JUMP_CM2], strict=True):
        rim = dilated(plane, 3.0, head.spacing) & ~plane
        border += int(rim.sum())
        bare += int((rim & ~dilated(bone, 3.0, head.spacing)).sum())
    if border and bare / border > _OPEN:
        faults.append("The skull is open over a large part.")
    for first, second, one, other in zip(mask[:-1], mask[1:], cm2[:-1], cm2[1:], strict=True):
        if max(one, other) > 2 * _JUMP_CM2 and (first & second).sum() < _JUMP * max(
            first.sum(), second.sum()
        ):
            faults.append("What was found inside the skull jumps from one slice to the next.")
            break
    return tuple(faults)
