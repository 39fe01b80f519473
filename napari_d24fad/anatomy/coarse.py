"""Where a template lies in a scan, roughly: every shift is tried, at several tilts and sizes.

Normalised cross-correlation of a masked template at all shifts at once by Fourier transform, with
voxels beside the scan left out (Padfield, "Masked object registration in the Fourier domain", IEEE
Trans. Image Process. 21, 2012). An optimiser that starts here needs no guess of how the scan was cut.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import fft
from scipy.spatial.transform import Rotation

from napari_d24fad.anatomy.volume import Grey, Mask, Volume, resample
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.scan import Affine

_SPACING = 10.0
_TILTS = (-24.0, -12.0, 12.0, 24.0)
_SIZES = (0.88, 1.12)
# Of the template's mask, how much must lie in the scan: half a head is enough to know where it is.
_LEAST_OVERLAP = 0.4


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """A place to start an alignment from.

    Attributes:
        correlation: Of template and scan there, -1 to 1, of what both show.
        move: ``(4, 4)`` from mm of the template to LPS mm of the scan.
    """

    correlation: float
    move: Affine = field(repr=False)


def rough_starts(template: Volume, mask: Mask, scan: Volume, number: int, cancel: CancelToken) -> list[Start]:
    """Finds the best shifts of a template, one for each tilt and size, best first.

    Args:
        template: In its own space.
        mask: ``template.values.shape``: what of it is compared.
        scan: In patient space.
        number: How many to return at most.
        cancel: Asked between two tilts.
    """
    correlator = _Correlator(template, mask)
    tilted = [Rotation.identity()]
    tilted += [Rotation.from_euler(axis, angle, degrees=True) for axis in "xyz" for angle in _TILTS]
    found = _best(correlator, scan, ((turn.as_matrix()) for turn in tilted), cancel)
    sized = [size * start.move[:3, :3] for start in found[:2] for size in _SIZES]
    found += _best(correlator, scan, sized, cancel)
    return sorted(found, key=lambda start: -start.correlation)[:number]


def _best(
    correlator: _Correlator, scan: Volume, turns: Iterable[npt.NDArray[np.float64]], cancel: CancelToken
) -> list[Start]:
    found = []
    for turn in turns:
        cancel.check()
        start = correlator.best(scan, turn)
        if start is not None:
            found.append(start)
    return sorted(found, key=lambda start: -start.correlation)


class _Correlator:
    """A template at `_SPACING`, cut to its mask."""

    def __init__(self, template: Volume, mask: Mask) -> None:
        corners = _corners(mask, template.affine)
        self._origin = corners.min(axis=0)
        shape = tuple(np.ceil(np.ptp(corners, axis=0) / _SPACING).astype(int) + 1)
        grid = _grid(self._origin)
        weight = resample(mask.astype(np.float32), template.affine, shape, grid, outside=0.0)
        grey = resample(template.values, template.affine, shape, grid)
        weight[~np.isfinite(grey) | (weight < 0.5)] = 0
        grey = np.nan_to_num(grey)
        grey -= (grey * weight).sum() / max(float(weight.sum()), 1e-6)
        self._parts: tuple[Grey, ...] = (weight, weight * grey, weight * grey**2)
        self._size = float(weight.sum())

    def best(self, scan: Volume, turn: npt.NDArray[np.float64]) -> Start | None:
        """The shift of greatest correlation for one linear part of the map; None if none overlaps."""
        back = np.linalg.inv(turn)
        corners = _corners(np.ones(scan.values.shape, bool), scan.affine) @ back.T
        origin = corners.min(axis=0)
        shape = tuple(np.ceil(np.ptp(corners, axis=0) / _SPACING).astype(int) + 1)
        move = np.eye(4)
        move[:3, :3] = turn
        grey = resample(scan.values, scan.affine, shape, _grid(origin), move)
        seen = np.isfinite(grey)
        if not seen.any():
            return None
        grey = np.nan_to_num(grey - grey[seen].mean())
        small = self._parts[0].shape
        full = tuple(fft.next_fast_len(a + b - 1, real=True) for a, b in zip(shape, small, strict=True))
        kernels = [np.conj(fft.rfftn(part, full)) for part in self._parts]
        one, first, second = (
            fft.rfftn(part.astype(np.float32), full) for part in (seen, grey * seen, grey**2 * seen)
        )

        def match(field: npt.NDArray[np.complex64], kernel: npt.NDArray[np.complex64]) -> Grey:
            answer: Grey = fft.irfftn(field * kernel, full)
            return answer

        count = match(one, kernels[0])
        enough = count >= _LEAST_OVERLAP * self._size
        if not enough.any():
            return None
        count = np.maximum(count, 1.0)
        of_scan, of_template = match(first, kernels[0]), match(one, kernels[1])
        covariance = match(first, kernels[1]) - of_scan * of_template / count
        spread_scan = match(second, kernels[0]) - of_scan**2 / count
        spread = match(one, kernels[2]) - of_template**2 / count
        # Where the scan is flat there is nothing to correlate.
        flat = spread_scan < 1e-3 * float(spread_scan[enough].max())
        product = np.sqrt(np.maximum(spread_scan, 1e-12) * np.maximum(spread, 1e-12))
        correlation = np.where(enough & ~flat, covariance / product, -1.0)
        at = np.array(np.unravel_index(int(correlation.argmax()), full))
        best = float(correlation[tuple(at)])
        # Shifts beyond the scan's length are those before its first voxel.
        at = np.where(at >= shape, at - full, at)
        move[:3, 3] = turn @ (origin + at * _SPACING - self._origin)
        return Start(best, move)


def _grid(origin: npt.NDArray[np.float64]) -> Affine:
    grid = np.diag([_SPACING, _SPACING, _SPACING, 1.0])
    grid[:3, 3] = origin
    return grid


def _corners(mask: Mask, affine: Affine) -> npt.NDArray[np.float64]:
    """The corners of a mask's box in mm."""
    ends = []
    for axis in range(3):
        other = tuple(a for a in range(3) if a != axis)
        inside = np.flatnonzero(mask.any(axis=other))
        ends.append((inside[0], inside[-1]))
    index = np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, 3)
    return index @ affine[:3, :3].T + affine[:3, 3]
