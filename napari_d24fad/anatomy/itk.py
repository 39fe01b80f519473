"""SimpleITK, as the other modules of this room use it: images in the same mm, one run of an optimiser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_d24fad.anatomy.volume import Mask, Volume
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.scan import Affine

if TYPE_CHECKING:
    import SimpleITK

_PLANE_STEPS, _PLANE_SIGMA = 40, 2.0  # of the search in single slices; the width in pixels


def registered(
    fixed: Volume, moving: Volume, start: Affine, inside: Mask, kind: str, steps: int, shrink: int
) -> Affine:
    """One run of SimpleITK's optimiser; the start where it stops with an error."""
    import SimpleITK as sitk  # noqa: N813 - its usual name

    transform = _transform(fixed, start, inside, kind)
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsCorrelation()
    if kind == "affine":
        # The blurred gradients of the default lead further from afar, plain differences nearer to the end.
        method.MetricUseMovingImageGradientFilterOff()
        method.MetricUseFixedImageGradientFilterOff()
    method.SetMetricFixedMask(as_image(Volume(inside.astype(np.float32), fixed.affine), sitk.sitkUInt8))
    seen = np.isfinite(moving.values)
    if not seen.all():
        method.SetMetricMovingMask(as_image(Volume(seen.astype(np.float32), moving.affine), sitk.sitkUInt8))
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=2.0, minStep=0.02, numberOfIterations=steps, relaxationFactor=0.6,
        gradientMagnitudeTolerance=1e-6,
    )  # fmt: skip
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([shrink])
    method.SetSmoothingSigmasPerLevel([0.5 * (shrink - 1)])
    method.SetInitialTransform(transform, inPlace=True)
    try:
        method.Execute(as_image(fixed), as_image(moving))
    except RuntimeError:  # all samples left the scan: the start itself is judged instead
        return start
    return _matrix(transform)


def _transform(fixed: Volume, start: Affine, inside: Mask, kind: str) -> SimpleITK.Transform:
    import SimpleITK as sitk  # noqa: N813 - its usual name

    index = np.argwhere(inside).mean(axis=0)
    centre = fixed.affine[:3, :3] @ index + fixed.affine[:3, 3]
    linear = start[:3, :3]
    shift = linear @ centre + start[:3, 3] - centre
    if kind == "affine":
        affine = sitk.AffineTransform(3)
        affine.SetCenter(centre.tolist())
        affine.SetMatrix(linear.ravel().tolist())
        affine.SetTranslation(shift.tolist())
        return affine
    # The nearest similarity: the rotation of the polar decomposition times the mean length.
    left, lengths, right = np.linalg.svd(linear)
    similarity = sitk.Similarity3DTransform()
    similarity.SetCenter(centre.tolist())
    similarity.SetMatrix((float(np.cbrt(np.prod(lengths))) * (left @ right)).ravel().tolist())
    similarity.SetTranslation(shift.tolist())
    return similarity


def _matrix(transform: SimpleITK.Transform) -> Affine:
    move = np.eye(4)
    move[:3, 3] = transform.TransformPoint((0.0, 0.0, 0.0))
    for axis in range(3):
        unit = [0.0, 0.0, 0.0]
        unit[axis] = 1.0
        move[:3, axis] = np.array(transform.TransformPoint(unit)) - move[:3, 3]
    return move


def as_image(volume: Volume, kind: int | None = None) -> SimpleITK.Image:
    """A SimpleITK image of a volume, in the same mm (ITK's are LPS too); NaN becomes 0."""
    import SimpleITK as sitk  # noqa: N813 - its usual name

    image = sitk.GetImageFromArray(np.nan_to_num(volume.values))
    # ITK counts indices the other way round: column, row, slice.
    columns = volume.affine[:3, 2::-1]
    lengths = np.linalg.norm(columns, axis=0)
    image.SetSpacing(lengths.tolist())
    image.SetDirection((columns / lengths).ravel().tolist())
    image.SetOrigin(volume.affine[:3, 3].tolist())
    return image if kind is None else sitk.Cast(image, kind)


