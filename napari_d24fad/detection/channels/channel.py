"""The interface of a channel: one way in which a query may depart from the references.

Channels look for what is *higher*; darker departures are found with negated values
(`WorkingVolume.signed`). Each becomes a map of its own: standardised per place against the
references, divided by the root mean square of the references left out one at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from napari_d24fad.anatomy.grid import FloatArray
from napari_d24fad.detection.channels.volume import WorkingVolume

Described = dict[str, npt.NDArray[Any]]
"""What a pair channel keeps of a scan: plain arrays, so that it can be stored.

``index``, int32 ``(3, points)``, says which voxels of the working grid are compared; the rest is
the channel's own.
"""


class Channel(Protocol):
    """A quantity of a scan by itself, such as its smoothed value or its asymmetry."""

    @property
    def name(self) -> str:
        """Stable key, such as ``"value"``."""
        ...

    @property
    def meaning(self) -> str:
        """For the reader, of a region that is mostly of this channel; ``{side}`` is brighter or darker."""
        ...

    @property
    def softening(self) -> float:
        """Spread in units of the quantity that is added (in squares) to that of the references."""
        ...

    def measure(self, volume: WorkingVolume) -> FloatArray | None:
        """Returns the quantity on the working grid, high where abnormal; NaN where it has none.

        None if this scan does not have it (sides unknown, no deformation); the channel is then
        left out for the set.
        """
        ...


@runtime_checkable
class PairChannel(Protocol):
    """A distance of a scan to each reference, of which the nearest count."""

    @property
    def name(self) -> str:
        """See `Channel.name`."""
        ...

    @property
    def meaning(self) -> str:
        """See `Channel.meaning`."""
        ...

    @property
    def softening(self) -> float:
        """As for `Channel`, but as a fraction of the spread of the references over all places."""
        ...

    @property
    def nearest(self) -> int:
        """How many of the nearest references a distance is the mean of."""
        ...

    @property
    def signed(self) -> bool:
        """Whether distances depend on the direction; else they are computed once for both."""
        ...

    def describe(self, volume: WorkingVolume) -> Described:
        """Returns what is compared of a scan; computed once.

        Args:
            volume: The scan; for *darker* its values are negated if `signed`, else never.
        """
        ...

    def distance(self, query: Described, reference: Described) -> FloatArray:
        """Returns the distance of each point of the query to one reference, float32 ``(points,)``.

        NaN where the reference shows nothing to compare with.
        """
        ...


AnyChannel = Channel | PairChannel


def mean_of_nearest(
    distances: Sequence[FloatArray], nearest: int, *, leaving_one_out: bool = False
) -> FloatArray:
    """Returns the mean of the smallest distances at each point; NaN where none is known.

    Args:
        distances: One per reference, of the same points.
        nearest: How many count; all if there are fewer.
        leaving_one_out: Whether to take the mean over leaving out each reference once. The nearest of
            eight are nearer than those of seven, which is what a reference left out is held against.
    """
    ordered = np.sort(np.stack(distances), axis=0)[: nearest + leaving_one_out]  # NaN sort last
    known = np.isfinite(ordered)
    weight = np.ones((len(ordered), *[1] * (ordered.ndim - 1)), np.float32)
    if leaving_one_out and len(ordered) > nearest:
        # One of the nearest is left out in `nearest` of all cases: the next then takes its place.
        weight[:nearest] = len(distances) - 1
        weight[nearest] = nearest
    weight = np.where(known, weight, 0)
    total = (np.where(known, ordered, 0) * weight).sum(axis=0)
    count = weight.sum(axis=0)
    return np.where(count > 0, total / np.where(count > 0, count, 1), np.nan).astype(np.float32)
