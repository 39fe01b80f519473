"""One HTTP reply received in a thread, so that whoever waits for it can be told to stop."""

from __future__ import annotations

import http.client
import queue
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType

from napari_d24fad.progress import CancelToken

_CHUNK = 1 << 16
_TIMEOUT_S = 30.0
_POLL_S = 0.1
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class TransferError(Exception):
    """Nothing came, or it stopped coming.

    Attributes:
        status: HTTP status; 0 if there was none.
        sentence: What to tell the user.
    """

    def __init__(self, sentence: str, status: int = 0) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server says before it sends bytes.

    Attributes:
        start: Position of the first byte sent in the whole file.
        total: Size of the whole file in bytes; None if not told.
        etag: Strong entity tag (RFC 9110, 8.8.3); None if there is none.
    """

    start: int
    total: int | None
    etag: str | None


class Transfer:
    """A context that holds a reply and iterates over its bytes.

    The thread only receives; it never touches a file. When the context is left early,
    the thread ends by itself, at the latest when the socket times out.
    """

    def __init__(self, request: urllib.request.Request, cancel: CancelToken) -> None:
        self._request = request
        self._cancel = cancel
        self._inbox: queue.Queue[Reply | bytes | TransferError] = queue.Queue(maxsize=16)
        self._abandoned = threading.Event()

    def __enter__(self) -> Transfer:
        threading.Thread(target=self._receive, name="d24fad-download", daemon=True).start()
        try:
            reply = self._next()
        except BaseException:
            self._abandoned.set()
            raise
        assert isinstance(reply, Reply)
        self.reply = reply
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._abandoned.set()

    def __iter__(self) -> Iterator[bytes]:
        """Yields chunks as they arrive.

        Raises:
            TransferError: If the connection breaks. A server that closes early without saying
                so ends the iteration instead: compare with `Reply.total`.
            Cancelled: If asked to stop.
        """
        while chunk := self._next():
            assert isinstance(chunk, bytes)
            yield chunk

    def _next(self) -> Reply | bytes:
        while True:
            self._cancel.check()
            try:
                item = self._inbox.get(timeout=_POLL_S)
            except queue.Empty:
                continue
            if isinstance(item, TransferError):
                raise item
            return item

    def _put(self, item: Reply | bytes | TransferError) -> bool:
        while not self._abandoned.is_set():
            try:
                self._inbox.put(item, timeout=_POLL_S)
            except queue.Full:
                continue
            return True
        return False

    def _receive(self) -> None:
        # An opener of its own: urlopen's is shared, and remembers the proxies of its first use.
        opener = urllib.request.build_opener()
        try:
            with opener.open(self._request, timeout=_TIMEOUT_S) as response:
                wanted = self._put(_reply(response))
                while wanted and (chunk := response.read1(_CHUNK)):
                    wanted = self._put(chunk)
            self._put(b"")
        except urllib.error.HTTPError as error:
            with error:
                self._fail(f"The server answered with status {error.code}.", error, error.code)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._fail(f"There is no connection to {self._request.host}.", error)

    def _fail(self, sentence: str, cause: Exception, status: int = 0) -> None:
        failure = TransferError(sentence, status)
        failure.__cause__ = cause
        self._put(failure)


def _reply(response: http.client.HTTPResponse) -> Reply:
    length = response.headers.get("Content-Length", "")
    total = int(length) if length.isascii() and length.isdigit() else None
    etag = response.headers.get("ETag")
    etag = etag if etag and etag.startswith('"') else None  # a weak tag cannot vouch for single bytes
    if response.status != http.client.PARTIAL_CONTENT:
        return Reply(0, total, etag)
    told = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if not told:
        raise http.client.HTTPException("206 without a range")
    return Reply(int(told[1]), int(told[2]) if told[2].isdigit() else None, etag)
