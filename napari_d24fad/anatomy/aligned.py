"""The anatomy of a scan in the voxels of a template: aligned, deformed, and its values made comparable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from napari_d24fad.anatomy.common_grid import CommonGrid, common_grid
from napari_d24fad.anatomy.deformation import Deformation, deform, warped
from napari_d24fad.anatomy.find import find_anatomy
from napari_d24fad.anatomy.found import Anatomy, Kind
from napari_d24fad.anatomy.grid import BoolArray, Millimetres
from napari_d24fad.anatomy.intensity import (
    comparable,
    contrast_agreement,
    contrast_differs,
    matched_quantiles,
)
from napari_d24fad.anatomy.place import Place
from napari_d24fad.anatomy.registration import Template, align
from napari_d24fad.anatomy.volume import Grey, Volume, resample, volume_of
from napari_d24fad.errors import Code, PairingError
from napari_d24fad.studies.scan import Affine, Problem, Scan

_LEAST_SEEN_ML = 50.0
_CUT_OUT_SHARE = 0.6


def find_aligned(scan: Scan, template: Template, *, like_template: bool = True) -> Anatomy:
    """Finds the template's organ in a scan.

    Where alignment is rejected, the box of the scan's tissue is laid on that of the template, and the
    result says so.

    Args:
        scan: A grey volume with geometry.
        template: Its array along (z, y, x): upwards, backwards, to the left.
        like_template: Whether the scan is expected to show the template's contrast. If so, it is deformed
            onto the template and its slow bias taken out; if not, it is aligned only and its quantiles
            matched.

    Returns:
        An anatomy on a `CommonGrid`, its values those of the template where tissue is the same.

    Raises:
        PairingError: ``NOTHING_TO_EXAMINE``, if too little of the organ is in view.
    """
    volume = volume_of(scan)
    alignment = align(template, volume)
    problems: list[Problem] = []
    move, deformation = alignment.move, None
    if not alignment.accepted:
        move = _box_move(scan, template)
        problems.append(Problem(Code.NOT_ALIGNED, alignment.reason))
    onto, spacing = template.volume, template.volume.spacing
    read = resample(volume.values, volume.affine, onto.values.shape, onto.affine, move)
    organ = _organ(read, template)
    if organ.sum() * np.prod(spacing) < 1000 * _LEAST_SEEN_ML:
        raise PairingError(Code.NOTHING_TO_EXAMINE)
    if alignment.accepted and like_template:
        same = comparable(read, onto.values, organ, spacing)
        deformation = deform(onto, Volume(same, onto.affine), template.compared)
        read = warped(volume, onto, move, deformation)
        organ = _organ(read, template)
    if like_template:
        values = comparable(read, onto.values, organ, spacing)
        agreement = contrast_agreement(values, onto.values, organ)
        if contrast_differs(agreement):
            problems.append(Problem(Code.CONTRAST_DIFFERS, f"Its agreement with them is {agreement:.2f}."))
    else:
        values = matched_quantiles(read, onto.values, organ)
    grid = common_grid(scan, onto, move, deformation)
    return Anatomy(Kind.INTRACRANIAL, grid, organ, values, problems=tuple(problems))


def _organ(read: Grey, template: Template) -> BoolArray:
    """The template's organ; of a scan that was cut out of its surroundings, what was left of it."""
    seen = np.isfinite(read)
    around = seen & ~template.compared
    # What is beside the brain and its rim is 0 in nearly all places only where it was cut out.
    cut_out = around.any() and float((np.abs(read[around]) <= 1e-6).mean()) > _CUT_OUT_SHARE
    if not cut_out:
        return np.asarray(template.anatomy & seen)
    tissue = ndimage.binary_opening(seen & (read > 0.1 * np.nanquantile(read, 0.99)))
    filled = ndimage.binary_fill_holes(tissue)
    return np.asarray(filled & ndimage.binary_dilation(template.compared, iterations=2))


def _box_move(scan: Scan, template: Template) -> Affine:
    """Lays the box of a template's organ on that of a scan's tissue, without turning."""
    found = find_anatomy(scan, Kind.TISSUE)
    corners = []
    for mask, affine in ((template.anatomy, template.volume.affine), (found.mask, found.grid.affine)):
        index = np.argwhere(mask)[::7]
        points = index @ affine[:3, :3].T + affine[:3, 3]
        corners.append((points.min(axis=0), points.max(axis=0)))
    (low, high), (to_low, to_high) = corners
    move = np.diag([*((to_high - to_low) / np.maximum(high - low, 1)), 1.0])
    move[:3, 3] = to_low - move[:3, :3] @ low
    return move


@dataclass(frozen=True, slots=True)
class TemplatePlacer:
    """Places an anatomy that `find_aligned` found: its grid is the common space.

    Attributes:
        box: Size of the template's grid along (z, y, x) in mm.
    """

    box: Millimetres

    def place(self, anatomy: Anatomy) -> Place:
        """See `Placer.place`."""
        grid = anatomy.grid
        steps = np.array(grid.spacing, np.float32)[:, np.newaxis, np.newaxis, np.newaxis]
        index = np.indices(grid.shape, np.float32)
        mirror = None
        if grid.sided:
            mirror = index.copy()
            mirror[2] = grid.shape[2] - 1 - mirror[2]
        change, how = None, "box"
        if isinstance(grid, CommonGrid) and grid.deformation is not None:
            deformation: Deformation = grid.deformation
            change = resample(
                deformation.log_jacobian(), deformation.affine, grid.shape, grid.template.affine, outside=0.0
            )
            how = "affine and deformation"
        depth = _depth(anatomy.mask, grid.spacing)
        return Place((index + 0.5) * steps, depth, mirror, change, how=how)


def _depth(mask: BoolArray, spacing: Millimetres) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.asarray(ndimage.distance_transform_edt(mask, sampling=spacing), np.float32)


def box_of(template: Template) -> Millimetres:
    """Size of a template's grid along (z, y, x) in mm."""
    first, second, third = (
        float(n * step) for n, step in zip(template.anatomy.shape, template.volume.spacing, strict=True)
    )
    return first, second, third
