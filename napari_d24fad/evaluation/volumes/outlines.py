"""The outlines of a task as drawn regions: each scan's own, or those of some scans carried to the others."""

from __future__ import annotations

from collections.abc import Sequence

from napari_d24fad.anatomy.carrying import Outline, carried
from napari_d24fad.anatomy.find import drawn_region
from napari_d24fad.anatomy.found import DRAWN, Anatomy
from napari_d24fad.errors import ArgumentError, Code
from napari_d24fad.evaluation.labelled import LabelledTask
from napari_d24fad.evaluation.volumes.anatomy import FindAnatomy, kept
from napari_d24fad.studies.scan import Scan

CARRIED, VOTED = "carried", "voted"


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
        return drawn_region(scan, organ, how=DRAWN)

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
    outline = [Outline(organ, first.load())]
    return lambda scan: _carried_to(scan, outline)


class VotedOutlines:
    """Finds in each reference its own outline, and in other scans a vote of those of the references.

    Args:
        task: Each of its normal scans has an outline.

    Raises:
        ArgumentError: ``BAD_ARGUMENT``, if one has none.
    """

    def __init__(self, task: LabelledTask) -> None:
        if any(scan.organ is None for scan in task.scans if not scan.abnormal):
            raise ArgumentError(Code.BAD_ARGUMENT, "--roi: TASK/anatomy holds no outline of a normal scan.")
        self._known = {scan.content: scan for scan in task.scans}
        self._outlines: list[Outline] = []
        self._find = kept(self._carry)

    def begin(self, references: Sequence[Scan]) -> None:
        """Takes the outlines of the references of a draw."""
        self._outlines = []
        for scan in references:
            organ = self._known[scan.content_hash()].load_organ()
            assert organ is not None  # asked above
            self._outlines.append(Outline(organ, scan))
        self._find = kept(self._carry)  # what was carried from others is no longer true

    def __call__(self, scan: Scan) -> Anatomy:
        """Finds the region of a scan."""
        return self._find(scan)

    def _carry(self, scan: Scan) -> Anatomy:
        return _carried_to(scan, self._outlines)


def _carried_to(scan: Scan, outlines: Sequence[Outline]) -> Anatomy:
    here = carried(outlines, scan)
    return drawn_region(scan, here.mask, how=here.how, problems=here.problems)
