"""How the region that a reader drew on one scan is examined in all of them."""

from __future__ import annotations

from functools import cache

import numpy as np

from napari_d24fad.anatomy.carrying import carried
from napari_d24fad.anatomy.find import drawn_region
from napari_d24fad.anatomy.found import Anatomy
from napari_d24fad.anatomy.grid import BoolArray
from napari_d24fad.detection.atlas.inside import CommonRegion
from napari_d24fad.detection.atlas.measured import MeasuredScan
from napari_d24fad.detection.atlas.plan import Plan
from napari_d24fad.detection.plans.drawn import drawn_plan
from napari_d24fad.errors import Code, PairingError
from napari_d24fad.progress import CancelToken
from napari_d24fad.session.request import Drawn, Request
from napari_d24fad.studies.scan import Problem, Scan

_NO_LENGTHS = "A volume does not state its lengths."


def plan_of_region(drawn: Drawn, query: Scan, cancel: CancelToken) -> Plan:
    """Returns how a region is examined in volumes that have no plan of their own.

    Args:
        drawn: The region.
        query: The scan to examine.
        cancel: Asked while the region is carried to a scan.
    """

    @cache
    def source() -> tuple[BoolArray, Scan]:
        return drawn.read(), drawn.series.load(cancel=cancel)

    def find(scan: Scan) -> Anatomy:
        if not scan.has_geometry:
            raise PairingError(Code.REGION_NOT_CARRIED, _NO_LENGTHS)
        here = carried(*source(), scan, cancel)
        return drawn_region(scan, here.mask, how=here.how, problems=here.problems)

    return drawn_plan(find, drawn.key, hounsfield=query.modality == "CT")


def only_within(plan: Plan, drawn: Drawn, on: MeasuredScan) -> Plan:
    """Returns a plan that judges a region only, of scans that were measured as a whole.

    Args:
        plan: How these volumes are examined.
        drawn: The region.
        on: The scan it was drawn on, at its place among the references.

    Raises:
        PairingError: ``REGION_EMPTY``, if none of it is anatomy.
    """
    region = CommonRegion.of(drawn.read(), on.volume, on.identity.split()[0], drawn.key)
    own = region.within(on.volume, on.identity).anatomy
    return plan.within(region, float(np.sum(own.mask)) * own.grid.voxel_mm3)


def instead(request: Request, problem: Problem, why: str) -> tuple[Problem]:
    """Returns what is said where slices are compared instead; a drawn region is refused then.

    Args:
        request: What the user asked for.
        problem: Why places are not compared.
        why: The same, of a region that cannot be carried.

    Raises:
        PairingError: ``REGION_NOT_CARRIED``, if a region was drawn.
    """
    if request.region is not None:
        raise PairingError(Code.REGION_NOT_CARRIED, why)
    return (problem,)
