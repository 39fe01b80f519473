"""The plane that the two sides of a head mirror each other in, of a head that may lie turned or tilted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage, optimize

from napari_d24fad.anatomy.found import Anatomy

_STEP_MM = 4.0
_AROUND_MM = 12.0  # of the mask: skull and skull base are as symmetric as what they hold
_LARGEST_TURN = 45.0  # degrees; beyond, front and back could be taken for the sides
_LARGEST_TILT = 30.0


@dataclass(frozen=True, slots=True)
class MirrorPlane:
    """The midsagittal plane.

    Attributes:
        turn: Rotation about the axis from foot to head, in degrees.
        tilt: Rotation about the axis from front to back, in degrees.
        offset: Distance of the plane from the centre of the mask along its normal, in mm.
        unlike: How unlike the two sides are: mean squared difference over variance; 0 for the same.
    """

    turn: float
    tilt: float
    offset: float
    unlike: float

    @property
    def rotation(self) -> npt.NDArray[np.float64]:
        """``(3, 3)``: turns directions (z, y, x) of the scan to those of a head that lies straight."""
        turn, tilt = np.radians(self.turn), np.radians(self.tilt)
        about_z = np.array([[1, 0, 0], [0, np.cos(turn), -np.sin(turn)], [0, np.sin(turn), np.cos(turn)]])
        about_y = np.array([[np.cos(tilt), 0, -np.sin(tilt)], [0, 1, 0], [np.sin(tilt), 0, np.cos(tilt)]])
        return np.asarray(about_y @ about_z)


def mirror_plane(anatomy: Anatomy) -> MirrorPlane:
    """Finds the plane in which a head is most like its mirror image.

    Args:
        anatomy: A head; its working grid must know left from right.
    """
    return _Search(anatomy).run()


class _Search:
    """Coarse over the turn, then fine over turn, tilt and offset together."""

    def __init__(self, anatomy: Anatomy) -> None:
        spacing = np.array(anatomy.grid.spacing)
        values = np.nan_to_num(anatomy.values, nan=float(np.nanmin(anatomy.values)))
        low, high = np.percentile(values[anatomy.mask], (0.5, 99.5))
        values = np.clip(values, low - 1.0 * (high - low), high + 1.0 * (high - low))
        sigma = 0.5 * _STEP_MM / spacing
        smooth = ndimage.gaussian_filter(values.astype(np.float32), sigma)
        zoom = np.minimum(1, spacing / _STEP_MM)
        self._image = ndimage.zoom(smooth, zoom, order=1)
        self._spacing = (
            spacing * (np.array(smooth.shape) - 1) / np.maximum(1, np.array(self._image.shape) - 1)
        )
        self._spacing[np.array(self._image.shape) == 1] = spacing[np.array(self._image.shape) == 1]
        depth = ndimage.distance_transform_edt(~anatomy.mask, sampling=spacing)
        near = ndimage.zoom(depth, zoom, order=1) <= _AROUND_MM
        points = np.argwhere(near) * self._spacing
        self._centre = (np.argwhere(anatomy.mask) * spacing).mean(axis=0)
        self._points = np.ascontiguousarray((points - self._centre).T)
        self._own = self._image[near]
        self._variance = max(1e-6, self._own.var())

    def run(self) -> MirrorPlane:
        coarse = [(self._unlike((turn, 0.0, 0.0)), turn) for turn in np.arange(-40.0, 41.0, 8.0)]
        start = min(coarse)[1]
        result = optimize.minimize(
            self._unlike,
            (start, 0.0, 0.0),
            method="Nelder-Mead",
            options={
                "initial_simplex": [(start, 0, 0), (start + 5, 0, 0), (start, 5, 0), (start, 0, 5)],
                "xatol": 0.2,
                "fatol": 1e-4,
                "maxfev": 120,
            },
        )
        turn, tilt, offset = (float(value) for value in result.x)
        return MirrorPlane(turn, tilt, offset, float(result.fun))

    def _unlike(self, parameters: npt.ArrayLike) -> float:
        turn, tilt, offset = np.asarray(parameters, float)
        if abs(turn) > _LARGEST_TURN or abs(tilt) > _LARGEST_TILT:
            return 10.0
        normal = MirrorPlane(turn, tilt, offset, 0).rotation[2]
        # From a point to the array index of its mirror image, in one step.
        turned = (np.eye(3) - 2 * np.outer(normal, normal)) / self._spacing[:, np.newaxis]
        index = turned @ self._points
        index += ((self._centre + 2 * offset * normal) / self._spacing)[:, np.newaxis]
        other = ndimage.map_coordinates(self._image, index, order=1, mode="nearest")
        inside = np.all((index > -0.5) & (index < np.array(self._image.shape)[:, np.newaxis] - 0.5), axis=0)
        if inside.mean() < 0.5:
            return 10.0
        return float(((self._own - other)[inside] ** 2).mean() / self._variance)
