"""What was learned of a set of references, without the references themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from napari_d24fad.detection.atlas.evenness import Evenness
from napari_d24fad.detection.atlas.examination import Levels
from napari_d24fad.detection.atlas.measured import Key, MeasuredScan
from napari_d24fad.detection.atlas.normal import NormalMaps
from napari_d24fad.detection.atlas.plan import Plan
from napari_d24fad.detection.atlas.scoring import AtlasReferences
from napari_d24fad.detection.atlas.standard import Standard
from napari_d24fad.detection.channels.volume import Direction
from napari_d24fad.errors import Code
from napari_d24fad.studies.scan import Problem


@dataclass(frozen=True, slots=True)
class KeptSet:
    """See `AtlasReferences`, whose fields these are.

    Attributes:
        identities: Of the references, see `MeasuredScan.identity`.
    """

    identities: tuple[str, ...]
    standards: dict[Key, Standard] = field(repr=False)
    levels: Levels
    normal_scores: tuple[float, ...]
    normal_masses: tuple[float, ...] = field(repr=False)
    normal: NormalMaps = field(repr=False)
    evenness: Evenness
    problems: tuple[Problem, ...]
    beside: tuple[KeptSet, ...] = field(repr=False)

    @classmethod
    def of(cls, made: AtlasReferences) -> KeptSet:
        """Takes what was learned."""
        identities = tuple(scan.identity for scan in made.scans)
        return cls(
            identities, made.standards, made.levels, made.normal_scores, made.normal_masses, made.normal,
            made.evenness, made.problems, tuple(cls.of(each) for each in made.beside),
        )  # fmt: skip

    def references(
        self, scans: tuple[MeasuredScan, ...], plan: Plan, direction: Direction
    ) -> AtlasReferences:
        """Puts it and the references together; these are in the order of `identities`."""
        beside = zip(self.beside, plan.beside, strict=True)
        return AtlasReferences(
            plan, direction, scans, self.standards, self.levels, self.normal_scores, self.normal_masses,
            self.normal, self.evenness, self.problems,
            tuple(own.references(scans, each, each.direction) for own, each in beside),
        )  # fmt: skip

    @property
    def is_numbered(self) -> bool:
        """Whether it names references by their numbers, so that their order cannot be changed."""
        return any(problem.code is Code.MIRRORED_REFERENCE for problem in self.problems)

    def reordered(self, order: Sequence[int]) -> KeptSet:
        """Returns the same of the references in another order: what was learned together stays.

        Args:
            order: For each place, where its reference stands now.
        """
        normal = self.normal
        return replace(
            self,
            identities=tuple(self.identities[at] for at in order),
            normal_scores=tuple(self.normal_scores[at] for at in order),
            normal=replace(
                normal,
                calibration=replace(normal.calibration, peaks=normal.calibration.peaks[list(order)]),
                slice_scores=tuple(normal.slice_scores[at] for at in order),
                slice_places=tuple(normal.slice_places[at] for at in order),
            ),
            beside=tuple(each.reordered(order) for each in self.beside),
        )
