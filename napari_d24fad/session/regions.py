"""How the regions that a reader drew on some scans are examined in all of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_d24fad.anatomy.carrying import Outline, carried
from napari_d24fad.anatomy.find import drawn_region
from napari_d24fad.anatomy.found import Anatomy
from napari_d24fad.detection.atlas.inside import CommonOutline, CommonRegion
from napari_d24fad.detection.atlas.measured import MeasuredScan
from napari_d24fad.detection.atlas.plan import Plan
from napari_d24fad.detection.plans.drawn import drawn_plan
from napari_d24fad.errors import Code, PairingError
from napari_d24fad.progress import CancelToken
from napari_d24fad.session.request import Drawn, Request
from napari_d24fad.studies.scan import Problem, Scan

_NO_LENGTHS = "A volume does not state its lengths."


class DrawnRegions:
    """What was made of the regions of the last request: read and placed once, not for each scan or click."""

    def __init__(self) -> None:
        self._outlines: dict[Drawn, Outline] = {}
        self._within: tuple[tuple[object, ...], Plan] | None = None

    def plan(self, regions: Sequence[Drawn], query: Scan) -> Plan:
        """Returns how regions are examined in volumes that have no plan of their own.

        Args:
            regions: One or more.
            query: The scan to examine.
        """

        def find(scan: Scan, cancel: CancelToken) -> Anatomy:
            if not scan.has_geometry:
                raise PairingError(Code.REGION_NOT_CARRIED, _NO_LENGTHS)
            here = carried(self._read(regions, cancel), scan, cancel)
            return drawn_region(scan, here.mask, how=here.how, problems=here.problems)

        return drawn_plan(find, key_of(regions), hounsfield=query.modality == "CT")

    def only_within(self, plan: Plan, regions: Sequence[Drawn], on: Sequence[MeasuredScan]) -> Plan:
        """Returns a plan that judges regions only, of scans that were measured as a whole.

        Args:
            plan: How these volumes are examined.
            regions: One or more.
            on: The scan that each was drawn on, at its place among the references.

        Raises:
            PairingError: ``REGION_EMPTY``, if none of one is anatomy.
        """
        key = (plan.name, key_of(regions), tuple(scan.identity for scan in on))
        if self._within is None or self._within[0] != key:
            pairs = list(zip(regions, on, strict=True))
            outlines = [
                CommonOutline.of(drawn.read(), scan.volume, scan.identity.split()[0]) for drawn, scan in pairs
            ]
            region = CommonRegion(key_of(regions), tuple(outlines))
            own = [region.within(scan.volume, scan.identity).anatomy for scan in on]
            mm3 = float(np.mean([each.mask.sum() * each.grid.voxel_mm3 for each in own]))
            self._within = key, plan.within(region, mm3)
        return self._within[1]

    def _read(self, regions: Sequence[Drawn], cancel: CancelToken) -> list[Outline]:
        self._outlines = {each: known for each, known in self._outlines.items() if each in regions}
        for drawn in regions:
            if drawn not in self._outlines:
                scan = drawn.series.load(cancel=cancel)
                self._outlines[drawn] = Outline(drawn.read(), scan, drawn.series.load)
        return [self._outlines[drawn] for drawn in regions]


def key_of(regions: Sequence[Drawn]) -> str:
    """Returns what tells regions from others."""
    return " ".join(drawn.key for drawn in regions)


def instead(request: Request, problem: Problem, why: str) -> tuple[Problem]:
    """Returns what is said where slices are compared instead; regions are refused then.

    Args:
        request: What the user asked for.
        problem: Why places are not compared.
        why: The same, of a region that cannot be carried.

    Raises:
        PairingError: ``REGION_NOT_CARRIED``, if a region was drawn.
    """
    if request.regions:
        raise PairingError(Code.REGION_NOT_CARRIED, why)
    return (problem,)
