"""Studies of an archive as cases: found by the program that begins the cohort, fetched by the worker."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl

from napari_d24fad.archives.fetching import fetch, studies_to_fetch
from napari_d24fad.archives.found import Wanted
from napari_d24fad.archives.kept import archive_named
from napari_d24fad.archives.passwords import password_of
from napari_d24fad.archives.peer import Peer, connect
from napari_d24fad.cohort.item import Item
from napari_d24fad.errors import ArgumentError, Code
from napari_d24fad.progress import CancelToken

PREFIX = "archive:"
_NAMES = ("patient", "date", "modality", "study")


def archive_of(query: str) -> str:
    """Returns the name of the archive of a query such as ``archive:NAME?date=20260101-&modality=CT``."""
    return query.removeprefix(PREFIX).partition("?")[0]


def studies_of(query: str) -> list[Item]:
    """Asks an archive which studies there are; fetches none.

    Args:
        query: ``archive:NAME?patient=ID&date=DAY-DAY&modality=NAME&study=UID``, one of them at least.

    Raises:
        ArgumentError: BAD_ARGUMENT if the query is none.
        ArchiveError: See `studies_to_fetch`.
    """
    stated = dict(parse_qsl(query.partition("?")[2]))
    if not stated or not stated.keys() <= set(_NAMES):
        told = f"A query of an archive is {PREFIX}NAME?date=DAY-DAY, with {', '.join(_NAMES)} joined by &."
        raise ArgumentError(Code.BAD_ARGUMENT, told)
    wanted = Wanted(
        patient_id=stated.get("patient", ""),
        date=stated.get("date", ""),
        modality=stated.get("modality", ""),
        study=stated.get("study", ""),
    )
    peer = _peer(archive_of(query))
    try:
        uids = sorted({study.uid for study in peer.studies(wanted)})
    finally:
        peer.close()
    return [Item(number, study=uid) for number, uid in enumerate(uids, start=1)]


def fetched_study(archive: str, uid: str, folder: Path) -> Path:
    """Fetches a study as a whole, unless it is there already.

    Args:
        archive: Its name.
        uid: Study Instance UID.
        folder: The study gets a folder in it.

    Returns:
        The folder of the study.

    Raises:
        ArchiveError: See `fetch`.
    """
    peer = _peer(archive)
    try:
        (series,) = studies_to_fetch(peer, Wanted(study=uid))
        return fetch(peer, series, folder).folder
    finally:
        peer.close()


def _peer(name: str) -> Peer:
    archive = archive_named(name)
    return connect(archive, password_of(archive), CancelToken())
