"""Smooth random fields: the source of every natural variation in the sample study."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]


def smooth_field(
    rng: np.random.Generator,
    shape: tuple[int, int, int],
    spacing_mm: tuple[float, float, float],
    knot_mm: float,
) -> Array:
    """Returns a random field that is smooth over a given length.

    Args:
        rng: Source of randomness.
        shape: Array shape of the field.
        spacing_mm: Distance of neighbouring array elements along each axis.
        knot_mm: Distance of the knots of the cubic B-spline that makes the field.

    Returns:
        ``shape`` float32, mean about 0 and standard deviation about 1.
    """
    bases = [_spline_basis(n, step / knot_mm) for n, step in zip(shape, spacing_mm, strict=True)]
    knots = rng.standard_normal([basis.shape[1] for basis in bases]).astype(np.float32)
    for basis in bases:
        # Contracts the first axis and appends the interpolated one: three turns restore the order.
        knots = np.tensordot(knots, basis, axes=(0, 1))
    # A knot's weight, squared and averaged over positions, sums to 0.479 along each axis.
    return np.asarray(knots / np.float32(0.479**1.5), dtype=np.float32)


def _spline_basis(n: int, step: float) -> Array:
    """Returns the weights ``(n, knots)`` of a uniform cubic B-spline at ``n`` positions."""
    position = np.arange(n) * step
    knots = np.arange(-1, int(position[-1]) + 3)
    distance = np.abs(position[:, None] - knots[None, :])
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = np.clip(2 - distance, 0, None) ** 3 / 6
    return np.asarray(np.where(distance < 1, near, far), dtype=np.float32)
