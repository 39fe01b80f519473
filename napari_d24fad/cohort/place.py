"""The folder of a cohort: what it was begun with, and a folder for each case, there as a whole or not.

    cohort.json             what it was begun with; read by its user alone
    cases/3f0/3f09.../       row.json, thumbnail.png, case.d24fad; entered by its user alone
    begun/3f09...           one byte for each time that a case was begun and not ended
    cohort.parquet, cohort.csv, overview.html

Whether a case is done is known from the folder alone: no list of what is done can be lost, or be wrong.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_d24fad.atomic import PRIVATE_FOLDER, atomic_file, whole_folder
from napari_d24fad.cohort.row import Row
from napari_d24fad.errors import Code, CohortError, ExportError, SessionError
from napari_d24fad.staging import staging_name

SCHEMA = "d24fad-cohort/1"
HEAD_NAME, ROW_NAME, THUMBNAIL_NAME, SESSION_NAME = "cohort.json", "row.json", "thumbnail.png", "case.d24fad"
ATTEMPTS = 3
"""A case that was begun so often without coming to an end is left out."""


@dataclass(frozen=True, slots=True)
class CohortPlace:
    """The folder of a cohort; any process that sees the folder may have one.

    Attributes:
        folder: The folder.
        name: Tells this cohort from another that was begun at the same path.
        salt: See `Item.key`.
    """

    folder: Path = field(repr=False)
    name: str
    salt: bytes = field(repr=False)

    @classmethod
    def begin(cls, folder: Path, setting: Mapping[str, Any], *, resume: bool) -> CohortPlace:
        """Begins a cohort, or goes on with the one that is there.

        Of several processes that begin it at once, such as the jobs of an array, one does; the others take
        its cohort as if it had been there, if they may go on with one.

        Args:
            folder: Made if it is not there.
            setting: What results depend on, as JSON has it.
            resume: Whether to go on with a cohort that is there.

        Raises:
            CohortError: ``COHORT_IS_THERE``, ``COHORT_DIFFERS``.
            SessionError: ``SESSION_BROKEN`` if there is something else of this name.
            ExportError: ``CANNOT_WRITE``.
        """
        head, setting = folder / HEAD_NAME, json.loads(json.dumps(setting))
        made = {"schema": SCHEMA, "name": secrets.token_hex(8), "salt": secrets.token_hex(32)}
        if not head.exists():
            with atomic_file(head.with_name(f"{HEAD_NAME}.{made['name']}"), private=True) as staged:
                staged.write_text(json.dumps({**made, "setting": setting}), encoding="utf-8")
            own = head.with_name(f"{HEAD_NAME}.{made['name']}")
            try:
                os.link(own, head)  # only one process can
            except FileExistsError:
                pass
            except OSError:  # a file system without links: the last one wins before any has a case
                own.replace(head)
            finally:
                own.unlink(missing_ok=True)
        place, known = cls._read(folder)
        if place.name != made["name"]:
            if not resume:
                raise CohortError(Code.COHORT_IS_THERE)
            begun = known["setting"]
            names = [name for name in {**begun, **setting} if begun.get(name) != setting.get(name)]
            if names:
                raise CohortError(Code.COHORT_DIFFERS, f"Differing: {', '.join(sorted(names))}.")
        return place

    @classmethod
    def open(cls, folder: Path) -> CohortPlace:
        """Opens the cohort in a folder.

        Raises:
            SessionError: ``SESSION_BROKEN`` if there is none.
        """
        return cls._read(folder)[0]

    @classmethod
    def _read(cls, folder: Path) -> tuple[CohortPlace, dict[str, Any]]:
        try:
            known = json.loads((folder / HEAD_NAME).read_text(encoding="utf-8"))
            if known["schema"] != SCHEMA:
                raise ValueError("Another schema.")
            return cls(folder, str(known["name"]), bytes.fromhex(known["salt"])), known
        except (OSError, ValueError, KeyError, TypeError):
            raise SessionError(Code.SESSION_BROKEN, "It is no cohort.") from None

    def case(self, key: str) -> Path:
        """Returns the folder of a case; it need not be there."""
        return self.folder / "cases" / key[:3] / key

    def is_done(self, key: str) -> bool:
        """Whether a case came to its end, with a result or with a reason why there is none."""
        return (self.case(key) / ROW_NAME).is_file()

    @contextmanager
    def writing(self, key: str) -> Iterator[Path]:
        """Yields an empty folder, which becomes that of the case as a whole; the first of two stays.

        Raises:
            ExportError: ``CANNOT_WRITE``.
        """
        try:
            for folder in (self.folder / "cases", self.case(key).parent):
                folder.mkdir(PRIVATE_FOLDER, exist_ok=True)
        except OSError as error:
            raise ExportError(Code.CANNOT_WRITE, f"{error.strerror}.") from None
        with whole_folder(self.case(key)) as staged:
            yield staged

    def put(self, row: Row) -> None:
        """Writes the row of a case that has nothing else.

        Raises:
            ExportError: ``CANNOT_WRITE``.
        """
        with self.writing(row.case) as folder:
            (folder / ROW_NAME).write_text(row.as_json(), encoding="utf-8")

    def drop(self, key: str) -> None:
        """Removes what a case left, so that it is examined again.

        Raises:
            ExportError: ``CANNOT_WRITE``.
        """
        aside = self.case(key).with_name(staging_name(key))
        try:
            self.case(key).rename(aside)  # first, so that no half of it is ever there
            shutil.rmtree(aside)
        except OSError as error:
            raise ExportError(Code.CANNOT_WRITE, f"{error.strerror}.") from None

    def note_begun(self, key: str) -> int:
        """Notes that a case is begun; returns how often it was by now.

        Raises:
            ExportError: ``CANNOT_WRITE``.
        """
        mark = self._mark(key)
        try:
            mark.parent.mkdir(PRIVATE_FOLDER, exist_ok=True)
            with mark.open("ab") as file:
                file.write(b".")
            return mark.stat().st_size
        except OSError as error:
            raise ExportError(Code.CANNOT_WRITE, f"{error.strerror}.") from None

    def note_ended(self, key: str) -> None:
        """Notes that a case came to an end, or was stopped by its user."""
        with suppress(OSError):
            self._mark(key).unlink(missing_ok=True)

    def done(self) -> Iterator[str]:
        """Yields the cases that are done, by their hashes in order."""
        for group in sorted(self._listed(self.folder / "cases")):
            for key in sorted(self._listed(self.folder / "cases" / group)):
                if self.is_done(key):
                    yield key

    def row(self, key: str) -> Row:
        """Reads the row of a case that is done.

        Raises:
            SessionError: ``SESSION_BROKEN``.
        """
        try:
            return Row.read((self.case(key) / ROW_NAME).read_text(encoding="utf-8"))
        except (OSError, ValueError, TypeError):
            raise SessionError(Code.SESSION_BROKEN, "It is a row of the cohort.") from None

    def _mark(self, key: str) -> Path:
        return self.folder / "begun" / key

    @staticmethod
    def _listed(folder: Path) -> list[str]:
        with suppress(OSError), os.scandir(folder) as entries:
            return [entry.name for entry in entries if not entry.name.startswith(".")]
        return []
