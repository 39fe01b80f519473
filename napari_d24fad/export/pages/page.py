"""What stands on a report page, in words and pictures; PDF and HTML say the same."""

from __future__ import annotations

from dataclasses import dataclass, field

from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.export.anatomy import slice_number
from napari_d24fad.export.overlay import model_text, series_text
from napari_d24fad.export.pages.entry import CaseEntry
from napari_d24fad.export.pages.pictures import Picture, Pictures
from napari_d24fad.export.windows import windows_text
from napari_d24fad.findings.finding import Finding, Verdict
from napari_d24fad.findings.words import (
    LIKE_THE_REFERENCES,
    limits,
    measurement_words,
    p_words,
    scan_words,
    score_words,
    side_words,
    size_words,
)
from napari_d24fad.studies.scan import Scan
from napari_d24fad.version import __version__

_SHEET = 16
_SHA_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Row:
    """A finding in words, as a line of the table."""

    number: int
    verdict: str
    label: str
    where: str
    size: str
    score: str
    departs: str
    measured: str
    note: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Page:
    """A case in words and pictures.

    Attributes:
        title: What the scan is.
        statement: What is said of it as a whole.
        rows: Its findings, the accepted first, without the rejected.
        measured: What was measured beside the findings.
        key_slices: Each plain and with what was found.
        sheet: Slices evenly through the scan.
        colours: The colour scale; None without pictures.
        references: What it was compared with.
        limits: What limits the statement.
        warnings: What else must be known.
        made: What it was made with, by name.
    """

    title: str
    statement: tuple[str, ...]
    rows: tuple[Row, ...]
    measured: tuple[str, ...]
    key_slices: tuple[tuple[Picture, Picture], ...] = field(repr=False)
    sheet: tuple[Picture, ...] = field(repr=False)
    colours: Picture | None = field(repr=False)
    references: tuple[str, ...]
    limits: tuple[str, ...]
    warnings: tuple[str, ...]
    made: tuple[tuple[str, str], ...]


def page_of(entry: CaseEntry) -> Page:
    """Puts a case in words and pictures; without pictures where its scan has no pixels."""
    found = entry.found
    pictures = Pictures(entry) if found.scan.has_pixels else None
    loose = (each for each in entry.findings.measurements if not each.finding)
    limited = limits(found.anomaly)
    others = (str(problem).partition(": ")[2] for problem in found.anomaly.warnings)
    told = (str(problem) for problem in found.scan.problems)
    return Page(
        title=series_text(found.scan, found.label),
        statement=_statement(entry),
        rows=tuple(_row(entry, each) for each in _accepted_first(entry)),
        measured=tuple(measurement_words(each, found.scan) for each in loose),
        key_slices=() if pictures is None else tuple(pictures.key_slices()),
        sheet=() if pictures is None else tuple(pictures.contact_sheet(_SHEET)),
        colours=None if pictures is None else pictures.colour_bar(),
        references=_references(entry),
        limits=limited,
        warnings=(*entry.problems, *(each for each in (*others, *told) if each not in limited)),
        made=_made(entry, "" if pictures is None else pictures.words),
    )


def slices_words(finding: Finding, scan: Scan) -> str:
    """Says which slices a finding takes, numbered as the viewer does, such as ``"slice 12 (10 to 15)"``."""
    if not scan.is_volume:
        return ""
    at = slice_number(scan, finding.slice_index)
    first, last = sorted(slice_number(scan, index) for index in finding.region.slices)
    return f"slice {at}" if first == last else f"slice {at} ({first} to {last})"


def _statement(entry: CaseEntry) -> tuple[str, ...]:
    anomaly, shown = entry.found.anomaly, entry.findings.shown
    words = scan_words(anomaly)
    subject = (
        "The scan as a whole is" if words == LIKE_THE_REFERENCES else "The score of the scan as a whole is"
    )
    p_value = p_words(anomaly.p_value)
    said = [f"{subject} {words}{f' ({p_value})' if p_value else ''}."]
    accepted = sum(each.verdict is Verdict.ACCEPTED for each in shown)
    number = "1 finding" if len(shown) == 1 else f"{len(shown)} findings"
    if not shown:
        said.append("No finding is shown.")
    elif accepted == 0:
        said.append(f"{number}, not decided on by a reader.")
    elif accepted == len(shown):
        said.append(f"{number}, accepted.")
    else:
        said.append(f"{number}: {accepted} accepted, {len(shown) - accepted} not decided on.")
    if not anomaly.regions:
        said.append("No place is above the level at which a normal scan shows one region on average.")
    if anomaly.region is not None:
        said.append(str(anomaly.region))
    if anomaly.examples is not None:
        said.append(str(anomaly.examples))
    if not entry.found.scan.has_pixels:
        said.append("The scan was not opened, so there are no pictures.")
    return tuple(said)


def _accepted_first(entry: CaseEntry) -> list[Finding]:
    """Returns what is shown in the order of the table, of which a page may have room for the first only."""
    return sorted(entry.findings.shown, key=lambda each: each.verdict is not Verdict.ACCEPTED)


def _row(entry: CaseEntry, finding: Finding) -> Row:
    scan, anomaly, region = entry.found.scan, entry.found.anomaly, finding.region
    own = (each for each in entry.findings.measurements if each.finding == finding.number)
    p_value = p_words(region.p_value)
    score = score_words(finding, anomaly)
    beside = f"map of {finding.beside}" if finding.beside else ""
    where = ", ".join(filter(None, (side_words(finding), slices_words(finding, scan), beside)))
    departs = region.meaning or ("marked by hand" if finding.by_hand else "")
    return Row(
        number=finding.number,
        verdict={Verdict.UNDECIDED: "not decided"}.get(finding.verdict, finding.verdict.value),
        label=finding.label,
        where=where,
        size=size_words(finding),
        score=f"{score} ({p_value})" if p_value else score,
        departs=departs,
        measured="; ".join(measurement_words(each, scan) for each in own),
        note=finding.note,
    )


def _references(entry: CaseEntry) -> tuple[str, ...]:
    labels = entry.found.reference_labels
    shares = entry.shares or (1.0,) * len(labels)
    flagged = {check.index for check in entry.found.anomaly.reference_checks if check.flagged}
    return tuple(
        label
        + (f", counts {share:.0%}" if share != 1 else "")
        + (", differs from the others" if at in flagged else "")
        for at, (label, share) in enumerate(zip(labels, shares, strict=True))
    )


def _made(entry: CaseEntry, pictures: str) -> tuple[tuple[str, str], ...]:
    anomaly = entry.found.anomaly
    windows = windows_text(entry.found.scan, anomaly, entry.found.ct_windows)
    named = (
        ("Method", model_text(anomaly)),
        ("Examples", "" if anomaly.examples is None else str(anomaly.examples)),
        ("Compared", windows.removeprefix("examined ")),
        ("Pictures", pictures),
        ("Anatomy", anomaly.anatomy),
        ("Map", _map_words(anomaly)),
        ("Model", f"SHA-256 {anomaly.model_sha256[:_SHA_DIGITS]}…"),
        ("Computed on", anomaly.device),
        ("Software", f"napari-d24fad {__version__}"),
    )
    return tuple((name, words) for name, words in named if words)


def _map_words(anomaly: AnomalyMap) -> str:
    return f"regions at or above {anomaly.level_one_region:.3g}; score of the scan {anomaly.score:.3g}"
