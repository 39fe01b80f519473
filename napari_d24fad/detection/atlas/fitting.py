"""How well a scan fits the references at a place: where a part of a head lies, and on which side."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from napari_d24fad.anatomy.grid import FloatArray
from napari_d24fad.anatomy.place import Place
from napari_d24fad.detection.atlas.plan import Plan
from napari_d24fad.detection.channels.channel import Channel
from napari_d24fad.detection.channels.table import Expectation, Sums
from napari_d24fad.detection.channels.volume import WorkingVolume

Fit = Callable[[WorkingVolume, Iterable[Place]], Place]
"""Chooses the place at which a volume fits the references best; the volume is at its first guess."""

_EVERY = 7  # of how many voxels one is looked at
_FAR = 9.0  # squared standard deviations; what is further off, such as a lesion, says no more
_OTHER_SIDE = 0.1  # by how much better the other side must fit to be warned of


def _misfit(
    quantity: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    volume: WorkingVolume,
    expectation: Expectation,
    softening: float,
) -> float:
    """Returns twice the negative log likelihood of a scan at its place, per voxel; far voxels are cut off."""
    mean, spread = expectation.of(volume)
    variance = spread**2 + np.float32(softening**2)
    cost = np.minimum((quantity - mean) ** 2 / variance, _FAR) + np.log(variance)
    known = cost[np.isfinite(cost)]
    return float(known.mean()) if known.size else float("inf")


def fit_to(sums: Sums, channel: Channel, plan: Plan, sign: int) -> Fit:
    """Returns how to choose the place of a scan of which only a part is seen.

    Args:
        sums: Of the channel, over references whose place is certain.
        channel: The value.
        plan: How this kind of study is examined.
        sign: Direction of the sums.
    """
    expectation = Expectation(sums, plan.cells)

    def choose(volume: WorkingVolume, places: Iterable[Place]) -> Place:
        signed = volume.signed(sign)
        quantity = channel.measure(signed)
        if quantity is None:
            return volume.place
        some = np.zeros(volume.counted.size, bool)
        some[np.flatnonzero(volume.counted)[::_EVERY]] = True
        thin = replace(signed, counted=some.reshape(volume.counted.shape))
        values = quantity[thin.counted]
        best, lowest = volume.place, float("inf")
        for place in places:
            cost = _misfit(values, replace(thin, place=place), expectation, channel.softening)
            if cost < lowest:
                best, lowest = place, cost
        return best

    return choose


def fits_other_side(
    volume: WorkingVolume, quantity: FloatArray, sums: Sums, channel: Channel, plan: Plan
) -> bool:
    """Whether a scan fits the references clearly better with its sides exchanged.

    Args:
        volume: In the direction that the sums are of.
        quantity: What the channel says of it.
        sums: Of the channel, without this scan.
        channel: The value.
        plan: How this kind of study is examined.
    """
    if not volume.anatomy.grid.sided:
        return False
    expectation = Expectation(sums, plan.cells)
    exchanged = volume.place.coordinates.copy()
    exchanged[2] = plan.cells.box[2] - exchanged[2]
    values, mirrored = quantity[volume.counted], replace(volume.place, coordinates=exchanged)
    own = _misfit(values, volume, expectation, channel.softening)
    other = _misfit(values, replace(volume, place=mirrored), expectation, channel.softening)
    return own - other > _OTHER_SIDE
