"""The outlines of a task as drawn regions: each scan's own, or that of one scan carried to the others."""

from __future__ import annotations

from napari_d24fad.anatomy.carrying import carried
from napari_d24fad.anatomy.find import drawn_region
from napari_d24fad.anatomy.found import Anatomy
from napari_d24fad.errors import ArgumentError, Code
from napari_d24fad.evaluation.labelled import LabelledTask
from napari_d24fad.evaluation.volumes.anatomy import FindAnatomy
from napari_d24fad.studies.scan import Scan

CARRIED = "carried"


def own_outlines(task: LabelledTask) -> FindAnatomy:
    """Finds in each scan what ``TASK/anatomy`` outlines there.

    Args:
        task: Each of its scans has an outline.

    Raises:
        ArgumentError: ``BAD_ARGUMENT``, if one has none.
    """
    if any(scan.organ is None for scan in task.scans):
        raise ArgumentError(Code.BAD_ARGUMENT, "--roi: TASK/anatomy holds no outline of some scans.")
    known = {scan.content: scan for scan in task.scans}

    def find(scan: Scan) -> Anatomy:
        organ = known[scan.content_hash()].load_organ()
        assert organ is not None  # asked above
        return drawn_region(scan, organ, how="drawn on this scan")

    return find


def carried_outline(task: LabelledTask) -> FindAnatomy:
    """Finds in each scan the outline of the first scan of the task, carried there.

    Args:
        task: Its first scan has an outline.

    Raises:
        ArgumentError: ``BAD_ARGUMENT``, if it has none.
    """
    first = task.scans[0]
    organ = first.load_organ()
    if organ is None:
        raise ArgumentError(Code.BAD_ARGUMENT, "--roi: TASK/anatomy holds no outline of the first scan.")
    on = first.load()

    def find(scan: Scan) -> Anatomy:
        here = carried(organ, on, scan)
        return drawn_region(scan, here.mask, how=here.how, problems=here.problems)

    return find
