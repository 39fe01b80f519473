"""Names of files that are being written, and which of them were abandoned."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil

_NAME = re.compile(r"\.d24fad-([0-9a-f]{8})-(\d+)-[0-9a-f]{8}-")
_CLOCK_SECONDS = 2.0
_FOREIGN_SECONDS = 24 * 60 * 60.0
"""Processes of other machines cannot be asked; so long nobody writes a file without touching it."""


def staging_name(name: str) -> str:
    """Returns a hidden name for something that this process writes; it keeps the suffixes of ``name``."""
    return f".d24fad-{machine_name()}-{os.getpid()}-{uuid.uuid4().hex[:8]}-{name}"


def abandoned(folder: Path) -> Iterator[Path]:
    """Yields what lies in a folder under a `staging_name` of a process that is no more.

    Raises:
        OSError: If the folder cannot be read.
    """
    with os.scandir(folder) as entries:
        staged = [(found, Path(entry.path)) for entry in entries if (found := _NAME.match(entry.name))]
    for found, path in staged:
        try:
            written = path.stat().st_mtime
        except FileNotFoundError:
            continue  # just finished
        if not is_written(found[1], int(found[2]), written):
            yield path


def is_written(machine: str, process: int, written: float) -> bool:
    """Whether a process may still write something.

    Args:
        machine: `machine_name` of where it runs.
        process: Its number.
        written: When it wrote last, in seconds since the epoch.
    """
    if machine != machine_name():
        return time.time() - written < _FOREIGN_SECONDS
    try:
        # A process that started later only has the same number.
        return bool(psutil.Process(process).create_time() <= written + _CLOCK_SECONDS)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def machine_name() -> str:
    """A name of this machine that does not tell what it is called."""
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]
