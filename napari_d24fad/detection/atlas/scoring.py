"""The entry: normal references measured once, queries held against them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from napari_d24fad.anatomy.grid import FloatArray
from napari_d24fad.detection.atlas.coverage import among_each_other, covered
from napari_d24fad.detection.atlas.doubts import doubts_about, placed_among, placed_references
from napari_d24fad.detection.atlas.edges import joined
from napari_d24fad.detection.atlas.evenness import Evenness
from napari_d24fad.detection.atlas.examination import AtlasExamination, AtlasRegion, Levels
from napari_d24fad.detection.atlas.found_regions import describe_regions
from napari_d24fad.detection.atlas.measured import Key, MeasuredScan, beside, key_of, measure_scan
from napari_d24fad.detection.atlas.normal import NormalMaps
from napari_d24fad.detection.atlas.plan import Plan
from napari_d24fad.detection.atlas.standard import Departure, Standard, learn
from napari_d24fad.detection.atlas.statistics import (
    Components,
    components,
    learn_levels,
    slice_scores,
)
from napari_d24fad.detection.channels.channel import AnyChannel, PairChannel
from napari_d24fad.detection.channels.table import sums_of
from napari_d24fad.detection.channels.volume import Direction
from napari_d24fad.errors import Code, PairingError
from napari_d24fad.progress import CancelToken, Progress, part, silent
from napari_d24fad.studies.scan import Problem, Scan


@dataclass(frozen=True, slots=True, eq=False)
class AtlasReferences:
    """Normal references, measured, with what they show when they are left out one at a time.

    Attributes:
        plan: How this kind of study is examined.
        direction: What is looked for.
        scans: The references.
        standards: Of each channel that all references have.
        levels: From which value and mass on regions are listed.
        normal_scores: Scan score of each reference left out.
        normal_masses: Of all regions of all references left out, highest first.
        normal: What their maps look like besides.
        evenness: How maps are made comparable between scans.
        problems: What the reader must know of the references.
        beside: The same references by each of `Plan.beside`.
    """

    plan: Plan = field(repr=False)
    direction: Direction
    scans: tuple[MeasuredScan, ...] = field(repr=False)
    standards: dict[Key, Standard] = field(repr=False)
    levels: Levels
    normal_scores: tuple[float, ...]
    normal_masses: tuple[float, ...] = field(repr=False)
    normal: NormalMaps = field(repr=False)
    evenness: Evenness = field(default=Evenness(), repr=False)
    problems: tuple[Problem, ...] = ()
    beside: tuple[AtlasReferences, ...] = field(default=(), repr=False)

    @classmethod
    def measure(
        cls,
        scans: Sequence[Scan],
        plan: Plan,
        direction: Direction | None = None,
        progress: Progress = silent,
        cancel: CancelToken | None = None,
    ) -> AtlasReferences:
        """Measures references and leaves each out once.

        Args:
            scans: At least two normal scans.
            plan: How this kind of study is examined.
            direction: What is looked for; None for the default of the plan.
            progress: Callback.
            cancel: Asked between steps.

        Raises:
            PairingError: ``TOO_FEW_REFERENCES``, or ``NOTHING_TO_EXAMINE`` if a reference has no
                anatomy.
        """
        cancel = cancel or CancelToken()
        direction = direction or plan.direction
        measured = []
        for number, scan in enumerate(scans):
            progress(0.5 * number / len(scans), f"Measuring reference {number + 1} of {len(scans)}")
            measured.append(measure_scan(scan, plan, direction, cancel))
        return cls.of(measured, plan, direction, part(progress, 0.5, 1.0), cancel)

    @classmethod
    def of(
        cls,
        scans: Sequence[MeasuredScan],
        plan: Plan,
        direction: Direction,
        progress: Progress = silent,
        cancel: CancelToken | None = None,
        shares: Sequence[float] | None = None,
        *,
        doubted: bool = True,
    ) -> AtlasReferences:
        """Makes a set of scans that were measured before; no pair is compared twice.

        Scans of which only a part is seen are placed where they fit the others.

        Args:
            scans: The references, as `measure_scan` returns them.
            plan: How they were measured.
            direction: In which they were measured.
            progress: Callback.
            cancel: Asked between steps.
            shares: How much each counts in what is usual at a place, above 0 and up to 1; None for 1
                each. The nearest patches are the nearest, however little their scan counts.
            doubted: Whether it is looked for what is doubtful; for a map beside it was already.

        Raises:
            PairingError: ``TOO_FEW_REFERENCES``.
        """
        cancel = cancel or CancelToken()
        if len(scans) < 2:
            raise PairingError(Code.TOO_FEW_REFERENCES)
        scans = placed_references(scans, plan, direction, cancel)
        volumes = [plan.seen(scan.volume, scan.identity) for scan in scans]
        scored = among_each_other(volumes, [scan.volume for scan in scans])
        standards: dict[Key, Standard] = {}
        known: dict[Key, tuple[FloatArray, ...]] = {}
        left_out: list[FloatArray] = []
        for sign in direction.signs:
            maps: list[dict[str, FloatArray]] = [{} for _ in scans]
            for channel in plan.channels:
                cancel.check()
                key = key_of(channel, sign)
                if key in known:  # the same for both directions
                    for own, one in zip(maps, known[key], strict=True):
                        own[channel.name] = one
                    continue
                quantities = quantities_of(channel, key, scans, progress, cancel)
                if quantities is None:
                    continue
                softening = channel.softening
                if isinstance(channel, PairChannel):
                    sums = [sums_of(q, v, plan.cells) for q, v in zip(quantities, volumes, strict=True)]
                    softening *= float(np.nanstd(np.concatenate([q[np.isfinite(q)] for q in quantities])))
                else:
                    sums = [scan.sums[key] for scan in scans]
                if shares is not None:
                    sums = [part * share for part, share in zip(sums, shares, strict=True)]
                standards[key], known[key] = learn(quantities, scored, sums, softening, plan)
                for own, one in zip(maps, known[key], strict=True):
                    own[channel.name] = one
            side = [joined(own, volume, plan, sign) for own, volume in zip(maps, scored, strict=True)]
            left_out = side if not left_out else [np.fmax(a, b) for a, b in zip(left_out, side, strict=True)]
        evenness = Evenness.of(left_out if plan.evened else ())
        left_out = [evenness.evened(each) for each in left_out]
        grids = [volume.anatomy.grid for volume in volumes]
        levels, masses = learn_levels(left_out, grids, plan.level_share, plan.smallest_mm3)
        scores = tuple(plan.score(m, g) for m, g in zip(left_out, grids, strict=True))
        normal = NormalMaps.of(left_out, scored, plan.slice_mm2, levels.value)
        problems = doubts_about(scans, plan, direction) if doubted else ()
        learned = partial(cls.of, cancel=cancel, shares=shares, doubted=False)
        measured = ((each, [beside(scan, each, cancel) for scan in scans]) for each in plan.beside)
        others = tuple(
            replace(learned(own, each, each.direction), scans=tuple(scans)) for each, own in measured
        )
        return cls(
            plan, direction, tuple(scans), standards, levels, scores, masses, normal, evenness, problems,
            others,
        )  # fmt: skip

    def examine(
        self, scan: Scan, progress: Progress = silent, cancel: CancelToken | None = None
    ) -> AtlasExamination:
        """Holds a query against the references.

        Raises:
            PairingError: ``NOTHING_TO_EXAMINE``, if no anatomy was found; ``NOT_COVERED``, if the references
                show nothing of it.
        """
        cancel = cancel or CancelToken()
        progress(0.0, "Finding the anatomy")
        query = measure_scan(scan, self.plan, self.direction, cancel, summed=False)
        return self.examine_measured(query, part(progress, 0.5, 1.0), cancel)

    def examine_measured(
        self, query: MeasuredScan, progress: Progress = silent, cancel: CancelToken | None = None
    ) -> AtlasExamination:
        """Holds a query against the references that was measured before; pairs are compared once.

        Args:
            query: As `measure_scan` returns it; a part of a head is placed where it fits the references.
            progress: Callback.
            cancel: Asked between steps.
        """
        cancel = cancel or CancelToken()
        plan = self.plan
        query = placed_among(query, self.scans, plan, self.direction, cancel)
        whole = plan.seen(query.volume, query.identity)
        volume = covered(whole, [scan.volume for scan in self.scans])
        grid = volume.anatomy.grid
        sides: dict[int, dict[str, Departure]] = {}
        for sign in self.direction.signs:
            found: dict[str, Departure] = {}
            for channel in plan.channels:
                cancel.check()
                progress(0.5, f"Comparing with {len(self.scans)} references")
                key = key_of(channel, sign)
                if key not in self.standards:
                    continue
                quantity = query.quantity(channel, key, self.scans, cancel, leaving_one_out=True)
                if quantity is not None:
                    found[channel.name] = self.standards[key].calibrated(quantity, volume, plan)
            sides[sign] = found
        signs = self.direction.signs
        maps = {(sign, name): one.map for sign, own in sides.items() for name, one in own.items()}
        per_side = {
            s: joined({n: d.map for n, d in own.items()}, volume, plan, s) for s, own in sides.items()
        }
        result, of_side = per_side[signs[0]], np.full(volume.anatomy.mask.shape, signs[0], np.int8)
        if len(signs) > 1:
            other = per_side[signs[1]]
            of_side[other > result] = signs[1]
            result = np.fmax(result, other)
        result = self.evenness.evened(result)
        regions = components(result, grid, self.levels.value, self.levels.smallest_mm3)
        own_slices = slice_scores(result, grid, plan.slice_mm2)
        found_all = AtlasExamination(
            volume=volume,
            direction=self.direction,
            fused=result,
            sides=of_side,
            channels=maps,
            excess=sides[signs[0]][plan.value.name].excess * signs[0],
            labels=regions.labels,
            score=plan.score(result, grid),
            normal_scores=self.normal_scores,
            slice_scores=grid.scan_slices(own_slices),
            levels=self.levels,
            problems=self._problems(query, covered=volume is whole),
            beside=tuple(
                each.examine_measured(beside(query, each.plan, cancel), silent, cancel)
                for each in self.beside
            ),
        )
        return replace(found_all, regions=self.describe(found_all, regions))

    def describe(self, found: AtlasExamination, parts: Components) -> tuple[AtlasRegion, ...]:
        """Measures parts of the map of an examination, at whatever level they were found.

        Args:
            found: By these references.
            parts: On its working grid.
        """
        value = self.plan.value
        return describe_regions(
            parts,
            found.fused,
            found.sides,
            found.channels,
            found.excess,
            found.volume,
            self.plan.channels,
            {sign: self.standards[key_of(value, sign)].scale for sign in self.direction.signs},
            self.normal_masses,
            len(self.scans),
            self.plan.sides,
        )

    def _problems(self, query: MeasuredScan, *, covered: bool) -> tuple[Problem, ...]:
        anatomy, place = query.volume.anatomy, query.volume.place
        own: tuple[Problem, ...] = (Problem(Code.PART_OF_ANATOMY),) if place.partial else ()
        own += () if covered else (Problem(Code.NOT_COVERED),)
        return tuple(dict.fromkeys(anatomy.problems + place.problems + own + self.problems))


def quantities_of(
    channel: AnyChannel,
    key: Key,
    scans: Sequence[MeasuredScan],
    progress: Progress,
    cancel: CancelToken,
) -> list[FloatArray] | None:
    """Returns the quantity of each reference; None if one of them has none.

    A reference is compared with the others only: of itself it would be no distance away.
    """
    found: list[FloatArray] = []
    for number, scan in enumerate(scans):
        progress(number / len(scans), f"Comparing reference {number + 1} of {len(scans)} with the others")
        others = [other for other in scans if other is not scan]
        quantity = scan.quantity(channel, key, others, cancel)
        if quantity is None:
            return None
        found.append(quantity)
    return found
