"""Opens the files of a study: ordinary ones only, and reads no more of them than was agreed."""

from __future__ import annotations

import gzip
import io
import os
import stat
import sys
import zlib
from pathlib import Path
from typing import Protocol

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.files.limits import HEADER_VARIABLE, limits

_BLOCK = 2**16
_INFLATED_AT_ONCE = 2**22
_READ = 1024
_read = io.BufferedReader.read  # called for every element: looked up once
# Windows has no pipes among its files, and needs to be told that they are binary.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def open_file(path: Path) -> io.BufferedReader:
    """Opens an ordinary file for reading.

    Raises:
        OSError: If the system does not open it.
        StudyError: ``PATH_UNREADABLE`` for a pipe, a device or a folder: reading such a thing
            could last for ever.
    """
    return io.BufferedReader(io.FileIO(path, opener=_open))


def is_file(path: Path) -> bool:
    """Whether there is an ordinary file, or a link to one; False where that cannot be found out."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that is too long, or holds a null character
        return False


class Deflated(Exception):  # noqa: N818 - not an error: how a `BoundedFile` says what it holds
    """The rest of a file was asked for at once, as pydicom does to inflate it."""


class BoundedFile(io.BufferedReader):
    """An ordinary file of which only so much can be read.

    Args:
        path: The file.
        allowed: Bytes that may be read in all. Skipped ones do not count; each read counts a
            KiB more, since a few bytes of a header make an object of that size.

    Attributes:
        length: Bytes of the file.

    Raises:
        OSError: If the system does not open it.
        StudyError: As `open_file`.
    """

    def __init__(self, path: Path, allowed: int) -> None:
        raw = io.FileIO(str(path), opener=_open)  # pydicom takes its name for a path if it is text
        super().__init__(raw)
        self.length = os.fstat(raw.fileno()).st_size
        self._allowed = allowed

    def read(self, size: int | None = -1, /) -> bytes:
        """Reads up to ``size`` bytes.

        Raises:
            Deflated: If no size is given.
            StudyError: ``TOO_LARGE`` if more was read than is allowed.
        """
        if size is None or size < 0:
            raise Deflated
        if size > _BLOCK:
            # A length that is only claimed takes no memory.
            size = max(0, min(size, self.length - self.tell()))
        self._allowed -= size + _READ
        if self._allowed < 0:
            raise _too_long()
        return _read(self, size)


class Inflated:
    """A raw deflate stream as a file that can be read, of which only so much is inflated.

    Args:
        file: Positioned where the stream begins.
        allowed: Bytes that it may inflate to.
    """

    def __init__(self, file: Readable, allowed: int) -> None:
        self._file = file
        self._allowed = allowed
        self._reads = allowed // _READ
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        self._inflated = bytearray()
        self._position = 0

    def read(self, size: int) -> bytes:
        """Reads up to ``size`` bytes.

        Raises:
            StudyError: ``TOO_LARGE`` if it inflates to more than is allowed.
            zlib.error: If the stream is damaged.
        """
        self._reads -= 1
        if self._reads < 0:
            raise _too_long()
        stop = self._position + size
        self._inflate(stop)
        read = bytes(memoryview(self._inflated)[self._position : stop])
        self._position += len(read)
        return read

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Moves on or back; from the start, or from where it is."""
        self._position = offset + (self._position if whence == os.SEEK_CUR else 0)
        return self._position

    def tell(self) -> int:
        """Returns the position in what is inflated."""
        return self._position

    def _inflate(self, stop: int) -> None:
        """Inflates up to a position, or to the end of the stream."""
        while len(self._inflated) < stop and not self._inflater.eof:
            packed = self._inflater.unconsumed_tail or self._file.read(_BLOCK)
            if not packed:
                return
            self._inflated += self._inflater.decompress(packed, _BLOCK)
            if len(self._inflated) > self._allowed:
                raise _too_long()


class BoundedGzip(gzip.GzipFile):
    """A gzip file of which only so much is inflated.

    Args:
        path: The file.
        cancel: Stops the reading.

    Attributes:
        allowed: Bytes up to which it may be read; at first those of a header.

    Raises:
        OSError: If the system does not open it.
        StudyError: As `open_file`.
    """

    def __init__(self, path: Path, cancel: CancelToken) -> None:
        self._packed = open_file(path)
        super().__init__(fileobj=self._packed, mode="rb")
        self._cancel = cancel
        self.allowed = limits().header

    def read(self, size: int | None = -1) -> bytes:
        """Reads up to ``size`` bytes, or to the end.

        Raises:
            StudyError: ``TOO_LARGE`` if there is more than is allowed.
            Cancelled: If a stop was asked for.
        """
        blocks = []
        left = sys.maxsize if size is None or size < 0 else size
        while left:
            self._cancel.check()
            block = super().read(min(left, _INFLATED_AT_ONCE))
            if not block:
                break
            if self.tell() > self.allowed:
                raise _too_long()
            blocks.append(block)
            left -= len(block)
        return blocks[0] if len(blocks) == 1 else b"".join(blocks)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Goes to a position, which inflates everything before it."""
        if whence == io.SEEK_SET and offset > self.allowed:
            raise _too_long()
        return super().seek(offset, whence)

    def close(self) -> None:
        """Closes the file."""
        super().close()
        self._packed.close()


class Readable(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """Reads up to ``size`` bytes; none at the end."""


def _open(path: str, flags: int) -> int:
    # Without O_NONBLOCK, opening a pipe waits until somebody writes to it.
    descriptor = os.open(path, _FLAGS)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise StudyError(Code.PATH_UNREADABLE, "It is a pipe, a device or a folder, not a file.")
    return descriptor


def _too_long() -> StudyError:
    allowed = limits().header / 2**20
    return StudyError(
        Code.TOO_LARGE,
        f"It holds more than it should; {HEADER_VARIABLE} sets the limit, now {allowed:.0f} MiB.",
    )