def demons(
    fixed: Volume, moving: Volume, steps: tuple[int, ...], sigma: float, cancel: CancelToken
) -> npt.NDArray[np.float32]:
    """Fast symmetric forces demons over a pyramid.

    Args:
        fixed: What is moved onto; no NaN.
        moving: On the grid of `fixed`.
        steps: Iterations at each level, coarsest first; the last is at full resolution.
        sigma: Standard deviation in voxels that the whole field is smoothed with at each step.
        cancel: Asked between levels.

    Returns:
        ``(slices, rows, columns, 3)`` shifts in mm (x, y, z) from `fixed` into `moving`.
    """
    import SimpleITK as sitk  # noqa: N813 - its usual name

    images = [as_image(fixed), as_image(moving)]
    shift: SimpleITK.Image | None = None
    for level, iterations in enumerate(steps):
        cancel.check()
        factor = 2 ** (len(steps) - 1 - level)
        width = 0.5 * factor * min(images[0].GetSpacing())
        small = [
            sitk.Shrink(sitk.SmoothingRecursiveGaussian(image, width), [factor] * 3) if factor > 1 else image
            for image in images
        ]
        method = sitk.FastSymmetricForcesDemonsRegistrationFilter()
        method.SetNumberOfIterations(iterations)
        method.SetSmoothDisplacementField(True)
        method.SetStandardDeviations(sigma)
        shift = (
            method.Execute(*small)
            if shift is None
            else method.Execute(*small, sitk.Resample(shift, small[0]))
        )
    assert shift is not None
    found: npt.NDArray[np.float32] = sitk.GetArrayFromImage(shift).astype(np.float32)
    return found


def plane_demons(
    fixed: npt.NDArray[np.float32], moving: npt.NDArray[np.float32], factors: Sequence[int]
) -> npt.NDArray[np.float32]:
    """Fast symmetric forces demons of two pictures.

    Args:
        fixed: ``(rows, columns)``, what is moved onto; no NaN.
        moving: On the same pixels.
        factors: How many rows and columns are taken together while shifts are looked for.

    Returns:
        ``(2, rows, columns)`` shifts in pixels (rows, columns) from `fixed` into `moving`.
    """
    import SimpleITK as sitk  # noqa: N813 - its usual name

    shrink = list(factors)[::-1]  # ITK counts columns first
    images = [sitk.GetImageFromArray(picture) for picture in (fixed, moving)]
    small = [
        sitk.Shrink(sitk.SmoothingRecursiveGaussian(image, [0.5 * factor for factor in shrink]), shrink)
        if max(shrink) > 1
        else image
        for image in images
    ]
    method = sitk.FastSymmetricForcesDemonsRegistrationFilter()
    method.SetNumberOfIterations(_PLANE_STEPS)
    method.SetSmoothDisplacementField(True)
    method.SetStandardDeviations(_PLANE_SIGMA)
    shifts = sitk.GetArrayFromImage(sitk.Resample(method.Execute(*small), images[0]))
    return np.moveaxis(shifts[..., ::-1], -1, 0).astype(np.float32)


def reconstructed(seed: npt.NDArray[np.float32], limit: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Morphological reconstruction by dilation (Vincent 1993, doi 10.1109/83.217222), voxels joined by faces.

    Args:
        seed: What grows; nowhere above the limit.
        limit: The same shape.

    Returns:
        At each voxel the highest level at which a way leads to it from the seed, below the limit. What
        scikit-image returns, to the bit, in a fifteenth of the time.
    """
    import SimpleITK as sitk  # noqa: N813 - its usual name

    images = [sitk.GetImageFromArray(array.astype(np.float32, copy=False)) for array in (seed, limit)]
    grown: npt.NDArray[np.float32] = sitk.GetArrayFromImage(sitk.ReconstructionByDilation(*images))
    return grown
