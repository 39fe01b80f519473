"""Aligns a scan to a template: rough search, then similarity, then affine, with a quality told.

The registration itself is SimpleITK's: correlation inside the template's mask, regular step gradient
descent. Around it: several starts, because one start fails in a fifth of heads; places where scan and
template differ most are left out of the last steps, so that a large lesion does not pull the head out
of place; and an alignment that diverged is told instead of used.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from napari_d24fad.anatomy.coarse import rough_starts
from napari_d24fad.anatomy.itk import registered
from napari_d24fad.anatomy.volume import Grey, Mask, Volume, resample
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.scan import Affine

_SPACING = 4.0
_MOVING_SPACING = 3.0
_STARTS = 3
# What an alignment between two people may do to lengths. Wider means that it diverged.
_LENGTHS = (0.7, 1.4)
_STRETCH = 1.5
_LEAST_CORRELATION = 0.5
_LEAST_OVERLAP = 0.4
# Outliers: residual above this many spreads and near the template's contrast, over at least this volume,
# and never more than this share.
_OUTLYING = 4.0
_MOST_OUTLYING = 0.2
_LARGE_ML = 4.0
# Width over which values are made even, so that coils and bias do not decide how large a head is.
_EVEN_MM = 25.0


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """What scans are aligned to.

    Attributes:
        volume: Grey values on a grid of the common space (LPS mm).
        anatomy: ``volume.values.shape``: the organ that is examined.
        compared: The same shape: what alignment looks at, usually the organ and a rim about it.
    """

    volume: Volume
    anatomy: Mask = field(repr=False)
    compared: Mask = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """How a scan lies in a template's space. Plain numbers, so that it can be kept.

    Attributes:
        move: ``(4, 4)`` from mm of the template to LPS mm of the scan.
        correlation: Of scan and template inside `Template.compared`, -1 to 1.
        overlap: Share of the template's anatomy that lies inside the scan, 0 to 1.
        reason: Why it must not be used; empty if it may be.
    """

    move: Affine = field(repr=False)
    correlation: float
    overlap: float
    reason: str = ""

    @property
    def accepted(self) -> bool:
        """Whether positions may be read through it."""
        return not self.reason


def align(template: Template, scan: Volume, cancel: CancelToken | None = None) -> Alignment:
    """Aligns a scan to a template.

    Args:
        template: What to align to.
        scan: In patient space; NaN where nothing was measured.
        cancel: Asked between steps.

    Returns:
        The best alignment found. Where it diverged or matches too little, its `Alignment.reason` says
        so and its map must not be used.
    """
    token = cancel or CancelToken()
    fixed, moving = _evened(coarser(template)), evened(_even_grid(scan))
    starts = rough_starts(fixed.volume, fixed.compared, moving, _STARTS, token)
    if not starts:
        return Alignment(np.eye(4), 0.0, 0.0, "The scan shows too little of what the references show.")
    candidates = []
    for start in starts:
        token.check()
        candidates.append(registered(fixed.volume, moving, start.move, fixed.compared, "similarity", 50, 2))
    candidates.sort(key=lambda move: -_correlation(fixed, moving, move, fixed.compared))
    # The best of them is sometimes one that the next step cannot leave; the second costs little.
    affine = [_affine(fixed, moving, similar, fixed.compared, token) for similar in candidates[:2]]
    best = max(affine, key=lambda move: _correlation(fixed, moving, move, fixed.compared))
    return _checked(fixed, moving, _without_outliers(fixed, moving, best, token))


def _affine(fixed: Template, moving: Volume, similar: Affine, inside: Mask, cancel: CancelToken) -> Affine:
    """The affine map that a similarity leads to; the similarity where it gains nothing or diverges."""
    cancel.check()
    affine = registered(fixed.volume, moving, similar, inside, "affine", 80, 1)
    gained = _correlation(fixed, moving, affine, inside) > _correlation(fixed, moving, similar, inside)
    return affine if gained and not _stretched(affine) else similar


def _without_outliers(fixed: Template, moving: Volume, move: Affine, cancel: CancelToken) -> Affine:
    """Registers again without the places that differ most, where these are large."""
    for _ in range(2):
        without = fixed.compared & ~outlying(fixed, moving, move)
        if without.sum() > 0.98 * fixed.compared.sum():
            break
        similar = registered(fixed.volume, moving, move, without, "similarity", 50, 1)
        again = _affine(fixed, moving, similar, without, cancel)
        if _correlation(fixed, moving, again, without) <= _correlation(fixed, moving, move, without):
            break
        move = again
    return move


def evened(volume: Volume, width: float = _EVEN_MM) -> Volume:
    """Divides a volume by its own mean over a wide neighbourhood, so that slow changes of gain vanish.

    Args:
        volume: NaN where nothing was measured.
        width: Standard deviation of the Gaussian neighbourhood in mm.

    Returns:
        Values about 1 in tissue and 0 in air; at most 2.
    """
    seen = np.isfinite(volume.values)
    values = np.where(seen, volume.values, 0).astype(np.float32)
    bright = float(np.quantile(values, 0.95)) or 1.0
    tissue = values > 0.15 * bright
    sigma = width / volume.spacing
    weight = np.maximum(ndimage.gaussian_filter(tissue.astype(np.float32), sigma), 0.05)
    mean = ndimage.gaussian_filter(np.where(tissue, values, 0), sigma) / weight
    even = np.clip(values / np.maximum(mean, 0.1 * bright), 0, 2).astype(np.float32)
    even[~seen] = np.nan
    return Volume(even, volume.affine)


def _evened(coarse: Template) -> Template:
    return Template(evened(coarse.volume), coarse.anatomy, coarse.compared)


def outlying(template: Template, scan: Volume, move: Affine) -> Mask:
    """Where an aligned scan differs far more from the template than elsewhere, over a large place.

    Such a place may be a lesion, which must not decide how the rest is aligned.

    Returns:
        ``template.volume.values.shape``.
    """
    grid = template.volume
    grey = resample(scan.values, scan.affine, grid.values.shape, grid.affine, move)
    seen = template.compared & np.isfinite(grey) & np.isfinite(grid.values)
    if seen.sum() < 100:
        return np.zeros(grid.values.shape, bool)
    ours, theirs = _smooth(grey, seen, grid, 6.0), _smooth(grid.values, seen, grid, 6.0)
    slope, offset = _robust_line(theirs[seen], ours[seen])
    residual = np.abs(ours - slope * theirs - offset)
    typical = float(np.median(residual[seen])) * 1.4826
    contrast = slope * float(theirs[seen].std())
    share = float(np.quantile(residual[seen], 1 - _MOST_OUTLYING))
    limit = max(_OUTLYING * typical, 0.8 * contrast, share)
    labels, number = ndimage.label(ndimage.binary_opening(seen & (residual > limit)))
    sizes = np.bincount(labels.ravel(), minlength=number + 1) * abs(np.linalg.det(grid.affine[:3, :3])) / 1000
    large = np.flatnonzero(sizes[1:] >= _LARGE_ML) + 1
    grown: Mask = ndimage.binary_dilation(np.isin(labels, large), iterations=2) & template.compared
    return grown


def _robust_line(x: Grey, y: Grey) -> tuple[float, float]:
    """Least squares of ``y`` over ``x``, again without the tenth that fits worst."""
    kept = np.ones(x.size, bool)
    slope, offset = 1.0, 0.0
    for _ in range(4):
        slope, offset = (float(v) for v in np.polyfit(x[kept], y[kept], 1))
        misfit = np.abs(y - slope * x - offset)
        kept = misfit <= np.quantile(misfit, 0.8)
    return slope, offset


def _smooth(values: Grey, seen: Mask, grid: Volume, width: float) -> Grey:
    """Gaussian of a width in mm inside a mask."""
    sigma = width / grid.spacing
    weight = ndimage.gaussian_filter(seen.astype(np.float32), sigma)
    total = ndimage.gaussian_filter(np.where(seen, values, 0).astype(np.float32), sigma)
    smooth: Grey = total / np.maximum(weight, 1e-3)
    return smooth


def _checked(fixed: Template, moving: Volume, move: Affine) -> Alignment:
    grid = fixed.volume
    grey = resample(moving.values, moving.affine, grid.values.shape, grid.affine, move)
    overlap = float(np.isfinite(grey)[fixed.anatomy].mean())
    correlation = _correlation(fixed, moving, move, fixed.compared & ~outlying(fixed, moving, move))
    reason = ""
    if _stretched(move):
        reason = "Its map stretches or shears more than people differ."
    elif overlap < _LEAST_OVERLAP:
        reason = f"Only {100 * overlap:.0f} % of the anatomy lies inside the scan."
    elif correlation < _LEAST_CORRELATION:
        reason = f"Scan and references agree too little (correlation {correlation:.2f})."
    return Alignment(move, correlation, overlap, reason)


def _stretched(move: Affine) -> bool:
    lengths = np.linalg.svd(move[:3, :3], compute_uv=False)
    whole = bool(np.isfinite(move).all())
    low, high = _LENGTHS
    diverged = bool(lengths[-1] < low or lengths[0] > high or lengths[0] / lengths[-1] > _STRETCH)
    return not whole or diverged or bool(np.linalg.det(move[:3, :3]) <= 0)


def _correlation(fixed: Template, moving: Volume, move: Affine, inside: Mask) -> float:
    grid = fixed.volume
    grey = resample(moving.values, moving.affine, grid.values.shape, grid.affine, move)
    seen = inside & np.isfinite(grey) & np.isfinite(grid.values)
    if seen.sum() < 0.3 * max(int(inside.sum()), 1):
        return -1.0
    ours, theirs = grey[seen], grid.values[seen]
    if ours.std() == 0 or theirs.std() == 0:
        return -1.0
    return float(np.corrcoef(ours, theirs)[0, 1])


def coarser(template: Template) -> Template:
    """Returns a template at the spacing that alignment works at; one that is at it as it is."""
    volume = template.volume
    steps = np.maximum(1.0, _SPACING / volume.spacing)
    shape = tuple(int(n) for n in np.ceil(np.array(volume.values.shape) / steps))
    scale = np.diag([*steps, 1.0])
    affine = volume.affine @ scale
    grey = resample(volume.values, volume.affine, shape, affine)
    masks = (
        resample(mask.astype(np.float32), volume.affine, shape, affine, outside=0.0) >= 0.5
        for mask in (template.anatomy, template.compared)
    )
    return Template(Volume(grey, affine), *masks)


def _even_grid(scan: Volume) -> Volume:
    """A scan with cubic voxels: the optimiser blurs all axes by the largest spacing."""
    steps = _MOVING_SPACING / scan.spacing
    if (np.abs(steps - 1) < 0.35).all():
        return scan
    shape = tuple(int(n) for n in np.ceil(np.array(scan.values.shape) / steps))
    affine = scan.affine @ np.diag([*steps, 1.0])
    return Volume(resample(scan.values, scan.affine, shape, affine), affine)
