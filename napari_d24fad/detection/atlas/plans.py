"""Which plan a study is examined by."""

from __future__ import annotations

from collections.abc import Callable

from napari_d24fad.anatomy.brain_window import brain_window
from napari_d24fad.anatomy.find import find_anatomy
from napari_d24fad.anatomy.found import Kind
from napari_d24fad.detection.atlas.head_ct import head_ct_plan
from napari_d24fad.detection.atlas.plan import Plan
from napari_d24fad.errors import PairingError
from napari_d24fad.studies.scan import Scan


def plan_for(reference: Scan) -> Plan | None:
    """Returns the plan of the first kind of study that a reference is one of; None if it is of none.

    Args:
        reference: One of the normal references, whose anatomy is found more surely than a query's.
    """
    if not reference.is_volume or reference.is_colour or not reference.has_geometry:
        return None
    return next((make() for is_one, make in _PLANS if is_one(reference)), None)


def plan_named(name: str) -> Plan | None:
    """Returns a plan by its name; None if there is none of this name."""
    return next((plan for plan in (make() for _, make in _PLANS) if plan.name == name), None)


def _is_head_ct(scan: Scan) -> bool:
    if brain_window(scan.voxels, scan.modality) is None:
        return False
    try:
        return find_anatomy(scan).kind is Kind.INTRACRANIAL
    except PairingError:
        return False


def may_have_plan(query: Scan) -> bool:
    """Whether it is worth reading a reference to look for a plan.

    Args:
        query: The scan to examine.
    """
    is_grey_volume = query.is_volume and not query.is_colour and query.has_geometry
    return is_grey_volume and brain_window(query.voxels, query.modality) is not None


_PLANS: tuple[tuple[Callable[[Scan], bool], Callable[[], Plan]], ...] = ((_is_head_ct, head_ct_plan),)
"""For each kind of study, whether a scan is one, and its plan."""
