"""What references show channel by channel when each is left out: what examples are compared with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from napari_d24fad.anatomy.grid import FloatArray
from napari_d24fad.detection.atlas.coverage import among_each_other
from napari_d24fad.detection.atlas.edges import joined
from napari_d24fad.detection.atlas.measured import Key, key_of
from napari_d24fad.detection.atlas.scoring import AtlasReferences, quantities_of
from napari_d24fad.detection.atlas.standard import departure
from napari_d24fad.detection.channels.channel import AnyChannel, PairChannel
from napari_d24fad.detection.channels.table import sums_of
from napari_d24fad.detection.channels.volume import WorkingVolume
from napari_d24fad.progress import CancelToken, silent


@dataclass(frozen=True, slots=True, eq=False)
class LeftOut:
    """One reference, held against the others.

    Attributes:
        volume: The reference, as far as it is scored.
        channels: Its calibrated maps, as of a query.
        fused: Its map; NaN outside the anatomy.
    """

    volume: WorkingVolume
    channels: Mapping[Key, FloatArray] = field(repr=False)
    fused: FloatArray = field(repr=False)


def channels_of(references: AtlasReferences) -> Iterator[tuple[Key, AnyChannel]]:
    """Yields the channels that the references have, in each direction; what has none comes once."""
    seen = set[Key]()
    for sign in references.direction.signs:
        for channel in references.plan.channels:
            key = key_of(channel, sign)
            if key in references.standards and key not in seen:
                seen.add(key)
                yield key, channel


def left_out(
    references: AtlasReferences, shares: Sequence[float] | None, cancel: CancelToken
) -> tuple[LeftOut, ...]:
    """Holds each reference against the others again, as when the set was made; pairs are not compared anew.

    Args:
        references: The set.
        shares: How much each counts in it; None for 1 each.
        cancel: Asked between steps.
    """
    plan = references.plan
    volumes = [plan.seen(scan.volume, scan.identity) for scan in references.scans]
    scored = among_each_other(volumes, [scan.volume for scan in references.scans])
    maps: list[dict[Key, FloatArray]] = [{} for _ in volumes]
    for key, channel in channels_of(references):
        cancel.check()
        quantities = quantities_of(channel, key, references.scans, silent, cancel)
        assert quantities is not None  # it has a standard
        standard = references.standards[key]
        for at, (scan, volume, quantity) in enumerate(
            zip(references.scans, volumes, quantities, strict=True)
        ):
            own = (
                sums_of(quantity, volume, plan.cells) if isinstance(channel, PairChannel) else scan.sums[key]
            )
            others = standard.sums - (own if shares is None else own * shares[at])
            found = departure(quantity, scored[at], others, standard.softening, plan).map
            maps[at][key] = found / np.float32(standard.scale)
    return tuple(
        LeftOut(volume, own, _fused(own, volume, references))
        for own, volume in zip(maps, scored, strict=True)
    )


def _fused(
    channels: Mapping[Key, FloatArray], volume: WorkingVolume, references: AtlasReferences
) -> FloatArray:
    sides = [
        joined(
            {name: found for (of, name), found in channels.items() if of in (0, sign)},
            volume,
            references.plan,
            sign,
        )
        for sign in references.direction.signs
    ]
    return references.evenness.evened(sides[0] if len(sides) == 1 else np.fmax(*sides))
