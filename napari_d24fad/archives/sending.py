"""Sends files to an archive, one by one, and reads back what it made of them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from napari_d24fad.archives.content import same_content
from napari_d24fad.archives.found import FoundInstance, FoundSeries
from napari_d24fad.archives.inbox import Inbox
from napari_d24fad.archives.peer import Peer
from napari_d24fad.archives.stated import Stated, stated_of
from napari_d24fad.errors import ArchiveError, Code, StudyError
from napari_d24fad.progress import CancelToken, Progress, silent

_FATAL = (Code.UNREACHABLE, Code.LOGIN_REFUSED, Code.NOT_TRUSTED, Code.STALLED, Code.CANNOT_LISTEN)

_SOMETHING_ELSE = "The archive holds something else under its identifier, or nothing."


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one file.

    Attributes:
        file: The file.
        instance: Its SOP Instance UID.
        problem: Why it is not in the archive as it was sent; empty if it is.
        compared: Whether its content was read back and is the same.
        listed: Whether the archive at least lists it, where it gives nothing back. One that only takes
            objects does neither, and its word is all there is.
        committed: Whether it committed itself to keep it; None where it does not offer that.
    """

    file: Path
    instance: str
    problem: str = ""
    compared: bool = False
    listed: bool = False
    committed: bool | None = None


def files_to_send(paths: Iterable[Path]) -> list[Path]:
    """Returns the DICOM files among files and below folders, in a stable order.

    Raises:
        StudyError: ``PATH_MISSING``, ``PATH_UNREADABLE``, or ``NOT_AN_IMAGE`` for a file that is no DICOM.
    """
    found: list[Path] = []
    for path in paths:
        try:
            if path.is_dir():
                inside = (file for file in sorted(path.rglob("*")) if file.is_file())
                found += [file for file in inside if stated_of(file) is not None]
            elif not path.exists():
                raise StudyError(Code.PATH_MISSING)
            elif stated_of(path) is None:
                raise StudyError(Code.NOT_AN_IMAGE, "Only DICOM files can be sent.")
            else:
                found.append(path)
        except OSError:
            raise StudyError(Code.PATH_UNREADABLE) from None
    if not found:
        raise StudyError(Code.NO_IMAGES, "There is no DICOM file to send.")
    return found


def send(
    peer: Peer,
    files: Sequence[Path],
    *,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> list[Sent]:
    """Sends DICOM files as they are.

    Each is read back: some archives report success for an object whose UID they hold with other content,
    and keep the old one.

    Args:
        peer: Where to.
        files: See `files_to_send`.
        progress: Told the fraction of files.
        cancel: Stops before the next file.

    Returns:
        What became of each file, in their order.

    Raises:
        ArchiveError: If the archive cannot be spoken to any more.
        Cancelled: If asked to stop.
    """
    outcomes = []
    cancel = cancel or CancelToken()
    for number, file in enumerate(files):
        cancel.check()
        progress(number / len(files), f"Sending file {number + 1} of {len(files)}")
        outcomes.append(_send_one(peer, file, cancel))
    return _committed(peer, outcomes)


def _committed(peer: Peer, outcomes: list[Sent]) -> list[Sent]:
    """Says of what is in the archive whether it commits itself to keep it."""
    there = [one for one in outcomes if not one.problem]
    stated = [stated_of(one.file) for one in there]
    kept = (
        peer.commit([FoundInstance(one.instance, one.sop_class) for one in stated if one]) if there else None
    )
    if kept is None:
        return outcomes
    return [one if one.problem else replace(one, committed=one.instance in kept) for one in outcomes]


def _send_one(peer: Peer, file: Path, cancel: CancelToken) -> Sent:
    stated = stated_of(file)
    if stated is None:
        return Sent(file, "", "It is no DICOM file any more.")
    uid = stated.instance
    try:
        if refused := peer.store(file):
            return Sent(file, uid, f"The archive refused it: {refused}.")
        return _read_back(peer, file, stated, cancel)
    except ArchiveError as error:
        if error.code in _FATAL:
            raise
        return Sent(file, uid, str(error))


def _read_back(peer: Peer, file: Path, stated: Stated, cancel: CancelToken) -> Sent:
    """Compares what the archive has under an identifier with what was sent."""
    series = FoundSeries(stated.study, stated.series)
    instance = FoundInstance(stated.instance, stated.sop_class)
    with tempfile.TemporaryDirectory() as place:
        inbox = Inbox(Path(place, "back"), stated.study, {stated.instance: stated.series}, cancel)
        try:
            peer.retrieve(series, [instance], inbox, whole=False)
        except ArchiveError as error:
            if error.code is Code.AE_REFUSED:  # it does not give anything back
                return _listed(peer, file, series, stated.instance)
            if error.code is not Code.NOT_ASKED_FOR:
                raise
        back = inbox.held.get(stated.instance)
        if back is None or not same_content(file, back):
            return Sent(
                file, stated.instance, "The archive holds something else under its identifier, or nothing."
            )
    return Sent(file, stated.instance, compared=True, listed=True)


def _listed(peer: Peer, file: Path, series: FoundSeries, uid: str) -> Sent:
    try:
        listed = any(one.uid == uid for one in peer.instances(series))
    except ArchiveError as error:
        if error.code is not Code.AE_REFUSED:
            raise
        return Sent(file, uid)
    return Sent(file, uid, listed=True) if listed else Sent(file, uid, "The archive does not list it.")
