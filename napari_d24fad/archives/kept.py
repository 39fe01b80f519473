"""The user's list of archives, kept as JSON beside other settings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter, ValidationError

from napari_d24fad.archives.archive import Archive
from napari_d24fad.atomic import atomic_file
from napari_d24fad.errors import ArchiveError, ArgumentError, Code
from napari_d24fad.settings import archives_file

_SCHEMA = "d24fad-archives/1"
_LARGEST = 2**20
_archives: TypeAdapter[list[Archive]] = TypeAdapter(list[Archive])


def archives() -> tuple[Archive, ...]:
    """Returns the archives that are set up, by name.

    Raises:
        ArgumentError: BAD_ARGUMENT if the file is damaged.
    """
    try:
        with archives_file().open("rb") as file:
            found: Any = json.loads(file.read(_LARGEST))
        if found["schema"] != _SCHEMA:
            raise ValueError
        return tuple(_archives.validate_python(found["archives"]))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError, ValidationError, ArgumentError):
        detail = "The list of archives is damaged; mend or remove the file archives.json of the settings."
        raise ArgumentError(Code.BAD_ARGUMENT, detail) from None


def archive_named(name: str) -> Archive:
    """Returns an archive.

    Raises:
        ArchiveError: ``ARCHIVE_UNKNOWN``.
    """
    for archive in archives():
        if archive.name == name:
            return archive
    raise ArchiveError(Code.ARCHIVE_UNKNOWN)


def keep_archive(archive: Archive) -> None:
    """Adds an archive to the list, or changes that of the same name.

    Raises:
        ExportError: ``CANNOT_WRITE``.
    """
    others = [one for one in archives() if one.name != archive.name]
    _write(sorted([*others, archive], key=lambda one: one.name))


def remove_archive(name: str) -> None:
    """Takes an archive off the list.

    Raises:
        ArchiveError: ``ARCHIVE_UNKNOWN``.
        ExportError: ``CANNOT_WRITE``.
    """
    archive_named(name)
    _write([one for one in archives() if one.name != name])


def _write(listed: Sequence[Archive]) -> None:
    found = {"schema": _SCHEMA, "archives": [asdict(archive) for archive in listed]}
    with atomic_file(archives_file(), private=True) as staged:
        staged.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
