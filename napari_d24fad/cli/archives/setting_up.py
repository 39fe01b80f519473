"""``d24fad archives``: which archives there are, and how they are reached."""

from __future__ import annotations

import getpass
import re
import sys
from argparse import Namespace
from dataclasses import asdict
from pathlib import Path

from napari_d24fad.archives.archive import OWN_AE_TITLE, Archive
from napari_d24fad.archives.kept import archive_named, archives, keep_archive, remove_archive
from napari_d24fad.archives.passwords import forget_password, keep_password, password_of, password_variable
from napari_d24fad.archives.peer import connect
from napari_d24fad.cli.arguments import Parser, add_command, add_json
from napari_d24fad.cli.console import table
from napari_d24fad.errors import ArgumentError, Code
from napari_d24fad.export.report import as_json
from napari_d24fad.progress import CancelToken

SCHEMA = "d24fad-archives/1"

_NODE = re.compile(r"(?P<title>[^@]+)@(?P<host>[^@]+):(?P<port>\d{1,5})")


def add_options(command: Parser) -> None:
    """Adds the options of ``archives``."""
    actions = command.add_subparsers(dest="action", metavar="ACTION", required=True)
    adding = add_command(actions, "add", "set up an archive, or change one")
    _add_name(adding)
    where = adding.add_mutually_exclusive_group(required=True)
    where.add_argument("--url", metavar="URL", help="address of its DICOMweb services: https://...")
    where.add_argument("--dicom", metavar="AE@HOST:PORT", help="its DIMSE services: AE title, host and port")
    adding.add_argument(
        "--aet", default=OWN_AE_TITLE, metavar="TITLE", help=f"AE title of this program ({OWN_AE_TITLE})"
    )
    adding.add_argument(
        "--listen",
        type=int,
        default=0,
        metavar="PORT",
        help="retrieve with C-MOVE to this port, for archives without C-GET",
    )
    adding.add_argument("--tls", action="store_true", help="encrypt DIMSE")
    adding.add_argument(
        "--ca", type=Path, metavar="FILE", help="certificate (PEM) of the authority that vouches for it"
    )
    adding.add_argument("--user", default="", metavar="NAME", help="user name; the password is asked for")
    adding.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    adding.add_argument(
        "--allow-unencrypted",
        action="store_true",
        help="speak to another machine without encryption: whoever is on the way can read patients' data",
    )
    add_json(add_command(actions, "list", "list the archives"))
    _add_name(add_command(actions, "test", "try whether an archive answers and accepts this program"))
    _add_name(add_command(actions, "remove", "forget an archive and its password"))


def run(arguments: Namespace) -> None:
    """Does what ``d24fad archives ACTION`` asks.

    Raises:
        ArchiveError: See `archives.kept`, `archives.passwords` and `archives.peer`.
        ArgumentError: See `archives.archive`.
    """
    {"add": _add, "list": _list, "test": _test, "remove": _remove}[arguments.action](arguments)


def _add_name(command: Parser) -> None:
    command.add_argument("name", metavar="NAME")


def _add(arguments: Namespace) -> None:
    node = _NODE.fullmatch(arguments.dicom or "")
    if arguments.dicom and node is None:
        raise ArgumentError(Code.BAD_ARGUMENT, "DIMSE services are given as AE@HOST:PORT.")
    if arguments.ca is not None and not arguments.ca.is_file():
        raise ArgumentError(Code.BAD_ARGUMENT, "There is no file of a certificate where --ca points to.")
    archive = Archive(
        name=arguments.name,
        url=arguments.url or "",
        host=node["host"] if node else "",
        port=int(node["port"]) if node else 0,
        ae_title=node["title"] if node else "",
        own_ae_title=arguments.aet,
        listen=arguments.listen,
        tls=arguments.tls,
        authority="" if arguments.ca is None else str(arguments.ca.resolve()),
        user=arguments.user,
        unencrypted=arguments.allow_unencrypted,
    )
    archive.check_encrypted()
    password = _asked_password(arguments) if archive.user else ""
    keep_archive(archive)
    if password:
        keep_password(archive, password)
    elif archive.user:
        print(f"The password is taken from the environment variable {password_variable(archive.name)}.")
    print(f"{archive.name} is set up. Try it with: d24fad archives test {archive.name}")


def _asked_password(arguments: Namespace) -> str:
    """Returns the password; never from an argument, which every user of the machine could read."""
    if arguments.password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if sys.stdin.isatty():
        return getpass.getpass(f"Password of {arguments.user}: ")
    return ""


def _list(arguments: Namespace) -> None:
    listed = archives()
    if arguments.json:
        print(as_json({"schema": SCHEMA, "archives": [asdict(archive) for archive in listed]}))
        return
    rows = [
        [archive.name, "DICOMweb" if archive.is_web else "DIMSE", archive.place, archive.user, _kind(archive)]
        for archive in listed
    ]
    print(
        table(["Archive", "Speaks", "Where", "User", "Connection"], rows) if rows else "No archive is set up."
    )


def _kind(archive: Archive) -> str:
    if archive.is_encrypted:
        return "encrypted"
    return "this machine" if archive.is_local else "NOT ENCRYPTED"


def _test(arguments: Namespace) -> None:
    archive = archive_named(arguments.name)
    peer = connect(archive, password_of(archive), CancelToken())
    try:
        peer.check()
    finally:
        peer.close()
    print(f"{archive.name} answers.")


def _remove(arguments: Namespace) -> None:
    archive = archive_named(arguments.name)
    remove_archive(archive.name)
    forget_password(archive)
    print(f"{archive.name} is forgotten.")
