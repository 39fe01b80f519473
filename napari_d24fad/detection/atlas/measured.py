"""What is computed of one scan by itself: done once, whatever it is compared with."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from napari_d24fad.anatomy.grid import FloatArray
from napari_d24fad.anatomy.place import Place
from napari_d24fad.detection.atlas.fitting import Fit
from napari_d24fad.detection.atlas.plan import Plan
from napari_d24fad.detection.atlas.threads import in_threads
from napari_d24fad.detection.channels.channel import AnyChannel, Described, PairChannel, mean_of_nearest
from napari_d24fad.detection.channels.table import Sums, sums_of
from napari_d24fad.detection.channels.volume import Direction, WorkingVolume
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.scan import Scan

Key = tuple[int, str]
"""Direction (+1, -1; 0 where it makes no difference) and name of a channel."""


def key_of(channel: AnyChannel, sign: int) -> Key:
    """Returns under which key a channel keeps what it measured."""
    return (0 if isinstance(channel, PairChannel) and not channel.signed else sign, channel.name)


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredScan:
    """One scan, made comparable, with all that its channels say of it alone.

    Attributes:
        identity: Equal for equal scans at the same place, and for no others.
        volume: The scan on its working grid.
        quantities: Of each `Channel`.
        sums: Of these quantities over the cells of the common space.
        described: Of each `PairChannel`.
        compared: Distances to other scans, by their identity; filled when they are first wanted,
            so that no pair is compared twice.
        besides: The same by the plans beside, by their names; likewise.
        is_placed: Whether its place is settled: of a part of the anatomy, where it fits other scans.
    """

    identity: str
    volume: WorkingVolume = field(repr=False)
    quantities: Mapping[Key, FloatArray] = field(repr=False)
    sums: Mapping[Key, Sums] = field(repr=False)
    described: Mapping[Key, Described] = field(repr=False)
    compared: dict[tuple[str, Key], FloatArray] = field(default_factory=dict, repr=False)
    besides: dict[str, MeasuredScan] = field(default_factory=dict, repr=False)
    is_placed: bool = False

    def quantity(
        self,
        channel: AnyChannel,
        key: Key,
        others: Sequence[MeasuredScan],
        cancel: CancelToken,
        *,
        leaving_one_out: bool = False,
    ) -> FloatArray | None:
        """Returns what a channel says of this scan; None if it says nothing.

        Args:
            channel: The channel.
            key: Its key.
            others: The scans that a pair channel compares with: never this one.
            cancel: Asked before each comparison; several are made at once.
            leaving_one_out: See `mean_of_nearest`: of a query, which is held against one reference more
                than a reference left out.
        """
        if not isinstance(channel, PairChannel):
            return self.quantities.get(key)
        own = self.described[key]

        def distance(other: MeasuredScan) -> FloatArray:
            cancel.check()
            return channel.distance(own, other.described[key])

        missing = [other for other in others if (other.identity, key) not in self.compared]
        for other, found in zip(missing, in_threads(distance, missing), strict=True):
            self.compared[other.identity, key] = found
        distances = [self.compared[other.identity, key] for other in others]
        quantity = np.full(self.volume.anatomy.mask.shape, np.nan, np.float32)
        quantity[tuple(own["index"])] = mean_of_nearest(
            distances, channel.nearest, leaving_one_out=leaving_one_out
        )
        return quantity


def measure_scan(
    scan: Scan, plan: Plan, direction: Direction, cancel: CancelToken, *, summed: bool = True
) -> MeasuredScan:
    """Finds the anatomy of a scan, places it and runs its channels.

    Args:
        scan: The scan.
        plan: How this kind of study is examined.
        direction: What is looked for.
        cancel: Asked between steps.
        summed: Whether the sums are wanted: of references only.

    Raises:
        PairingError: ``NOTHING_TO_EXAMINE``, if no anatomy was found.
    """
    cancel.check()
    anatomy = plan.find(scan, cancel)
    cancel.check()
    volume = plan.prepare(anatomy, plan.placer.place(anatomy))
    return _measured(scan.scan_hash(), volume, plan, direction, cancel, summed)


def beside(scan: MeasuredScan, plan: Plan, cancel: CancelToken) -> MeasuredScan:
    """Measures a scan by one of `Plan.beside`, once: its anatomy and its place are those found before.

    Args:
        scan: As `measure_scan` returns it.
        plan: The plan beside the one that it was measured by.
        cancel: Asked between steps.
    """
    known = scan.besides.get(plan.name)
    if known is None:
        volume = plan.prepare(scan.volume.anatomy, scan.volume.place)
        found = _measured(scan.identity, volume, plan, plan.direction, cancel, bool(scan.sums))
        known = scan.besides[plan.name] = replace(found, is_placed=True)
    return known


def placed_by(
    scan: MeasuredScan, fit: Fit, plan: Plan, direction: Direction, cancel: CancelToken
) -> MeasuredScan:
    """Measures a scan of which only a part is seen again, at the place where it fits best.

    Args:
        scan: At its first guess; one that is seen whole, has no other place, or was placed before, is
            returned as it is.
        fit: To the references.
        plan: How this kind of study is examined.
        direction: What is looked for.
        cancel: Asked between steps.
    """
    anatomy = scan.volume.anatomy
    if scan.is_placed or not scan.volume.place.partial or plan.alternatives is None:
        return scan
    volume = plan.prepare(anatomy, fit(scan.volume, _watched(plan.alternatives(anatomy), cancel)))
    placed = _measured(scan.identity, volume, plan, direction, cancel, bool(scan.sums))
    return replace(placed, is_placed=True)


def _measured(
    identity: str, volume: WorkingVolume, plan: Plan, direction: Direction, cancel: CancelToken, summed: bool
) -> MeasuredScan:
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
            if isinstance(channel, PairChannel):
                described[key] = channel.describe(signed if channel.signed else volume)
                continue
            quantity = channel.measure(signed)
            if quantity is not None:
                quantities[key] = quantity
                if summed:
                    sums[key] = sums_of(quantity, signed, plan.cells)
    # The same scan at another place is at other distances.
    place = zlib.crc32(np.ascontiguousarray(volume.place.coordinates).data)
    return MeasuredScan(f"{identity} {place:08x}", volume, quantities, sums, described)


def _watched(places: Iterable[Place], cancel: CancelToken) -> Iterator[Place]:
    """Yields places until the computation is to stop."""
    for place in places:
        cancel.check()
        yield place
