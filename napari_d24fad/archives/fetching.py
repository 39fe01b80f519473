"""Fetches studies: into a folder of its own first, tried again where images failed, then moved as a whole."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_d24fad.archives.found import FoundInstance, FoundSeries, Wanted
from napari_d24fad.archives.inbox import Inbox, study_name
from napari_d24fad.archives.limits import BOUNDS, Bounds
from napari_d24fad.archives.peer import Peer
from napari_d24fad.archives.present import is_there
from napari_d24fad.archives.stated import same_pixels
from napari_d24fad.archives.unfinished import ASIDE, forget, note
from napari_d24fad.errors import ArchiveError, Code, ExportError
from napari_d24fad.progress import CancelToken, Progress, part, silent
from napari_d24fad.studies.files.quiet import quiet

_TRIES = 3
_PAUSE_SECONDS = 0.5
_NAMED = 5
_MOST = 0.5
"""Of a series: if more than this share is missing, it is asked for as a whole."""
_NOT_TO_BE_TRUSTED = (Code.NOT_ASKED_FOR, Code.DIFFERENT_COPY)
Arrived = Callable[[Path], None]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A study that was fetched as a whole.

    Attributes:
        study: Study Instance UID.
        folder: Where it is.
        instances: Number of its instances that were asked for; all are there.
        resumed: Those of them that an earlier try had brought.
        present: Those of them that were in the folder before: with the same pixels where they came again,
            by their list where the whole study was there.
        unlisted: Images that the archive sent and had not listed; they were not kept.
    """

    study: str
    folder: Path
    instances: int
    resumed: int = 0
    present: int = 0
    unlisted: int = 0


def studies_to_fetch(
    peer: Peer, wanted: Wanted, modality: str = "", series: str = ""
) -> list[list[FoundSeries]]:
    """Finds what is to be fetched: the series of each study that matches.

    Args:
        peer: Where.
        wanted: What the studies must have.
        modality: Only series of this one.
        series: Only the series of this UID.

    Raises:
        ArchiveError: ``NOTHING_MATCHES``, or what the archive gives reason for.
    """
    found = []
    for study in peer.studies(wanted):
        kept = [
            one
            for one in peer.series(study.uid)
            if (not modality or one.modality == modality) and (not series or one.uid == series)
        ]
        if kept:
            found.append(kept)
    if not found:
        raise ArchiveError(Code.NOTHING_MATCHES)
    return found


def fetch(
    peer: Peer,
    series: Sequence[FoundSeries],
    out: Path,
    *,
    archive: str = "",
    progress: Progress = silent,
    cancel: CancelToken | None = None,
    arrived: Arrived | None = None,
    bounds: Bounds = BOUNDS,
) -> Fetched:
    """Fetches series of one study into a folder below ``out``; all of their images, or none.

    What arrived before it failed or was stopped is kept aside, in a hidden folder of ``out``, and the next
    call for the same series goes on from there. If all images that the archive lists are in the folder
    already, none is asked for.

    Args:
        peer: Where they are.
        series: Of one study, one at least.
        out: The folder.
        archive: The name of the archive, to find an unfinished retrieval by; see `unfinished`.
        progress: Told the fraction of images.
        cancel: Stops within a fraction of a second.
        arrived: Told the file of each image as soon as it has come, and first of all one that an earlier
            try had brought; the file moves later. Not told of a study that was there.
        bounds: What is taken at most.

    Raises:
        ArchiveError: What the archive gives reason for; ``INCOMPLETE`` if images are missing in the end,
            which names them; ``DIFFERENT_COPY`` if another image of the same UID is in the folder.
        ExportError: ``CANNOT_WRITE``.
        Cancelled: If asked to stop.
    """
    cancel = cancel or CancelToken()
    study = series[0].study
    aside, target = out / _aside(study), out / study_name(study)
    listed: dict[str, list[FoundInstance]] = {}
    if not aside.exists() and is_there(peer, series, target, listed, cancel):
        progress(1.0, "All images are there")
        total = sum(len(instances) for instances in listed.values())
        return Fetched(study, target, total, present=total)
    # The answer with a whole series is complete when it holds as many images as the archive told before.
    # Then no list of them is asked for, which takes Orthanc nearly as long as sending them.
    told = [] if peer.lists_first or aside.exists() else [one for one in series if _tells(one, bounds)]
    told = [one for one in told if one.uid not in listed]
    for one in series:
        if one not in told and one.uid not in listed:
            listed[one.uid] = list(peer.instances(one))
            cancel.check()
    total = sum(one.instances for one in told) + sum(len(instances) for instances in listed.values())
    if not total:
        raise ArchiveError(Code.NOTHING_MATCHES)
    share = part(progress, 0, 0.98)

    def one_more(file: Path) -> None:
        share(min(1.0, len(inbox.held) / total), f"Image {len(inbox.held)} of {total}")
        if arrived is not None:
            arrived(file)

    wanted = {one.uid: uid for uid, instances in listed.items() for one in instances}
    inbox = Inbox(aside, study, wanted, cancel, one_more, bounds)
    if archive:
        _note(aside, archive, series)
    resumed = len(inbox.held)
    for file in list(inbox.held.values())[:1]:
        one_more(file)
    try:
        with quiet():  # once: each file alone would make all loggers forget their levels
            for one in series:
                instances = listed[one.uid] if one.uid in listed else _retrieve_told(peer, one, inbox)
                _retrieve(peer, one, instances, inbox, cancel)
    except ArchiveError as error:
        if error.code in _NOT_TO_BE_TRUSTED:
            inbox.empty()
        raise
    finally:
        inbox.close()
    total = len(inbox.held) + len(inbox.missing)
    if inbox.missing:
        raise ArchiveError(Code.INCOMPLETE, _missing(inbox.missing, total))
    progress(0.98, "Moving the images into place")
    present = _settle(inbox, aside, target)
    return Fetched(study, target, total, resumed, present, inbox.unlisted)


