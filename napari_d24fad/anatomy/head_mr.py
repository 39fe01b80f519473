"""Heads on T1-weighted MR: the MNI152 template and what of it is brain.

The template and its mask (ICBM 2009a nonlinear, Fonov et al., NeuroImage 54, 2011) come inside the
nilearn package, so nothing is downloaded.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import ndimage

from napari_d24fad.anatomy.registration import Template
from napari_d24fad.anatomy.volume import Volume

# About the brain: enough that the dark skull counts, which tells how large the head is.
_RIM_MM = 6.0
_MARGIN_MM = 8.0


@lru_cache(maxsize=2)
def mni_template(spacing: int = 2) -> Template:
    """The skull-stripped T1 template of MNI152 with the brain as its anatomy.

    Args:
        spacing: Of its voxels in whole mm.

    Returns:
        Arrays along (z, y, x): inferior to superior, anterior to posterior, right to left, cut to the
        brain and a margin that is symmetric about the middle plane.
    """
    from nilearn import datasets

    loaded = datasets.load_mni152_template(resolution=spacing)
    brain = np.asarray(datasets.load_mni152_brain_mask(resolution=spacing).dataobj) > 0
    grey = np.where(brain, loaded.get_fdata(dtype=np.float32), 0)
    # NIfTI counts to the right and to the front: turned, the axes are those of patient space.
    grey, brain = (array.transpose(2, 1, 0)[:, ::-1, ::-1] for array in (grey, brain))
    last = np.array(grey.shape) - 1
    far = loaded.affine @ [last[2], last[1], 0, 1]
    affine = np.eye(4)
    affine[:3, :3] = spacing * np.eye(3)[:, ::-1]
    affine[:3, 3] = [-far[0], -far[1], far[2]]
    low, high = np.argwhere(brain).min(axis=0), np.argwhere(brain).max(axis=0)
    margin = round(_MARGIN_MM / spacing)
    low, high = np.maximum(low - margin, 0), np.minimum(high + margin, last)
    middle = -affine[0, 3] / spacing  # the index of x = 0
    reach = int(np.ceil(max(middle - low[2], high[2] - middle)))
    wanted = round(middle) - reach, round(middle) + reach
    grey, brain = (np.pad(a, ((0, 0), (0, 0), (reach, reach))) for a in (grey, brain))
    box = (
        slice(low[0], high[0] + 1),
        slice(low[1], high[1] + 1),
        slice(wanted[0] + reach, wanted[1] + reach + 1),
    )
    affine[:3, 3] += affine[:3, :3] @ [low[0], low[1], wanted[0]]
    brain = np.ascontiguousarray(brain[box])
    rim = ndimage.distance_transform_edt(~brain, sampling=spacing) <= _RIM_MM
    return Template(Volume(np.ascontiguousarray(grey[box]), affine), brain, rim)
