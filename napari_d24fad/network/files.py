"""Model files on disk, whatever is in them: written whole or not at all, and known by their SHA-256."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_d24fad.errors import Code, ModelError


def sha256_of(path: Path) -> str:
    """Returns the SHA-256 of a file as 64 lower-case hex digits.

    Raises:
        ModelError: MODEL_CORRUPT if the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(Code.MODEL_CORRUPT, "The file cannot be read.") from error


def is_file(path: Path) -> bool:
    """Returns whether there is a file; False where that cannot be found out (`Path.is_file` may raise)."""
    try:
        return path.is_file()
    except OSError:
        return False


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """Yields a temporary path beside ``target`` that takes its place when the block ends well.

    After an error ``target`` is as it was before, and nothing is left beside it.

    Args:
        target: The file to write; missing folders are made.

    Raises:
        ModelError: CANNOT_WRITE for any `OSError` inside the block or around it.
    """
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise ModelError(Code.CANNOT_WRITE, "The model files were not changed.") from error
