"""Whether scans may be held against each other: values of MR compare only within one contrast."""

from __future__ import annotations

from collections.abc import Sequence

from napari_d24fad.detection.atlas.measured import MeasuredScan
from napari_d24fad.detection.atlas.plan import Plan
from napari_d24fad.errors import Code
from napari_d24fad.studies.scan import Problem


def contrast_fault(query: MeasuredScan, references: Sequence[MeasuredScan], plan: Plan) -> Problem | None:
    """Returns why values must not be compared; None if they may.

    Args:
        query: Measured by the plan.
        references: The same; the others are held against the first.
        plan: How they were measured.
    """
    first = plan.contrast(references[0].volume.anatomy) if plan.contrast else None
    for number, scan in enumerate((query, *references)):
        anatomy = scan.volume.anatomy
        differs = Code.CONTRAST_DIFFERS in [problem.code for problem in anatomy.problems]
        if plan.contrast and not differs:
            own = plan.contrast(anatomy)
            differs = first is None or own is None or own.differs(first)
        if differs:
            which = "It is the scan that is examined." if number == 0 else f"It is reference {number}."
            return Problem(Code.CONTRAST_DIFFERS, which)
    return None
