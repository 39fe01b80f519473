"""Reads and writes session files: one safetensors file with JSON in its header, and nothing that runs."""

from __future__ import annotations

import json
import shutil
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import safetensors
from safetensors import SafetensorError

from napari_d24fad.atomic import atomic_file, recover
from napari_d24fad.errors import Code, SessionError, StudyError
from napari_d24fad.session.arrays import Array, put_together, take_apart
from napari_d24fad.session.saved.document import NAME, SCHEMA, Document
from napari_d24fad.session.saved.seal import seal_of
from napari_d24fad.studies.files.bounded import is_file

if TYPE_CHECKING:
    from pydantic import TypeAdapter

SUFFIX = ".d24fad"
_LONGEST_HEADER = 2**26
_LENGTH = 8
_TEXT = "session"
_FAULTS = (SafetensorError, OSError, LookupError, ValueError, TypeError, AttributeError, RecursionError)
"""What a damaged file, or one that was made up, can raise."""


_SPOOLED = 2**26
_TYPES = {1: "U8", 2: "I16", 4: "I32", 8: "I64"}


class SessionWriter:
    """A session that is being written: its arrays as they come, so that few are in memory; its text last."""

    def __init__(self, staged: Path, spool: IO[bytes]) -> None:
        self._staged, self._spool = staged, spool
        self._notes: dict[str, Any] = {}
        self._parts: dict[str, Any] = {}

    def add(self, arrays: Mapping[str, Array]) -> None:
        """Writes arrays; their names are not used again."""
        for name, array in arrays.items():
            note, own = take_apart(array)
            self._notes[name] = {**note, "crc32": {each: zlib.crc32(part.data) for each, part in own.items()}}
            for each, part in own.items():
                begin = self._spool.tell()
                self._spool.write(part.data)
                self._parts[f"{name} {each}"] = {
                    "dtype": _TYPES[part.itemsize],
                    "shape": [part.size],
                    "data_offsets": [begin, self._spool.tell()],
                }

    def finish(self, document: Document, *, seal: bool = True) -> None:
        """Writes what the session says; the file is whole then.

        Args:
            document: What it says.
            seal: Whether the user chose all paths in it; see `seal_of`.
        """
        from pydantic_core import to_json  # slow to import

        sealed = replace(document, seal=seal_of(document) if seal else "")
        said = {"schema": f"{NAME}/{SCHEMA}", "document": sealed, "arrays": self._notes}
        text = to_json(said, inf_nan_mode="strings").decode()
        # The layout of safetensors, whose own writer takes all arrays at once.
        header = json.dumps({"__metadata__": {_TEXT: text}, **self._parts}).encode()
        header += b" " * (-len(header) % _LENGTH)
        self._spool.seek(0)
        with self._staged.open("wb") as file:
            file.write(len(header).to_bytes(_LENGTH, "little"))
            file.write(header)
            shutil.copyfileobj(self._spool, file)


@contextmanager
def session_writer(path: Path, *, private: bool = False) -> Iterator[SessionWriter]:
    """Yields a writer of a session; an older file is replaced only when the new one is whole.

    Args:
        path: The file.
        private: Whether only this user may read it; see `atomic_file`.

    Raises:
        ExportError: ``CANNOT_WRITE`` if the system refuses.
    """
    with (
        atomic_file(path, private=private) as staged,
        tempfile.SpooledTemporaryFile(_SPOOLED, dir=str(staged.parent)) as spool,
    ):
        yield SessionWriter(staged, spool)


def write_document(document: Document, arrays: Mapping[str, Array], path: Path) -> None:
    """Writes a session whose arrays are all there; see `session_writer`."""
    with session_writer(path) as writer:
        writer.add(arrays)
        writer.finish(document)


class StoredArrays(Mapping[str, Array]):
    """The arrays of a session file, each read when it is asked for.

    Raises:
        SessionError: ``SESSION_BROKEN``, also of a single array.
    """

    def __init__(self, stored: Any, notes: Mapping[str, Any]) -> None:
        self._stored, self._notes = stored, notes

    def __getitem__(self, name: str) -> Array:
        note = self._notes[name]
        try:
            own = {each: self._stored.get_tensor(f"{name} {each}") for each in note["crc32"]}
            if any(zlib.crc32(part.data) != note["crc32"][each] for each, part in own.items()):
                raise ValueError("It was damaged.")
            return put_together(note, own)
        except _FAULTS as error:
            raise SessionError(Code.SESSION_BROKEN) from error

    def __iter__(self) -> Iterator[str]:
        return iter(self._notes)

    def __len__(self) -> int:
        return len(self._notes)


def read_document(path: Path) -> tuple[Document, StoredArrays]:
    """Reads what a session says; nothing that it names is looked at.

    Returns:
        The document, and its arrays, which are read when they are asked for: the file must stay as it is.

    Raises:
        StudyError: ``PATH_MISSING``, ``PATH_UNREADABLE``.
        SessionError: ``SESSION_BROKEN``; ``SESSION_NEWER``, if a later version wrote it.
    """
    recover(path.parent)
    _check_header(path)
    said, arrays = _opened(path)
    try:
        return _document(said), arrays
    except _FAULTS as error:
        # Also of pydantic, whose errors are ValueErrors.
        raise SessionError(Code.SESSION_BROKEN) from error


def read_arrays(path: Path) -> StoredArrays:
    """Returns the arrays of a file that this program wrote; see `read_document`."""
    return _opened(path)[1]


def _opened(path: Path) -> tuple[dict[str, Any], StoredArrays]:
    try:
        stored: Any = safetensors.safe_open(path, framework="np")
        said = _said(stored.metadata())
        notes = {name: {**note, "crc32": dict(note["crc32"])} for name, note in said["arrays"].items()}
    except _FAULTS as error:
        raise SessionError(Code.SESSION_BROKEN) from error
    return said, StoredArrays(stored, notes)


def read_header(path: Path) -> Document:
    """Reads what a session says, without its arrays; raises what `read_document` raises."""
    recover(path.parent)
    _check_header(path)
    try:
        with safetensors.safe_open(path, framework="np") as stored:
            said = _said(stored.metadata())
        return _document(said)
    except _FAULTS as error:
        raise SessionError(Code.SESSION_BROKEN) from error


def _check_header(path: Path) -> None:
    try:
        if not path.exists():
            raise StudyError(Code.PATH_MISSING)
        if not is_file(path):  # opening a pipe would wait
            raise SessionError(Code.SESSION_BROKEN)
        with path.open("rb") as file:
            length = int.from_bytes(file.read(_LENGTH), "little")
    except OSError:
        raise StudyError(Code.PATH_UNREADABLE) from None
    if length > _LONGEST_HEADER:  # it would all be taken into memory
        raise SessionError(Code.SESSION_BROKEN)


def _said(texts: Mapping[str, str] | None) -> dict[str, Any]:
    """Returns what is said in the header, if this version can read it."""
    said: dict[str, Any] = json.loads((texts or {})[_TEXT])
    name, _, number = said["schema"].partition("/")
    if name != NAME:
        raise ValueError("It is something else.")
    if int(number) > SCHEMA:
        raise SessionError(Code.SESSION_NEWER)
    return said


def _document(said: Mapping[str, Any]) -> Document:
    return _checker().validate_python(said["document"])


@cache
def _checker() -> TypeAdapter[Document]:
    """Returns what checks a document, which takes long to make."""
    from pydantic import TypeAdapter  # slow to import

    return TypeAdapter(Document)
