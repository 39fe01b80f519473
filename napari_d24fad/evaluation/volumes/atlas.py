"""The scoring of volumes per place as a method: what `AtlasReferences` tells of a scan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from napari_d24fad.anatomy.found import Anatomy
from napari_d24fad.detection.atlas.plan import Plan
from napari_d24fad.detection.atlas.scoring import AtlasReferences
from napari_d24fad.detection.channels.volume import Direction
from napari_d24fad.detection.references.calibration import conformal_p
from napari_d24fad.evaluation.volumes.anatomy import kept
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


@dataclass(frozen=True, slots=True, eq=False)
class PreparedAtlas:
    """See `AtlasMethod`.

    Attributes:
        references: Measured.
    """

    references: AtlasReferences

    def examine(self, query: Scan) -> Examined:
        """See `Prepared.examine`."""
        found = self.references.examine(query)
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
