"""Makes grey values of MR comparable: reference tissue, slow bias, quantiles.

MR has no units: the same tissue reads differently in every scan, and brighter near the coil.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_d24fad.anatomy.volume import Grey, Mask

Spacing = npt.NDArray[np.float64] | tuple[float, ...]

_BIAS_MM = 24.0
_BIAS_CLIP = 0.35
_QUANTILES = np.linspace(0.02, 0.98, 17)
_LESION_MM = 5.0
_LESION_SHARE = 0.15


def comparable(values: Grey, template: Grey, inside: Mask, spacing: Spacing) -> Grey:
    """Brings an aligned scan to the grey values of a template.

    First the median inside is made equal, then the smooth ratio of both is taken out (a Gaussian of
    24 mm of its logarithm, in which each place counts at most 35 %), then quantiles between 2 % and 98 %
    are matched by straight pieces. Places that still differ much after a first try are left out of both,
    so that a large lesion is not evened away.

    Args:
        values: ``(slices, rows, columns)`` on the template's grid; NaN where nothing was measured.
        template: The same shape.
        inside: The same shape: the organ.
        spacing: Of the grid in mm.

    Returns:
        The same shape; NaN stays NaN. Unchanged where too little of the organ is seen.
    """
    seen = inside & np.isfinite(values) & np.isfinite(template)
    if seen.sum() < 200:
        return values
    kept = seen
    made = values
    for _ in range(2):
        level, middle = float(np.median(values[kept])), float(np.median(template[kept]))
        if level <= 0 or middle <= 0:
            return values
        made = values * np.float32(middle / level)
        made /= np.exp(smooth_bias(made, template, kept, spacing))
        made = matched_quantiles(made, template, kept)
        kept = seen & ~_lesions(made, template, seen, spacing)
    return made


def _lesions(made: Grey, template: Grey, seen: Mask, spacing: Spacing) -> Mask:
    """Places of more than about a centimetre that differ by more than the slow bias can."""
    sigma = _LESION_MM / np.asarray(spacing)
    difference = np.where(seen, made - template, 0).astype(np.float32)
    weight = np.maximum(ndimage.gaussian_filter(seen.astype(np.float32), sigma), 1e-3)
    slow = np.abs(ndimage.gaussian_filter(difference, sigma)) / weight
    found: Mask = seen & (slow > _LESION_SHARE * np.median(template[seen]))
    # Where most of the organ differs, the template does not fit: nothing is called a lesion.
    return found if found.sum() < 0.3 * seen.sum() else np.zeros_like(found)


def smooth_bias(values: Grey, template: Grey, inside: Mask, spacing: Spacing) -> Grey:
    """The slow part of the logarithm of the ratio of a scan to a template."""
    floor = 0.1 * float(np.median(template[inside]))
    ratio = np.zeros(values.shape, np.float32)
    both = np.maximum(values[inside], floor) / np.maximum(template[inside], floor)
    ratio[inside] = np.clip(np.log(both), -_BIAS_CLIP, _BIAS_CLIP)
    sigma = _BIAS_MM / np.asarray(spacing)
    weight = ndimage.gaussian_filter(inside.astype(np.float32), sigma)
    bias: Grey = ndimage.gaussian_filter(ratio, sigma) / np.maximum(weight, 1e-3)
    return bias


def matched_quantiles(values: Grey, template: Grey, inside: Mask) -> Grey:
    """Maps quantiles of a scan inside the organ onto those of a template, straight beyond them."""
    ours, theirs = np.quantile(values[inside], _QUANTILES), np.quantile(template[inside], _QUANTILES)
    distinct = np.concatenate([[True], np.diff(ours) > 1e-6 * max(abs(float(ours[-1])), 1e-6)])
    ours, theirs = ours[distinct], theirs[distinct]
    if len(ours) < 3:
        return values
    result: Grey = np.interp(values, ours, theirs).astype(np.float32)
    for end, beyond in ((0, values < ours[0]), (-1, values > ours[-1])):
        # One slope for both ends: that of the whole range, so that what is brighter stays brighter.
        slope = (theirs[-1] - theirs[0]) / (ours[-1] - ours[0])
        result[beyond] = theirs[end] + slope * (values[beyond] - ours[end])
    result[~np.isfinite(values)] = np.nan
    return result
