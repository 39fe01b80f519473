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
_RIM = 6.0


@lru_cache(maxsize=2)
def mni_template(spacing: int = 2) -> Template:
    """The skull-stripped T1 template of MNI152 with the brain as its anatomy.

    Args:
        spacing: Of its voxels in whole mm.
    """
    from nilearn import datasets

    grey = datasets.load_mni152_template(resolution=spacing)
    brain = np.asarray(datasets.load_mni152_brain_mask(resolution=spacing).dataobj) > 0
    # NIfTI counts to the right and to the front, patient space here to the left and to the back.
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ grey.affine
    rim = ndimage.distance_transform_edt(~brain, sampling=spacing) <= _RIM
    values = np.asarray(grey.get_fdata(), np.float32)
    values[~brain] = 0
    return Template(Volume(values, affine), brain, rim)
