"""From a list, a folder or a query of an archive to the cases of a cohort; opens no scan."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path

from napari_d24fad.cohort.fetching import PREFIX, studies_of
from napari_d24fad.cohort.item import Item
from napari_d24fad.errors import ArgumentError, Code, StudyError
from napari_d24fad.studies.study import is_whole_scan


def items_of(what: str) -> list[Item]:
    """Returns the cases, each once, in their order.

    Args:
        what: A folder, each of whose folders, volumes and images is a case; a text file with a path in each
            line; a table (.csv) with the column ``path``, and if need be ``series`` and ``volume``; or a
            query, see `studies_of`. Paths are as seen from the list.

    Raises:
        StudyError: ``PATH_MISSING``, ``PATH_UNREADABLE``, or ``NO_IMAGES`` if there is no case.
        ArgumentError: BAD_ARGUMENT if it is none of these.
        ArchiveError: See `studies_of`.
    """
    if what.startswith(PREFIX):
        return studies_of(what)
    place = Path(what)
    try:
        if not place.exists():
            raise StudyError(Code.PATH_MISSING)
        found = _in_folder(place) if place.is_dir() else _in_list(place)
        items = {(each.place, each.series, each.volume): each for each in found}
    except OSError:
        raise StudyError(Code.PATH_UNREADABLE) from None
    except UnicodeDecodeError:
        raise ArgumentError(Code.BAD_ARGUMENT, "A list of cases is text (UTF-8).") from None
    if not items:
        raise StudyError(Code.NO_IMAGES)
    return list(items.values())


def _in_folder(folder: Path) -> Iterator[Item]:
    with os.scandir(folder) as entries:
        names = sorted(
            entry.name
            for entry in entries
            if not entry.name.startswith(".") and (entry.is_dir() or is_whole_scan(Path(entry.path)))
        )
    absolute = os.path.abspath(folder)  # noqa: PTH100 - a link stays a link, or its target could not change
    places = [os.path.join(absolute, name) for name in names] or [absolute]  # noqa: PTH118 - a million of them
    for number, place in enumerate(places, start=1):
        yield Item(number, place)


def _in_list(file: Path) -> Iterator[Item]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        if file.suffix.lower() == ".csv":
            yield from _in_table(csv.DictReader(lines), file.absolute().parent)
            return
        paths = (line.strip() for line in lines)
        for number, path in enumerate(filter(None, paths), start=1):
            yield Item(number, str(file.absolute().parent / path))


def _in_table(rows: csv.DictReader[str], folder: Path) -> Iterator[Item]:
    if "path" not in (rows.fieldnames or ()):
        raise ArgumentError(Code.BAD_ARGUMENT, "A table of cases has a column path.")
    for number, row in enumerate(rows, start=1):
        path = (row["path"] or "").strip()
        if path:
            chosen = (_whole(row, "series", number), _whole(row, "volume", number))
            yield Item(number, str(folder / path), series=chosen[0], volume=chosen[1])


def _whole(row: dict[str, str], name: str, number: int) -> int:
    text = (row.get(name) or "").strip()
    if text and not (text.isascii() and text.isdigit()):
        raise ArgumentError(Code.BAD_ARGUMENT, f"Row {number}: {name} is a whole number, or empty.")
    return int(text or 0)
