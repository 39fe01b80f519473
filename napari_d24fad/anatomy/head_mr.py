"""Heads on T1-weighted MR: the MNI152 template and what of it is brain.

The template (ICBM 2009a nonlinear, Fonov et al., NeuroImage 54, 2011) is a file that nilearn installs. It is
read without nilearn, which takes two seconds and 200 MB of memory to import.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Literal

import nibabel
import numpy as np
from scipy import ndimage

from napari_d24fad.anatomy.registration import Template
from napari_d24fad.anatomy.volume import Grey, Volume
from napari_d24fad.errors import Code, ModelError
from napari_d24fad.studies.scan import Affine

# About the brain: enough that the dark skull counts, which tells how large the head is.
_RIM_MM = 6.0
_MARGIN_MM = 8.0
# Of the brightest voxel: the outline that nilearn's load_mni152_brain_mask has.
_BRAIN = 0.2


@lru_cache(maxsize=2)
def mni_template(spacing: int = 2) -> Template:
    """The skull-stripped T1 template of MNI152 with the brain as its anatomy.

    Args:
        spacing: Of its voxels in whole mm.

    Returns:
        Arrays along (z, y, x): inferior to superior, anterior to posterior, right to left, cut to the
        brain and a margin that is symmetric about the middle plane.
    """
    voxels, to_ras = read_mni152("t1")
    whole, to_ras = at_spacing(voxels / voxels.max(), to_ras, spacing)
    brain = whole > _BRAIN
    grey = np.where(brain, whole, np.float32(0))
    # NIfTI counts to the right and to the front: turned, the axes are those of patient space.
    grey, brain = (array.transpose(2, 1, 0)[:, ::-1, ::-1] for array in (grey, brain))
    last = np.array(grey.shape) - 1
    far = to_ras @ [last[2], last[1], 0, 1]
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


def read_mni152(tissue: Literal["t1", "wm"]) -> tuple[Grey, Affine]:
    """Reads one file of the template.

    Args:
        tissue: ``t1`` the brain without its skull, ``wm`` the probability of white matter; 0..255.

    Returns:
        Voxels along (right, anterior, superior) at 1 mm, and array index to RAS mm as ``(4, 4)``.

    Raises:
        ModelError: ``TEMPLATE_MISSING``.
    """
    package = find_spec("nilearn")
    for place in (package and package.submodule_search_locations) or ():
        path = Path(place, "datasets", "data", f"mni_icbm152_{tissue}_tal_nlin_sym_09a_converted.nii.gz")
        if path.is_file():
            image = nibabel.Nifti1Image.from_filename(path)
            return np.asarray(image.dataobj, dtype=np.float32), np.asarray(image.affine, dtype=np.float64)
    raise ModelError(Code.TEMPLATE_MISSING)


def at_spacing(voxels: Grey, affine: Affine, spacing: int) -> tuple[Grey, Affine]:
    """Resamples by cubic splines to another spacing, as nilearn's ``resample_img`` does.

    Args:
        voxels: Along any axes.
        affine: Their array index to RAS mm, ``(4, 4)``.
        spacing: In mm along right, anterior and superior.

    Returns:
        Voxels that span the centres of all given ones, no brighter or darker than these, and their affine.
    """
    corners = np.array([[*index, 1] for index in product(*((0, n - 1) for n in voxels.shape))]).T
    reach = (affine @ corners)[:3] / spacing
    target = np.diag([spacing, spacing, spacing, 1]).astype(np.float64)
    target[:3, 3] = spacing * reach.min(axis=1)
    shape = tuple(np.ceil(np.ptp(reach, axis=1)).astype(int) + 1)
    back = np.linalg.inv(affine) @ target
    resampled = ndimage.affine_transform(voxels, back[:3, :3], back[:3, 3], output_shape=shape, order=3)
    lowest, highest = min(voxels.min(), 0), max(voxels.max(), 0)
    return np.asarray(resampled.clip(lowest, highest), dtype=np.float32), target
