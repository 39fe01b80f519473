"""Retrievals that were stopped or broke off, and what they were to bring: they can go on after a restart."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_d24fad.archives.found import FoundSeries
from napari_d24fad.archives.limits import BOUNDS, checked_uid
from napari_d24fad.errors import ArchiveError

ASIDE = ".d24fad-fetch-"
"""How the names of folders begin that hold what has arrived of a study."""

_NOTE = "retrieval.json"
_SCHEMA = "d24fad-retrieval/1"
_LARGEST = 2**20


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A retrieval that can go on.

    Attributes:
        archive: The name of the archive.
        series: What was asked for, all of one study.
        arrived: Number of images that have arrived.
    """

    archive: str
    series: tuple[FoundSeries, ...]
    arrived: int


def note(aside: Path, archive: str, series: Sequence[FoundSeries]) -> None:
    """Writes down what is to be brought, beside what arrives.

    Raises:
        OSError: If it cannot be written.
    """
    asked = [{"series": one.uid, "instances": one.instances} for one in series]
    text = json.dumps({"schema": _SCHEMA, "archive": archive, "study": series[0].study, "asked": asked})
    (aside / _NOTE).write_text(text, encoding="utf-8")


def forget(aside: Path) -> None:
    """Removes what was written down: all has arrived."""
    (aside / _NOTE).unlink(missing_ok=True)


def unfinished(folder: Path) -> list[Unfinished]:
    """Returns the retrievals into a folder that can go on, in a stable order; none if it cannot be read."""
    try:
        places = sorted(place for place in folder.iterdir() if place.name.startswith(ASIDE))
    except OSError:
        return []
    return [found for place in places if (found := _read(place)) is not None]


def _read(aside: Path) -> Unfinished | None:
    try:
        with (aside / _NOTE).open("rb") as file:
            noted: Any = json.loads(file.read(_LARGEST))
        if noted["schema"] != _SCHEMA:
            return None
        study = checked_uid(noted["study"])
        series = tuple(
            FoundSeries(study, checked_uid(one["series"]), instances=int(one["instances"]))
            for one in noted["asked"][: BOUNDS.results]
        )
        arrived = sum(1 for _ in aside.glob("series-*/*.dcm"))
        return Unfinished(str(noted["archive"]), series, arrived) if series else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError, ArchiveError):
        return None
