"""``d24fad fetch``: studies from an archive to a folder."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from napari_d24fad.archives.fetching import Fetched, fetch, studies_to_fetch
from napari_d24fad.archives.found import Wanted
from napari_d24fad.archives.kept import archive_named
from napari_d24fad.archives.limits import checked_uid
from napari_d24fad.archives.passwords import password_of
from napari_d24fad.archives.peer import connect
from napari_d24fad.cli.arguments import Parser, add_json
from napari_d24fad.cli.console import progress_bar
from napari_d24fad.errors import ArchiveError, ArgumentError, Code
from napari_d24fad.export.report import as_json
from napari_d24fad.progress import CancelToken, part

SCHEMA = "d24fad-fetch/1"


def add_options(command: Parser) -> None:
    """Adds the options of ``fetch``."""
    command.add_argument("archive", metavar="ARCHIVE", help="see: d24fad archives list")
    command.add_argument("--study", default="", metavar="UID", help="the study of this Study Instance UID")
    command.add_argument("--patient", default="", metavar="ID", help="studies of this Patient ID")
    command.add_argument("--date", default="", metavar="DAY[-DAY]", help="studies of these days, as YYYYMMDD")
    command.add_argument("--modality", default="", metavar="NAME", help="only series of this modality")
    command.add_argument("--series", default="", metavar="UID", help="only this Series Instance UID")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to put studies into")
    add_json(command)


def run(arguments: Namespace) -> None:
    """Fetches what was asked for; each study as a whole, or not.

    Raises:
        ArchiveError: See `archives.fetching`.
        ArgumentError: BAD_ARGUMENT if nothing says which studies.
    """
    if not (arguments.study or arguments.patient or arguments.date):
        raise ArgumentError(Code.BAD_ARGUMENT, "Say which studies: --study, --patient or --date.")
    for uid in filter(None, (arguments.study, arguments.series)):
        _check_uid(uid)
    wanted = Wanted(arguments.patient, "", arguments.date, arguments.modality, arguments.study)
    archive = archive_named(arguments.archive)
    cancel = CancelToken()
    peer = connect(archive, password_of(archive), cancel)
    fetched: list[Fetched] = []
    try:
        with progress_bar() as progress:
            progress(0, "Searching")
            found = studies_to_fetch(peer, wanted, arguments.modality, arguments.series)
            for number, series in enumerate(found):
                told = part(progress, number / len(found), (number + 1) / len(found))
                fetched.append(
                    fetch(peer, series, arguments.out, archive=archive.name, progress=told, cancel=cancel)
                )
    finally:
        peer.close()
        _show(fetched, as_data=arguments.json)


def _check_uid(uid: str) -> None:
    try:
        checked_uid(uid)
    except ArchiveError:
        raise ArgumentError(Code.BAD_ARGUMENT, "A UID has digits and dots, 64 at most.") from None


def _show(fetched: list[Fetched], *, as_data: bool) -> None:
    if as_data:
        studies = [
            {
                "study": one.study,
                "folder": one.folder.name,
                "instances": one.instances,
                "resumed": one.resumed,
                "present": one.present,
                "unlisted": one.unlisted,
            }
            for one in fetched
        ]
        print(as_json({"schema": SCHEMA, "studies": studies}))
        return
    for one in fetched:
        before = f", {one.present} of them there before" if one.present else ""
        before += f", {one.resumed} of them from an earlier try" if one.resumed else ""
        print(f"{one.folder.name}: {one.instances} images{before}")
        if one.unlisted:
            print(
                f"d24fad: warning: {one.unlisted} more images came that the archive had not listed; "
                "they were not kept.",
                file=sys.stderr,
            )
