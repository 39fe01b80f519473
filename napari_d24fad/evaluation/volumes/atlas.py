"""The scoring of volumes per place as a method: what `AtlasReferences` tells of a scan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from napari_d24fad.anatomy.found import Anatomy
from napari_d24fad.detection.atlas.examination import AtlasExamination
from napari_d24fad.detection.atlas.left_out import left_out
from napari_d24fad.detection.atlas.plan import Plan
from napari_d24fad.detection.atlas.scoring import AtlasReferences
from napari_d24fad.detection.channels.volume import Direction
from napari_d24fad.detection.examples.lesions import drawn_lesion, most_unusual
from napari_d24fad.detection.examples.of_volumes import NormalVolumes, VolumeExample, VolumeExamples
from napari_d24fad.detection.references.calibration import conformal_p
from napari_d24fad.evaluation.volumes.anatomy import kept
from napari_d24fad.evaluation.volumes.method import Shown
from napari_d24fad.metrics.volumes import Examined
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.scan import Scan

_FALSE_REGIONS = 1.0


def methods_of(plan: Plan, direction: Direction | None = None) -> list[AtlasMethod]:
    """Returns a method for the map of a plan and one for each map beside it, each measured alone.

    The anatomy of a scan is found once: the seconds of the maps beside the first are without that.

    Args:
        plan: How scans are examined.
        direction: Of the first map; None for the default of the plan.
    """
    known = kept(lambda scan: plan.find(scan, CancelToken()))

    def find(scan: Scan, cancel: CancelToken) -> Anatomy:
        cancel.check()
        return known(scan)

    beside = [AtlasMethod(replace(each, find=find)) for each in plan.beside]
    own = replace(plan, find=find if beside else plan.find, beside=())
    return [AtlasMethod(own, direction), *beside]


@dataclass(frozen=True, slots=True, eq=False)
class AtlasMethod:
    """A plan for one kind of study.

    Attributes:
        plan: How it is examined.
        direction: What is looked for; None for the default of the plan.
    """

    plan: Plan
    direction: Direction | None = None

    @property
    def name(self) -> str:
        """See `Method.name`."""
        return f"atlas ({self.plan.name})"

    def prepare(self, references: Sequence[Scan]) -> PreparedAtlas:
        """See `Method.prepare`."""
        return PreparedAtlas(AtlasReferences.measure(references, self.plan, self.direction))


class PreparedAtlas:
    """See `AtlasMethod`.

    Args:
        references: Measured.
    """

    def __init__(self, references: AtlasReferences) -> None:
        self._references = references
        self._normal: NormalVolumes | None = None
        self._last: tuple[Scan, AtlasExamination] | None = None
        self._held: dict[str, VolumeExample] = {}  # by the scan, which need not stay in memory

    def examine(self, query: Scan) -> Examined:
        """See `Prepared.examine`."""
        return examined(self.plain(query))

    def plain(self, query: Scan) -> AtlasExamination:
        """Holds a scan against the references alone; once, if it is asked for again at once."""
        if self._last is not None and self._last[0] is query:
            return self._last[1]
        found = self._references.examine(query)
        self._last = (query, found) if self._held else None
        return found

    def beside(self, examples: Sequence[Shown]) -> TaughtAtlas:
        """See `Teachable.beside`."""
        if self._normal is None:
            held = left_out(self._references, None, CancelToken())
            self._normal = NormalVolumes(self._references, held)
        keys = [shown.scan.scan_hash() for shown in examples]
        self._held = {
            key: self._held.get(key) or self._hold(shown) for key, shown in zip(keys, examples, strict=True)
        }
        return TaughtAtlas(self, VolumeExamples(self._normal, list(self._held.values())))

    def _hold(self, shown: Shown) -> VolumeExample:
        found = self._references.examine(shown.scan)
        if shown.lesion is not None:
            lesion = drawn_lesion(shown.lesion, found)
        else:
            lesion = most_unusual(found, None, self._references.plan.score_mm3)
        return VolumeExample(found, lesion, shown.kind)


@dataclass(frozen=True, slots=True, eq=False)
class TaughtAtlas:
    """The same with abnormal examples.

    Attributes:
        references: Holds a scan against the references alone.
        examples: What abnormal scans teach beside these.
    """

    references: PreparedAtlas
    examples: VolumeExamples

    def examine(self, query: Scan) -> Examined:
        """See `Prepared.examine`."""
        return examined(self.examples.examine(self.references.plain(query))[0])


def examined(found: AtlasExamination) -> Examined:
    """Returns what is measured of an examination."""
    grid = found.volume.anatomy.grid
    return Examined(
        values=found.map(),
        score=found.score,
        slice_scores=found.slice_scores,
        coloured=np.asarray(found.coloured(_FALSE_REGIONS), bool),
        labels=grid.expand(found.labels),
        masses=tuple(region.mass for region in found.regions),
        n_told=len(found.told(_FALSE_REGIONS)),
        p_value=conformal_p(found.score, np.asarray(found.normal_scores)),
        anatomy=np.asarray(found.anatomy_mask(), bool),
    )
