"""Where normal scans differ from each other: a departure there says less than one where they agree."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from torch import Tensor

from napari_d24fad.detection.encoding.devices import upload
from napari_d24fad.detection.references.calibration import LeftOutMaps

_REACH = 1 / 24
_LEAST = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """How the maps of references vary from place to place.

    Attributes:
        middle: Mean of the logarithm of their maps.
        weights: ``(side, side)`` spread over all places divided by the spread at each.
    """

    middle: float
    weights: Tensor = field(repr=False)

    def weigh(self, maps: Tensor) -> Tensor:
        """Stretches maps where references agree and flattens them where they differ.

        Args:
            maps: ``(N, side, side)`` smoothed maps.

        Returns:
            Of the same shape; values above the middle stay above 1, values below it below 1.
        """
        return torch.exp((maps.clamp(min=_LEAST).log() - self.middle) * self.weights)

    def on(self, device: torch.device) -> Spread:
        """Returns the same on a device."""
        return Spread(self.middle, upload(self.weights, device))


def measure_spread(left_out: list[LeftOutMaps], *, mirrored: bool) -> Spread:
    """Measures the spread of the maps that references have against each other.

    The variance of the logarithm at each place is that within a 24th of the side, drawn towards the
    variance over all places as if one reference more had shown just that.

    Args:
        left_out: Of one or more references.
        mirrored: Whether the other side of the body tells as much about a place.
    """
    maps = np.concatenate([one.maps for one in left_out])
    known = np.concatenate([one.inside for one in left_out])
    logs, share = np.log(np.maximum(maps, _LEAST)), known.astype(np.float32)
    if mirrored:
        logs, share = (np.concatenate([each, each[:, :, ::-1]]) for each in (logs, share))
    near = np.maximum(_smooth(share), 1e-6)
    usual = _smooth(logs * share) / near
    squares = (logs - usual) ** 2 * share
    local, overall = _smooth(squares) / near, float(squares.sum() / share.sum())
    count = len(left_out)
    variance = (count * local + overall) / (count + 1)
    weights = np.sqrt(overall / variance) if overall > 0 else np.ones_like(variance)
    return Spread(float((logs * share).sum() / share.sum()), torch.from_numpy(weights.astype(np.float32)))


def _smooth(maps: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Sums over maps, smooth over places."""
    total = maps.sum(axis=0, dtype=np.float64)
    return np.asarray(ndimage.gaussian_filter(total, total.shape[-1] * _REACH, mode="nearest"))
