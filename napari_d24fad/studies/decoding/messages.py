"""What the decoding process and its parent say to each other: a small JSON object and bytes.

Nothing is unpickled: a decoder that was taken over must not take over the parent.
"""

from __future__ import annotations

import json
import struct
from typing import IO, Any

_LENGTHS = struct.Struct("<QQ")
_LONGEST_HEAD = 2**16


def send(file: IO[bytes], head: dict[str, Any], content: bytes = b"") -> None:
    """Writes a message.

    Raises:
        OSError: If nobody reads any more.
    """
    text = json.dumps(head).encode()
    file.write(_LENGTHS.pack(len(text), len(content)) + text)
    file.write(content)
    file.flush()


def receive(file: IO[bytes], longest: int | None = None) -> tuple[dict[str, Any], bytes]:
    """Reads a message.

    Args:
        file: What the other side writes to.
        longest: Bytes that the content may have.

    Raises:
        EOFError: If there is none, or the rest is missing.
        ValueError: If it is no message, or too long.
    """
    text, content = _LENGTHS.unpack(_exactly(file, _LENGTHS.size))
    if text > _LONGEST_HEAD or (longest is not None and content > longest):
        raise ValueError("The message is too long.")
    head = json.loads(_exactly(file, text))
    if not isinstance(head, dict):
        raise ValueError("The message has no head.")
    return head, _exactly(file, content)


def _exactly(file: IO[bytes], size: int) -> bytes:
    content = file.read(size)
    if len(content) < size:
        raise EOFError
    return content