def _note(aside: Path, archive: str, series: Sequence[FoundSeries]) -> None:
    try:
        note(aside, archive, series)
    except OSError as error:
        raise ExportError(Code.CANNOT_WRITE, f"{error.strerror}." if error.strerror else "") from None


def _tells(series: FoundSeries, bounds: Bounds) -> bool:
    return 0 < series.instances <= bounds.instances


def _retrieve_told(peer: Peer, series: FoundSeries, inbox: Inbox) -> Sequence[FoundInstance]:
    """Asks for a series whose images were only counted; returns its images if other ones came than that."""
    inbox.open_series(series.uid)
    try:
        peer.retrieve(series, (), inbox, whole=True)
    except ArchiveError as error:
        if error.code not in (Code.UNREACHABLE, Code.BAD_ANSWER, Code.NOTHING_MATCHES):
            raise
    if inbox.count_of(series.uid) == series.instances:
        inbox.close_series(series.uid)
        return ()
    instances = peer.instances(series)
    inbox.close_series(series.uid, [one.uid for one in instances])
    return instances


def _retrieve(
    peer: Peer, series: FoundSeries, instances: Sequence[FoundInstance], inbox: Inbox, cancel: CancelToken
) -> None:
    """Asks for a series, and again for what did not come."""
    for number in range(_TRIES):
        left = [one for one in instances if one.uid not in inbox.held]
        if not left:
            return
        if number:
            _pause(number * _PAUSE_SECONDS, cancel)
        try:
            whole = number < _TRIES - 1 and len(left) > _MOST * len(instances)
            peer.retrieve(series, left, inbox, whole=whole)
        except ArchiveError as error:
            if error.code is not Code.UNREACHABLE or number == _TRIES - 1:
                raise


def _pause(seconds: float, cancel: CancelToken) -> None:
    stop = time.monotonic() + seconds
    while time.monotonic() < stop:
        cancel.check()
        time.sleep(0.05)


def _missing(uids: Sequence[str], total: int) -> str:
    more = f" and {len(uids) - _NAMED} more" if len(uids) > _NAMED else ""
    return f"Missing are {len(uids)} of {total}: {', '.join(uids[:_NAMED])}{more}."


def _aside(study: str) -> str:
    return f"{ASIDE}{hashlib.sha256(study.encode()).hexdigest()[:16]}"


def _settle(inbox: Inbox, aside: Path, target: Path) -> int:
    """Moves what arrived to its folder; returns how many of it were there before."""
    try:
        forget(aside)
        shutil.rmtree(aside / "parts", ignore_errors=True)
        if not target.exists():
            aside.rename(target)
            return 0
        places = {file: target / file.parent.name / file.name for file in inbox.held.values()}
        there = {file for file, place in places.items() if place.exists()}
        for file in there:
            if not same_pixels(file, places[file]):
                raise ArchiveError(Code.DIFFERENT_COPY, "One of them is in the folder already.")
        for file, place in places.items():
            if file not in there:
                place.parent.mkdir(exist_ok=True)
                file.replace(place)
        shutil.rmtree(aside)
        return len(there)
    except OSError as error:
        detail = f"{error.strerror}." if error.strerror else ""
        raise ExportError(Code.CANNOT_WRITE, detail) from None
