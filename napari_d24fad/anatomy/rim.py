"""The rim of the inside of the skull, where voxels are part bone."""

from __future__ import annotations

import numpy as np

from napari_d24fad.anatomy.found import Anatomy, Kind
from napari_d24fad.anatomy.grid import BoolArray
from napari_d24fad.anatomy.planes import dilated

_RIM_MM = 1.5
"""How far bone is blurred inwards.

The mask ends at 95 HU, but halfway from brain to bone are some 500 HU. A voxel of which a tenth is bone is
taken for bone already, and beside a clot a twentieth is enough.
"""


def with_rim(anatomy: Anatomy) -> BoolArray:
    """Returns the mask, for the inside of a skull with the voxels at its edge that are part bone.

    Nothing is compared in them: what is found beside them goes on into them.

    Args:
        anatomy: Any.

    Returns:
        On its working grid.
    """
    if anatomy.kind is not Kind.INTRACRANIAL or anatomy.bone is None:
        return anatomy.mask
    near = np.stack([dilated(plane, _RIM_MM, anatomy.grid.spacing[1:]) for plane in anatomy.mask])
    return np.asarray(anatomy.mask | (near & anatomy.bone))
