"""Flags cards of references that differ from the others, and of doubtful abnormal examples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from napari_d24fad.errors import PairingError
from napari_d24fad.session.request import Examination, Request
from napari_d24fad.studies.series import Series
from napari_d24fad.viewer.gallery.card import SeriesCard
from napari_d24fad.viewer.gallery.roles import Role

Reasons = Mapping[Series, str]
"""Why each scan is doubtful; empty if it is not."""


def flag(cards: Iterable[SeriesCard], reasons: Reasons, role: Role, *, may_stay: bool) -> SeriesCard | None:
    """Flags those of the cards that have a role; returns the first that says something new.

    Args:
        cards: All of them.
        reasons: Of the scans of that role.
        role: Of references or of abnormal examples.
        may_stay: Whether they can be kept; not where nothing is examined with them.
    """
    new = None
    for card in cards:
        if card.series in reasons and card.role is role:
            before = "" if card.flag.isHidden() else card.flag.text
            card.show_check(reasons[card.series], may_stay=may_stay)
            if new is None and not card.flag.isHidden() and card.flag.text != before:
                new = card
    return new


def of_references(examination: Examination) -> Reasons:
    """Returns what an examination says of each reference."""
    checks = {check.index: check.reason for check in examination.anomaly.reference_checks}
    return {series: checks.get(at, "") for at, series in enumerate(examination.request.references)}


def of_examples(examination: Examination) -> Reasons:
    """Returns what is doubtful about each abnormal example: that it looks normal, or whose it is."""
    doubts = examination.anomaly.warnings
    return {
        each.series: " ".join(problem.code.meaning for problem in doubts if problem.example == at)
        for at, each in enumerate(examination.request.abnormal)
    }


def of_refusal(error: object, request: Request | None) -> Reasons:
    """Returns which abnormal example a request was refused for, and why; empty if for something else."""
    at = error.example if isinstance(error, PairingError) else None
    if request is None or not isinstance(error, PairingError) or at is None or at >= len(request.abnormal):
        return {}
    said = " ".join(each for each in (error.code.meaning, error.detail) if each)
    return {request.abnormal[at].series: said}
