"""What a map that was made place by place was made from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from napari_d24fad.detection.atlas.anomaly import as_anomaly, drawn, regions_at
from napari_d24fad.detection.atlas.examination import AtlasExamination
from napari_d24fad.detection.atlas.scoring import AtlasReferences
from napari_d24fad.detection.references.regions import Region
from napari_d24fad.detection.result import AnomalyMap, ExampleEvidence, FloatArray, MapChannel
from napari_d24fad.studies.scan import Problem


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """A query held against references.

    Attributes:
        found: The examination.
        references: What it was held against.
        examples: What abnormal examples say of it; None without any.
        warnings: What is doubtful about these.
    """

    found: AtlasExamination = field(repr=False)
    references: AtlasReferences = field(repr=False)
    examples: ExampleEvidence | None = None
    warnings: tuple[Problem, ...] = ()

    def anomaly(self, outline: AnomalyMap) -> AnomalyMap:
        """Returns the result; see `as_anomaly`."""
        found = as_anomaly(self.found, self.references, outline)
        return replace(found, examples=self.examples, warnings=found.warnings + self.warnings)

    def regions(self, level: float) -> tuple[Region, ...]:
        """Finds the regions of its map at another level; see `regions_at`."""
        return regions_at(self.found, self.references, level)

    def beside(self, plan: str) -> Held:
        """Returns one of the maps beside its own, by the name of its plan."""
        pairs = zip(self.found.beside, self.references.beside, strict=True)
        return next(Held(*pair) for pair in pairs if pair[1].plan.name == plan)

    def channel_map(self, channel: MapChannel) -> FloatArray:
        """Returns one of its channels or maps beside it, on the grid of the scan; made anew each time."""
        if not channel.sign:
            return drawn(self.beside(channel.name).found)
        key = (channel.sign, channel.name)
        found = next(each for each in (self.found, *self.found.beside) if key in each.channels)
        return found.channel_map(channel.name, channel.sign)
