"""From the quantity of a channel to its map: per place against the references, calibrated without them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from napari_d24fad.anatomy.grid import FloatArray
from napari_d24fad.detection.atlas.plan import Plan
from napari_d24fad.detection.channels.smoothing import masked_gaussian
from napari_d24fad.detection.channels.table import Expectation, Sums, total
from napari_d24fad.detection.channels.volume import WorkingVolume


@dataclass(frozen=True, slots=True, eq=False)
class Departure:
    """How far a scan is from the references in one channel.

    Attributes:
        map: In standard deviations of the references at the place; NaN where nothing is known.
        excess: Quantity minus what the references show there, in units of the quantity.
    """

    map: FloatArray = field(repr=False)
    excess: FloatArray = field(repr=False)


def departure(
    quantity: FloatArray, volume: WorkingVolume, sums: Sums, softening: float, plan: Plan
) -> Departure:
    """Standardises a quantity per place against the references.

    Args:
        quantity: On the working grid; NaN where it says nothing.
        volume: The scan it is of.
        sums: Of the references.
        softening: Spread that is added to that of the references.
        plan: How the map is smoothed.
    """
    mean, spread = Expectation(sums, plan.cells).of(volume)
    own = quantity[volume.counted]
    values = (own - mean) / np.sqrt(spread**2 + softening**2)
    standard = np.zeros(quantity.shape, np.float32)
    excess = np.full(quantity.shape, np.nan, np.float32)
    known = np.zeros(quantity.shape, bool)
    known[volume.counted] = np.isfinite(values)
    standard[volume.counted] = np.nan_to_num(values)
    excess[volume.counted] = own - mean
    smooth = masked_gaussian(standard, known, plan.map_sigma_mm, volume.anatomy.grid.spacing)
    smooth[~volume.anatomy.mask] = np.nan
    return Departure(smooth, excess)


@dataclass(frozen=True, slots=True, eq=False)
class Standard:
    """One channel in one direction, learned from the references.

    Attributes:
        sums: Of all references.
        softening: In units of the quantity.
        scale: Root mean square of the maps of the references left out, which maps are divided by.
        level: Map value that the median reference left out exceeds in `Plan.level_share` of its anatomy.
    """

    sums: Sums = field(repr=False)
    softening: float
    scale: float
    level: float

    def calibrated(self, quantity: FloatArray, volume: WorkingVolume, plan: Plan) -> Departure:
        """Returns the map of a query in units of how far normal scans are from the references."""
        found = departure(quantity, volume, self.sums, self.softening, plan)
        return Departure(found.map / np.float32(self.scale), found.excess)


def learn(
    quantities: Sequence[FloatArray],
    volumes: Sequence[WorkingVolume],
    sums: Sequence[Sums],
    softening: float,
    plan: Plan,
) -> tuple[Standard, tuple[FloatArray, ...]]:
    """Learns the standard of a channel, leaving each reference out once.

    Args:
        quantities: Of each reference.
        volumes: The references.
        sums: The part of each reference.
        softening: In units of the quantity.
        plan: How maps are made.

    Returns:
        The standard, and the calibrated map of each reference left out.
    """
    together = total(sums)
    maps = [
        departure(quantity, volume, together - part, softening, plan).map
        for quantity, volume, part in zip(quantities, volumes, sums, strict=True)
    ]
    squares = [float(np.nanmean(found**2)) for found in maps if np.isfinite(found).any()]
    scale = float(np.sqrt(np.mean(squares))) if squares else 1.0
    scale = max(scale, 1e-6)
    calibrated = tuple(found / np.float32(scale) for found in maps)
    known = [found[np.isfinite(found)] for found in calibrated]
    levels = [np.quantile(values, 1 - plan.level_share) for values in known if values.size]
    return Standard(together, softening, scale, float(np.median(levels)) if levels else 0.0), calibrated


def fused(maps: Mapping[str, FloatArray], volume: WorkingVolume, plan: Plan) -> FloatArray:
    """Returns the weighted mean of calibrated maps; channels that say nothing of a voxel do not count.

    NaN outside the anatomy; 0 inside it where no channel says anything.

    Args:
        maps: Of each channel, by its name.
        volume: The scan.
        plan: Weights and caps of the channels.
    """
    total = np.zeros(volume.anatomy.mask.shape, np.float32)
    weights = np.zeros_like(total)
    for name, found in maps.items():
        known = np.isfinite(found)
        weight = np.float32(plan.weights.get(name, 1.0))
        total[known] += weight * np.minimum(found[known], plan.caps.get(name, np.inf))
        weights[known] += weight
    mean = total / np.maximum(weights, 1e-6)
    return np.where(volume.anatomy.mask, mean, np.nan).astype(np.float32)
