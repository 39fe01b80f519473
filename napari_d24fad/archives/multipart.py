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

    def write(self, data: bytes | memoryview) -> None:
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
    keep = len(delimiter) - 1  # so much of a delimiter may be at the end of what has come
    data = b"\r\n"  # the first delimiter may stand at the very start
    inside = False
    for chunk in chunks:
        data += chunk
        start = 0
        while True:
            if inside:
                at = data.find(delimiter, start)
                sure = at if at >= 0 else max(start, len(data) - keep)
                if sure > start:
                    sink.write(memoryview(data)[start:sure])
                start = sure
                if at < 0:
                    break
                sink.end()
                inside = False
            body = _past_header(data, delimiter, start)
            if body is None:
                return True
            if body < 0:
                break
            sink.begin()
            start, inside = body, True
        data = data[start:]
    return False


def _past_header(data: bytes, delimiter: bytes, start: int) -> int | None:
    """Returns where the next part begins; None behind the last one, -1 if more must come first."""
    at = data.find(delimiter, start)
    if at < 0:
        if len(data) - start > _LONGEST_PREAMBLE:
            raise ArchiveError(Code.BAD_ANSWER)
        return -1
    after = at + len(delimiter)
    if data[after : after + 2] == b"--":
        return None
    end = data.find(b"\r\n\r\n", after)
    if end < 0:
        if len(data) - after > _LONGEST_HEADER:
            raise ArchiveError(Code.BAD_ANSWER)
        return -1
    return end + 4
