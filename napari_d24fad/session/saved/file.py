"""Reads and writes session files: one safetensors file with JSON in its header, and nothing that runs."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import safetensors
import safetensors.numpy
from safetensors import SafetensorError

from napari_d24fad.atomic import atomic_file, recover
from napari_d24fad.errors import Code, SessionError, StudyError
from napari_d24fad.session.arrays import Array, put_together, take_apart
from napari_d24fad.session.saved.document import NAME, SCHEMA, Document
from napari_d24fad.session.saved.seal import seal_of
from napari_d24fad.studies.files.bounded import is_file

SUFFIX = ".d24fad"
_LONGEST_HEADER = 2**26
_LENGTH = 8
_TEXT = "session"
_FAULTS = (SafetensorError, OSError, LookupError, ValueError, TypeError, AttributeError, RecursionError)
"""What a damaged file, or one that was made up, can raise."""


def write_document(
    document: Document, arrays: Mapping[str, Array], path: Path, *, seal: bool = True, private: bool = False
) -> None:
    """Writes a session; an older file is replaced only when the new one is whole.

    Args:
        document: What it says.
        arrays: Its arrays by name.
        path: The file.
        seal: Whether the user chose all paths in it; see `seal_of`.
        private: Whether only this user may read it; see `atomic_file`.

    Raises:
        ExportError: ``CANNOT_WRITE`` if the system refuses.
    """
    from pydantic_core import to_json  # slow to import

    notes: dict[str, Any] = {}
    parts: dict[str, Array] = {}
    for name, array in arrays.items():
        note, own = take_apart(array)
        notes[name] = {**note, "crc32": {each: zlib.crc32(part.data) for each, part in own.items()}}
        parts |= {f"{name} {each}": part for each, part in own.items()}
    sealed = replace(document, seal=seal_of(document) if seal else "")
    said = {"schema": f"{NAME}/{SCHEMA}", "document": sealed, "arrays": notes}
    # One text: of several the order would be another each time.
    content = safetensors.numpy.save(parts, {_TEXT: to_json(said, inf_nan_mode="strings").decode()})
    with atomic_file(path, private=private) as staged:
        staged.write_bytes(content)


def read_document(path: Path) -> tuple[Document, dict[str, Array]]:
    """Reads a session; nothing that it names is looked at.

    Raises:
        StudyError: ``PATH_MISSING``, ``PATH_UNREADABLE``.
        SessionError: ``SESSION_BROKEN``; ``SESSION_NEWER``, if a later version wrote it.
    """
    recover(path.parent)
    _check_header(path)
    try:
        with safetensors.safe_open(path, framework="np") as stored:
            said = _said(stored.metadata())
            parts = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - no mapping
        return _document(said), _arrays(said["arrays"], parts)
    except (
        SafetensorError,
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        # Also of pydantic, whose errors are ValueErrors.
        raise SessionError(Code.SESSION_BROKEN) from error


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
    from pydantic import TypeAdapter  # slow to import

    return TypeAdapter(Document).validate_python(said["document"])


def _arrays(notes: Mapping[str, Any], parts: Mapping[str, Array]) -> dict[str, Array]:
    arrays = {}
    for name, note in notes.items():
        own = {each: parts[f"{name} {each}"] for each in note["crc32"]}
        if any(zlib.crc32(part.data) != note["crc32"][each] for each, part in own.items()):
            raise ValueError("It was damaged.")
        arrays[name] = put_together(note, own)
    return arrays
