"""Which of two kinds of tissue is darker in a scan: what tells T1 from FLAIR and T2 without a header."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import ndimage
from scipy.stats import rankdata
from skimage.filters import threshold_multiotsu

from napari_d24fad.anatomy.registration import Template
from napari_d24fad.anatomy.volume import Grey, Mask

_EVERY = 3  # voxels
# Least depth in the brain: cortex holds too much fluid where a scan is aligned but not deformed.
_FLUID_MM, _GREY_MM, _WHITE_MM = 15.0, 15.0, 8.0
_EDGE_MM = 2.1
_LEAST = 50  # voxels of a tissue
# Of heads with tumours and healthy ones: T1 .61 to .74 and .87 to .97, FLAIR .45 to .53 and .60 to .87.
_T1_GREY, _T1_FLUID = 0.57, 0.75
_VENTRICLES = 0.2
_APART = 0.35


@dataclass(frozen=True, slots=True)
class Contrast:
    """How tissues differ in a scan that lies in a template. Ranks only, so that scale and gamma say nothing.

    Attributes:
        grey_darker: How often a voxel of grey matter is darker than one of white matter: above .5 in T1,
            below in T2, about .5 in FLAIR.
        fluid_darker: The same of fluid and white matter: near 1 in T1 and FLAIR, near 0 in T2.
    """

    grey_darker: float
    fluid_darker: float

    @property
    def is_t1(self) -> bool:
        """Whether tissues lie in the order of a T1-weighted scan."""
        return self.grey_darker >= _T1_GREY and self.fluid_darker >= _T1_FLUID

    @property
    def is_of_a_head(self) -> bool:
        """Whether ventricles stand out from white matter, as in a head; any blob can be aligned to one."""
        return abs(self.fluid_darker - 0.5) >= _VENTRICLES

    def differs(self, other: Contrast) -> bool:
        """Whether values of the two must not be compared."""
        grey, fluid = self.grey_darker - other.grey_darker, self.fluid_darker - other.fluid_darker
        return self.is_t1 != other.is_t1 or max(abs(grey), abs(fluid)) > _APART


def contrast_of(values: Grey, inside: Mask, template: Template) -> Contrast | None:
    """Measures the contrast of a scan; None where too little of the tissues is seen.

    Args:
        values: On the grid of the template.
        inside: The same shape: where they count.
        template: A T1-weighted head.
    """
    fluid, grey, white = (values[tissue & inside] for tissue in _tissues(template))
    if min(len(fluid), len(grey), len(white)) < _LEAST:
        return None
    return Contrast(_darker(grey, white), _darker(fluid, white))


def _darker(one: Grey, other: Grey) -> float:
    """Returns how often a value of one is below a value of the other; a tie counts half."""
    one, other = one[np.isfinite(one)][::_EVERY], other[np.isfinite(other)][::_EVERY]
    if not one.size or not other.size:
        return 0.5
    ranks = rankdata(np.concatenate([one, other]))[: one.size]
    return float(1 - (ranks.mean() - (one.size + 1) / 2) / other.size)


@lru_cache(maxsize=2)
def _tissues(template: Template) -> tuple[Mask, Mask, Mask]:
    """Fluid, grey and white matter of a template, away from each other and from the edge of the brain."""
    values, brain = template.volume.values, template.anatomy
    depth = ndimage.distance_transform_edt(brain, sampling=template.volume.spacing)
    low, high = threshold_multiotsu(values[brain])  # type: ignore[no-untyped-call]  # scikit-image has no types
    fluid = _inside((values < low) & (depth > _FLUID_MM), template)
    grey = (values >= low) & (values < high) & (depth > _GREY_MM)
    white = _inside((values >= high) & (depth > _WHITE_MM), template)
    return fluid, grey, white


def _inside(tissue: Mask, template: Template) -> Mask:
    inside: Mask = ndimage.distance_transform_edt(tissue, sampling=template.volume.spacing) > _EDGE_MM
    return inside
