"""Which plan a study is examined by."""

from __future__ import annotations

from collections.abc import Callable

from napari_d24fad.anatomy.aligned import find_aligned
from napari_d24fad.anatomy.brain_window import brain_window
from napari_d24fad.anatomy.contrast import contrast_of
from napari_d24fad.anatomy.find import find_anatomy
from napari_d24fad.anatomy.found import Kind
from napari_d24fad.anatomy.head_mr import mni_template
from napari_d24fad.detection.atlas.plan import Plan
from napari_d24fad.detection.plans.head_ct import head_ct_plan
from napari_d24fad.detection.plans.head_mr import head_mr_plan, head_t1_plan
from napari_d24fad.errors import PairingError
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.scan import Scan

_HEAD_MM = (90.0, 420.0)
"""Shortest and longest edge of a scan that may show enough of a head to be aligned."""


def plan_for(reference: Scan, cancel: CancelToken | None = None) -> Plan | None:
    """Returns the plan of the kind of study that a reference is one of; None if it is of none.

    Args:
        reference: One of the normal references, whose anatomy is found more surely than a query's.
        cancel: Asked between steps.

    Raises:
        Cancelled: If a stop was asked for.
    """
    if not may_have_plan(reference):
        return None
    if brain_window(reference.voxels, reference.modality) is not None:
        return head_ct_plan() if _is_head_ct(reference) else None
    make = _head_mr(reference, cancel)
    return None if make is None else make()


def plan_named(name: str) -> Plan | None:
    """Returns a plan by its name; None if there is none of this name."""
    make = _PLANS.get(name)
    return None if make is None else make()


def may_have_plan(query: Scan) -> bool:
    """Whether it is worth reading a reference to look for a plan.

    Args:
        query: The scan to examine.
    """
    if not query.is_volume or query.is_colour or not query.has_geometry:
        return False
    return _may_be_head_mr(query) or brain_window(query.voxels, query.modality) is not None


def _is_head_ct(scan: Scan) -> bool:
    try:
        return find_anatomy(scan).kind is Kind.INTRACRANIAL
    except PairingError:
        return False


def _may_be_head_mr(scan: Scan) -> bool:
    edges = [count * step for count, step in zip(scan.grid, scan.spacing, strict=True)]
    return scan.modality in ("MR", "") and _HEAD_MM[0] <= min(edges) and max(edges) <= _HEAD_MM[1]


def _head_mr(scan: Scan, cancel: CancelToken | None) -> Callable[[], Plan] | None:
    """Returns the plan of a head by MR: what can be aligned to one and has ventricles; tissues say which."""
    if not _may_be_head_mr(scan):
        return None
    template = mni_template()
    try:
        found = find_aligned(scan, template, like_template=False, cancel=cancel)
    except PairingError:
        return None
    contrast = contrast_of(found.values, found.mask, template)
    if contrast is None or not contrast.is_of_a_head:
        return None
    return head_t1_plan if contrast.is_t1 else head_mr_plan


_PLANS = {"head CT": head_ct_plan, "head T1": head_t1_plan, "head MR": head_mr_plan}
"""How the plans of each name are made."""
