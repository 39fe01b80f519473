"""The anatomy of a scan in the voxels of a template: aligned, deformed, and its values made comparable."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from napari_d24fad.anatomy.common_grid import CommonGrid, common_grid
from napari_d24fad.anatomy.contrast import contrast_of
from napari_d24fad.anatomy.deformation import Deformation, deform, warped
from napari_d24fad.anatomy.found import Anatomy, Kind
from napari_d24fad.anatomy.grid import BoolArray, Millimetres
from napari_d24fad.anatomy.intensity import comparable, matched_quantiles
from napari_d24fad.anatomy.place import Place
from napari_d24fad.anatomy.registration import Alignment, Template, align
from napari_d24fad.anatomy.volume import Grey, Volume, resample, volume_of
from napari_d24fad.errors import Code, PairingError
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.scan import Problem, Scan

_LEAST_SEEN_ML = 50.0
_CUT_OUT_SHARE = 0.6
_KEPT = 16

_alignments: OrderedDict[tuple[str, bytes, Template], Alignment] = OrderedDict()
"""Of the last scans: one is asked what kind of study it is before it is measured. A few numbers each."""


def find_aligned(
    scan: Scan, template: Template, *, like_template: bool = True, cancel: CancelToken | None = None
) -> Anatomy:
    """Finds the template's organ in a scan.

    Args:
        scan: A grey volume with geometry.
        template: Its array along (z, y, x): upwards, backwards, to the left.
        like_template: Whether the scan is expected to show the template's contrast. If so, it is deformed
            onto the template and its slow bias taken out; if not, it is aligned only and its quantiles
            matched.
        cancel: Asked between steps.

    Returns:
        An anatomy on a `CommonGrid`, its values those of the template where tissue is the same.

    Raises:
        PairingError: ``NOT_ALIGNED``, if alignment is rejected or too little of the organ is in view.
        Cancelled: If a stop was asked for.
    """
    volume = volume_of(scan)
    alignment = _alignment(scan, template, volume, cancel)
    if not alignment.accepted:
        raise PairingError(Code.NOT_ALIGNED, alignment.reason)
    problems: list[Problem] = []
    move, deformation = alignment.move, None
    onto, spacing = template.volume, template.volume.spacing
    read = resample(volume.values, volume.affine, onto.values.shape, onto.affine, move)
    organ = _organ(read, template)
    if organ.sum() * np.prod(spacing) < 1000 * _LEAST_SEEN_ML:
        raise PairingError(Code.NOT_ALIGNED, "It shows too little of the brain.")
    if like_template:
        contrast = contrast_of(read, organ, template)  # before it is deformed to look like the template
        if contrast is None:
            raise PairingError(Code.NOT_ALIGNED, "It shows too little of the brain.")
        if not contrast.is_t1:
            problems.append(Problem(Code.CONTRAST_DIFFERS))
        same = comparable(read, onto.values, organ, spacing)
        deformation = deform(onto, Volume(same, onto.affine), template.compared, cancel)
        read = warped(volume, onto, move, deformation)
        organ = _organ(read, template)
        values = comparable(read, onto.values, organ, spacing)
    else:
        values = matched_quantiles(read, onto.values, organ)
    grid = common_grid(scan, onto, move, deformation)
    return Anatomy(Kind.INTRACRANIAL, grid, organ, values, problems=tuple(problems))


def _alignment(scan: Scan, template: Template, volume: Volume, cancel: CancelToken | None) -> Alignment:
    key = scan.scan_hash(), scan.affine.tobytes(), template
    found = _alignments.get(key)
    if found is None:
        found = _alignments[key] = align(template, volume, cancel)
        while len(_alignments) > _KEPT:
            _alignments.popitem(last=False)
    return found


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
