"""Model files on disk, whatever is in them: whether they are there, and their SHA-256."""

from __future__ import annotations

import hashlib
from pathlib import Path

from napari_d24fad.errors import Code, ModelError


def sha256_of(path: Path) -> str:
    """Returns the SHA-256 of a file as 64 lower-case hex digits.

    Raises:
        ModelError: MODEL_CORRUPT if the file cannot be read.
    """
    try:
        if not is_file(path):  # opening a pipe would wait
            raise ModelError(Code.MODEL_CORRUPT, "The file cannot be read.")
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        raise ModelError(Code.MODEL_CORRUPT, "The file cannot be read.") from None


def is_file(path: Path) -> bool:
    """Returns whether there is a file; False where that cannot be found out (`Path.is_file` may raise)."""
    try:
        return path.is_file()
    except OSError:
        return False
