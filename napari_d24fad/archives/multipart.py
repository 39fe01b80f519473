"""Takes an answer of many parts (RFC 2046) apart as it comes; no part is held in memory."""

from __future__ import annotations

from collections.abc import Iterable
from email.message import Message
from typing import Protocol

from napari_d24fad.errors import ArchiveError, Code

_LONGEST_HEADER = 2**14
_LONGEST_PREAMBLE = 2**16
_LONGEST_BOUNDARY = 200


class Sink(Protocol):
    """Where parts go to, one after the other."""

    def begin(self) -> None:
        """A part begins."""

    def write(self, data: bytes) -> None:
        """More bytes of it."""

    def end(self) -> None:
        """It is complete. A part that is not is never ended."""


def boundary_of(content_type: str) -> bytes:
    """Returns what parts are separated by; empty for an answer that is no multipart.

    Args:
        content_type: The header of the answer.

    Raises:
        ArchiveError: ``BAD_ANSWER`` if it is one, and does not tell.
    """
    header = Message()
    header["Content-Type"] = content_type
    if header.get_content_maintype() != "multipart":
        return b""
    boundary = header.get_boundary("")
    if not boundary or len(boundary) > _LONGEST_BOUNDARY or not boundary.isascii():
        raise ArchiveError(Code.BAD_ANSWER, "It does not tell where an image ends.")
    return boundary.encode()


def take_apart(chunks: Iterable[bytes], boundary: bytes, sink: Sink) -> bool:
    """Hands the parts of an answer to a sink.

    Args:
        chunks: The body as it comes.
        boundary: See `boundary_of`.
        sink: Gets the parts.

    Returns:
        Whether the answer was complete.

    Raises:
        ArchiveError: ``BAD_ANSWER`` if a header, or what precedes the first part, has no end.
    """
    delimiter = b"\r\n--" + boundary
    buffer = bytearray(b"\r\n")  # the first delimiter may stand at the very start
    inside = False
    for chunk in chunks:
        buffer += chunk
        while True:
            if inside:
                inside = not _body(buffer, delimiter, sink)
                if inside:
                    break
            begun = _header(buffer, delimiter)
            if begun is None:
                return True
            if not begun:
                break
            sink.begin()
            inside = True
    return False


def _body(buffer: bytearray, delimiter: bytes, sink: Sink) -> bool:
    """Hands over what is surely of the part; returns whether that is its end."""
    at = buffer.find(delimiter)
    sure = at if at >= 0 else max(0, len(buffer) - len(delimiter) + 1)
    if sure:
        with memoryview(buffer) as view:
            sink.write(bytes(view[:sure]))
        del buffer[:sure]
    if at < 0:
        return False
    sink.end()
    return True


def _header(buffer: bytearray, delimiter: bytes) -> bool | None:
    """Drops a delimiter and the header behind it; None at the last one, False if more must come first."""
    at = buffer.find(delimiter)
    if at < 0:
        if len(buffer) > _LONGEST_PREAMBLE:
            raise ArchiveError(Code.BAD_ANSWER)
        return False
    after = at + len(delimiter)
    if buffer[after : after + 2] == b"--":
        return None
    end = buffer.find(b"\r\n\r\n", after)
    if end < 0:
        if len(buffer) - after > _LONGEST_HEADER:
            raise ArchiveError(Code.BAD_ANSWER)
        return False
    del buffer[: end + 4]
    return True
