"""Fetches one file over HTTP so that an interruption costs nothing: resumed, checked, then put in place."""

from __future__ import annotations

import contextlib
import json
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from napari_d24fad.errors import ArgumentError, Code, ModelError
from napari_d24fad.network.files import sha256_of
from napari_d24fad.network.transfer import Reply, Transfer, TransferError
from napari_d24fad.progress import CancelToken, Progress, silent
from napari_d24fad.version import __version__

_ATTEMPTS = 4
_RANGE_NOT_SATISFIABLE = 416


@dataclass(frozen=True, slots=True)
class _Partial:
    """The bytes that arrived so far, and what the server said about the whole file.

    Attributes:
        file: The bytes, ``NAME.part``.
        note: Entity tag and total size as JSON, ``NAME.part.json``.
    """

    file: Path
    note: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "note", self.file.with_name(self.file.name + ".json"))

    @property
    def size(self) -> int:
        return self.file.stat().st_size if self.file.exists() else 0

    def described(self) -> tuple[str | None, int | None]:
        """Returns the entity tag and the total size of the file that the bytes belong to."""
        try:
            note = json.loads(self.note.read_text(encoding="utf-8"))
            tag, total = note["etag"], note["total"]
        except (OSError, ValueError, KeyError, TypeError):
            return None, None
        return (tag if isinstance(tag, str) else None), (total if isinstance(total, int) else None)

    def start(self, reply: Reply) -> None:
        self.discard()
        self.note.write_text(json.dumps({"etag": reply.etag, "total": reply.total}), encoding="utf-8")

    def discard(self) -> None:
        self.file.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)


def download(
    url: str,
    target: Path,
    sha256: str,
    *,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> str:
    """Downloads a file, going on from where an earlier attempt stopped.

    A cancelled or failed download leaves ``target.part``, which the next call continues.
    Proxies are those of the environment (``https_proxy`` and the like).

    Args:
        url: ``http://`` or ``https://``.
        target: Where the file goes once its checksum is right.
        sha256: Its SHA-256 in hex, or the digits it begins with where no more is published.
        progress: Told the fraction of bytes, where the server tells the size.
        cancel: Stops within a fraction of a second, even while the server is silent.

    Returns:
        The whole SHA-256.

    Raises:
        ArgumentError: BAD_ARGUMENT for another kind of address.
        ModelError: DOWNLOAD_FAILED; CHECKSUM_MISMATCH, after which nothing is kept; CANNOT_WRITE.
        Cancelled: If asked to stop.
    """
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ArgumentError(Code.BAD_ARGUMENT, "Weights come from http:// or https:// addresses only.")
    partial = _Partial(target.with_name(target.name + ".part"))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _complete(url, partial, progress, cancel or CancelToken())
        actual = sha256_of(partial.file)
        if not actual.startswith(sha256):
            partial.discard()
            raise ModelError(Code.CHECKSUM_MISMATCH)
        partial.file.replace(target)
        partial.discard()
    except OSError as error:
        raise ModelError(Code.CANNOT_WRITE, "The folder for downloads takes no files.") from error
    return actual


def _complete(url: str, partial: _Partial, progress: Progress, cancel: CancelToken) -> None:
    """Fills ``partial`` to its end; a connection that breaks on the way is taken up again."""
    failure = "The server sent something else than the file."
    for _ in range(_ATTEMPTS):
        total = partial.described()[1]
        if total is not None and partial.size == total:
            return
        try:
            with Transfer(_request(url, partial), cancel) as transfer:
                if _append(transfer, partial, progress):
                    return
                failure = "The connection broke off; the next try goes on from there."
        except TransferError as error:
            if error.status != _RANGE_NOT_SATISFIABLE:
                raise ModelError(Code.DOWNLOAD_FAILED, error.sentence) from error
            partial.discard()
    raise ModelError(Code.DOWNLOAD_FAILED, failure)


def _request(url: str, partial: _Partial) -> urllib.request.Request:
    headers = {"User-Agent": f"napari-d24fad/{__version__}", "Accept-Encoding": "identity"}
    if partial.size:
        headers["Range"] = f"bytes={partial.size}-"
        tag, _ = partial.described()
        if tag:
            headers["If-Range"] = tag
    return urllib.request.Request(url, headers=headers)


def _append(transfer: Transfer, partial: _Partial, progress: Progress) -> bool:
    """Writes what arrives behind what is there; returns whether that is all of it."""
    reply = transfer.reply
    if reply.start == 0:
        partial.start(reply)
    elif (reply.start, reply.total) != (partial.size, partial.described()[1]):
        partial.discard()  # not the rest of what we have: begin again
        return False
    size = partial.size
    with partial.file.open("ab") as file, contextlib.suppress(TransferError):
        for chunk in transfer:
            file.write(chunk)
            size += len(chunk)
            if reply.total:
                progress(min(size / reply.total, 1.0), f"Downloading {size >> 20} of {reply.total >> 20} MiB")
        return reply.total is None or size == reply.total
    return False
