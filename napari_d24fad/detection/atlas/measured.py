"""What is computed of one scan by itself: done once, whatever it is compared with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from napari_d24fad.anatomy.grid import FloatArray
from napari_d24fad.anatomy.place import Place
from napari_d24fad.detection.atlas.channel import AnyChannel, Channel, Described, PairChannel, mean_of_nearest
from napari_d24fad.detection.atlas.fitting import Fit
from napari_d24fad.detection.atlas.plan import Plan
from napari_d24fad.detection.atlas.table import Sums, sums_of
from napari_d24fad.detection.atlas.volume import Direction, WorkingVolume
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.scan import Scan

Key = tuple[int, str]
"""Direction (+1, -1; 0 where it makes no difference) and name of a channel."""


def is_pair(channel: AnyChannel) -> bool:
    """Whether a channel compares scans pair by pair."""
    return hasattr(channel, "describe")


def key_of(channel: AnyChannel, sign: int) -> Key:
    """Returns under which key a channel keeps what it measured."""
    return (0 if is_pair(channel) and not getattr(channel, "signed", True) else sign, channel.name)


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredScan:
    """One scan, made comparable, with all that its channels say of it alone.

    Attributes:
        identity: `Scan.scan_hash`: equal for equal scans.
        volume: The scan on its working grid.
        quantities: Of each `Channel`.
        sums: Of these quantities over the cells of the common space.
        described: Of each `PairChannel`.
        compared: Distances to other scans, by their identity; filled when they are first wanted,
            so that no pair is compared twice.
    """

    identity: str
    volume: WorkingVolume = field(repr=False)
    quantities: Mapping[Key, FloatArray] = field(repr=False)
    sums: Mapping[Key, Sums] = field(repr=False)
    described: Mapping[Key, Described] = field(repr=False)
    compared: dict[tuple[str, Key], FloatArray] = field(default_factory=dict, repr=False)

    def quantity(
        self, channel: AnyChannel, key: Key, others: Sequence[MeasuredScan], cancel: CancelToken
    ) -> FloatArray | None:
        """Returns what a channel says of this scan; None if it says nothing.

        Args:
            channel: The channel.
            key: Its key.
            others: The scans that a pair channel compares with: never this one.
            cancel: Asked before each comparison.
        """
        if not is_pair(channel):
            return self.quantities.get(key)
        pair: PairChannel = channel  # type: ignore[assignment]  # is_pair says so
        own = self.described[key]
        distances = []
        for other in others:
            cancel.check()
            if (other.identity, key) not in self.compared:
                self.compared[other.identity, key] = pair.distance(own, other.described[key])
            distances.append(self.compared[other.identity, key])
        found = np.full(self.volume.anatomy.mask.shape, np.nan, np.float32)
        found[tuple(own["index"])] = mean_of_nearest(distances, pair.nearest)
        return found


def measure_scan(
    scan: Scan,
    plan: Plan,
    direction: Direction,
    cancel: CancelToken,
    *,
    summed: bool = True,
    fit: Fit | None = None,
) -> MeasuredScan:
    """Finds the anatomy of a scan, places it and runs its channels.

    Args:
        scan: The scan.
        plan: How this kind of study is examined.
        direction: What is looked for.
        cancel: Asked between steps.
        summed: Whether the sums are wanted: of references only.
        fit: Chooses the place of a scan of which only a part is seen; None to take the first guess.

    Raises:
        PairingError: ``NOTHING_TO_EXAMINE``, if no anatomy was found.
    """
    cancel.check()
    anatomy = plan.find(scan)
    cancel.check()
    volume = plan.prepare(anatomy, plan.placer.place(anatomy))
    if volume.place.partial and fit is not None and plan.alternatives is not None:
        chosen = fit(volume, _watched(plan.alternatives(anatomy), cancel))
        volume = plan.prepare(anatomy, chosen)
    quantities: dict[Key, FloatArray] = {}
    sums: dict[Key, Sums] = {}
    described: dict[Key, Described] = {}
    for sign in direction.signs:
        signed = volume.signed(sign)
        for channel in plan.channels:
            cancel.check()
            key = key_of(channel, sign)
            if key in described:
                continue
            if is_pair(channel):
                pair: PairChannel = channel  # type: ignore[assignment]  # is_pair says so
                described[key] = pair.describe(signed)
                continue
            single: Channel = channel  # type: ignore[assignment]
            quantity = single.measure(signed)
            if quantity is not None:
                quantities[key] = quantity
                if summed:
                    sums[key] = sums_of(quantity, signed, plan.cells)
    return MeasuredScan(scan.scan_hash(), volume, quantities, sums, described)


def _watched(places: Iterable[Place], cancel: CancelToken) -> Iterator[Place]:
    """Yields places until the computation is to stop."""
    for place in places:
        cancel.check()
        yield place
