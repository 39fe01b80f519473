"""``d24fad send``: DICOM files to an archive."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from napari_d24fad.archives.kept import archive_named
from napari_d24fad.archives.passwords import password_of
from napari_d24fad.archives.peer import connect
from napari_d24fad.archives.sending import Sent, files_to_send, send
from napari_d24fad.cli.arguments import Parser, add_json
from napari_d24fad.cli.console import progress_bar
from napari_d24fad.errors import ArchiveError, Code
from napari_d24fad.export.report import as_json
from napari_d24fad.progress import CancelToken

SCHEMA = "d24fad-send/1"
_NAMED = 5


def add_options(command: Parser) -> None:
    """Adds the options of ``send``."""
    command.add_argument("archive", metavar="ARCHIVE", help="see: d24fad archives list")
    command.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="DICOM files, or folders of them"
    )
    add_json(command)


def run(arguments: Namespace) -> None:
    """Sends files as they are, and reads back what became of them.

    Raises:
        ArchiveError: ``NOT_STORED`` if some are not there as they were sent, which names them.
        StudyError: See `archives.sending.files_to_send`.
    """
    archive = archive_named(arguments.archive)
    files = files_to_send(arguments.files)
    cancel = CancelToken()
    peer = connect(archive, password_of(archive), cancel)
    try:
        with progress_bar() as progress:
            sent = send(peer, files, progress=progress, cancel=cancel)
    finally:
        peer.close()
    _show(sent, as_data=arguments.json)
    if failed := [one for one in sent if one.problem]:
        named = "; ".join(f"{one.instance}: {one.problem}" for one in failed[:_NAMED])
        more = f" And {len(failed) - _NAMED} more." if len(failed) > _NAMED else ""
        raise ArchiveError(Code.NOT_STORED, f"{len(failed)} of {len(sent)}: {named}{more}")


def _show(sent: list[Sent], *, as_data: bool) -> None:
    if as_data:
        files = [
            {
                "instance": one.instance,
                "problem": one.problem,
                "compared": one.compared,
                "listed": one.listed,
                "committed": one.committed,
            }
            for one in sent
        ]
        print(as_json({"schema": SCHEMA, "files": files}))
        return
    there = [one for one in sent if not one.problem]
    read_back = sum(one.compared for one in there)
    print(
        f"{len(there)} of {len(sent)} files are in the archive; {read_back} were read back and are the same."
    )
