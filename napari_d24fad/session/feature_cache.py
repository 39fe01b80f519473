"""Keeps features on disk, by what they were computed from; the least recently used make way."""

from __future__ import annotations

import json
import os
import stat
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from napari_d24fad.atomic import PRIVATE_FILE, PRIVATE_FOLDER, atomic_file
from napari_d24fad.errors import ExportError, ModelError
from napari_d24fad.network.tensors import Tensors, map_tensors, write_tensors

_SUFFIX = ".safetensors"
_TEXT = "entry"


class FeatureCache:
    """A folder of entries, each a safetensors file named by its key.

    Entries are written whole or not at all, and checked when they are opened: one that is damaged
    is removed, as if it had never been there. Several processes may use one folder.

    Entries hold small pictures of what was encoded, so only this user may read them. What an
    earlier version left open to others is closed when the cache is opened.

    Args:
        folder: Made when something is written.
        limit: Most bytes to keep; 0 writes nothing and finds nothing.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        _close_to_others(folder)

    @property
    def keeps(self) -> bool:
        """Whether anything is kept."""
        return self._limit > 0

    def has(self, key: str) -> bool:
        """Whether there is an entry; it may still turn out to be damaged."""
        return self.keeps and self._path(key).is_file()

    def get(self, key: str) -> tuple[Tensors, dict[str, Any]] | None:
        """Returns what was kept, memory-mapped, or None.

        Args:
            key: Hexadecimal.
        """
        path = self._path(key)
        if not self.has(key):
            return None
        try:
            tensors, texts = map_tensors(path)
            content = json.loads(texts[_TEXT])
            if content.pop("crc32") != _checksums(tensors):
                raise ValueError
        except (ModelError, KeyError, ValueError, TypeError, AttributeError) as error:
            if not isinstance(error.__cause__, OSError):  # what cannot be read now is not damaged
                _remove(path)
            return None
        with suppress(OSError):  # another user's, or in a folder that cannot be written to
            os.utime(path)  # used last
        return tensors, content

    def put(self, key: str, tensors: Tensors, content: Mapping[str, Any]) -> None:
        """Keeps something; silently nothing if the disk does not take it, for it can be computed again."""
        if not self.keeps:
            return
        text = json.dumps({**content, "crc32": _checksums(tensors)})
        size = len(text) + sum(tensor.nbytes for tensor in tensors.values())
        if size > self._limit:
            return
        try:
            self._make_way(size)
            write_tensors(tensors, self._path(key), {_TEXT: text}, private=True)
        except (ExportError, ModelError, OSError):
            return

    def stored(self, key: str) -> bytes | None:
        """Returns an entry as its file has it, to be given to another cache; None if there is none."""
        try:
            return self._path(key).read_bytes() if self.has(key) else None
        except OSError:
            return None

    def take(self, key: str, content: bytes) -> None:
        """Takes an entry that was `stored`; one that is here already stays, as far as there is room."""
        if not self.keeps or self.has(key) or len(content) > self._limit:
            return
        with suppress(ExportError, OSError):
            self._make_way(len(content))
            with atomic_file(self._path(key), private=True) as staged:
                staged.write_bytes(content)

    def _make_way(self, size: int) -> None:
        entries = []
        for path in self._folder.glob(f"*{_SUFFIX}"):
            try:
                status = path.stat()
            except OSError:
                continue  # another process removed it
            entries.append((status.st_mtime_ns, status.st_size, path))
        kept = sum(each[1] for each in entries)
        for _, freed, path in sorted(entries):
            if kept + size <= self._limit:
                return
            _remove(path)
            kept -= freed

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{_SUFFIX}"


def _close_to_others(folder: Path) -> None:
    """Takes everybody else's permissions away, as far as the system lets us: it may be another user's."""
    if os.name != "posix":  # Windows keeps a user's folders to the user
        return
    with suppress(OSError):
        if folder.stat().st_mode & 0o077:
            folder.chmod(PRIVATE_FOLDER)
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode) and status.st_mode & 0o077:
                    Path(entry.path).chmod(PRIVATE_FILE)


def _checksums(tensors: Tensors) -> dict[str, int]:
    return {name: zlib.crc32(tensor.contiguous().cpu().numpy().data) for name, tensor in tensors.items()}


def _remove(path: Path) -> None:
    with suppress(OSError):  # in use, where the system does not allow that
        path.unlink(missing_ok=True)
