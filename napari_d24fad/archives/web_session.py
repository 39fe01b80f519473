"""HTTP with an archive: bounded in size and time, cancellable, verified, and to no other place."""

from __future__ import annotations

import logging
import queue
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter

from napari_d24fad.archives.archive import Archive
from napari_d24fad.archives.limits import BOUNDS, Bounds
from napari_d24fad.archives.waiting import POLL_SECONDS, patiently
from napari_d24fad.errors import ArchiveError, Cancelled, Code, D24fadError
from napari_d24fad.progress import CancelToken
from napari_d24fad.version import __version__

CHUNK = 2**18
_CONNECT_SECONDS = 10.0
_WARMING_SECONDS = 60.0
_CLOSING_SECONDS = 5.0
_AHEAD = 16
"""Chunks: more of them hold memory and gain no time."""
# What these log holds what was searched for: names and IDs of patients.
_TALKATIVE = ("retrying", "dicomweb_client", "dicomweb_client.web", "urllib3.connectionpool")
for _name in _TALKATIVE:
    logging.getLogger(_name).setLevel(logging.CRITICAL)

_UNAUTHORISED, _FORBIDDEN, _NOT_FOUND = 401, 403, 404


class WebSession(requests.Session):
    """Requests to one archive.

    Every answer is read through `Guard`; redirects are refused, since they lead elsewhere.

    Args:
        archive: Which.
        password: Its password; empty without one.
        cancel: Stops a request within a fraction of a second, even while the peer is silent.
        bounds: What is taken at most.

    Attributes:
        cancel: Stops requests; may be replaced for the next ones.
        allowed: Bytes that the next answers may have each.
    """

    def __init__(self, archive: Archive, password: str, cancel: CancelToken, bounds: Bounds = BOUNDS) -> None:
        super().__init__()
        self.cancel, self.bounds = cancel, bounds
        self.allowed = bounds.answer
        self.max_redirects = 0
        # A proxy is for other machines, and would be told what is said to this one.
        self.trust_env = not archive.is_local
        self.headers["User-Agent"] = f"napari-d24fad/{__version__}"
        self.headers["Accept-Encoding"] = "identity"  # nothing that swells when it is unpacked
        if archive.user:
            self.auth = (archive.user, password)
        if archive.authority:
            self.verify = archive.authority
        self.mount("https://", _GuardedAdapter(self))
        self.mount("http://", _GuardedAdapter(self))

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Leaves asterisks as they are: some servers take the escaped one for text (Orthanc 1.10)."""
        prepared = super().prepare_request(request)
        prepared.url = (prepared.url or "").replace("%2A", "*")
        return prepared

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Sends a request in a thread of its own, so that waiting for the answer can be stopped."""
        options["timeout"] = (_CONNECT_SECONDS, self.bounds.silence)
        stream = bool(options.pop("stream", False))  # the body is read here, by whoever asked
        send = super().send
        response = patiently(
            lambda: send(request, stream=True, **options),
            self.cancel,
            _CONNECT_SECONDS + self._patience(request),
            requests.Response.close,
        )
        if not stream:
            _ = response.content
        return response

    def _patience(self, request: requests.PreparedRequest) -> float:
        body = request.body
        size = len(body) if isinstance(body, bytes | str) else 0
        return 2 * self.bounds.silence + size / self.bounds.slowest / 64


class _GuardedAdapter(HTTPAdapter):
    """Makes answers whose bytes are counted as they come."""

    def __init__(self, session: WebSession) -> None:
        super().__init__(max_retries=0)
        self._session = session

    def build_response(self, request: requests.PreparedRequest, raw: Any) -> requests.Response:
        response = super().build_response(request, raw)
        response.iter_content = _Guard(raw, self._session).chunks  # type: ignore[method-assign]
        return response


class _Guard:
    """Reads the body of an answer within the bounds; a silent peer cannot hold up a cancel.

    It is received in a thread of its own, some chunks ahead of whoever uses it: a peer that has to wait while
    each image is written and checked takes three times as long.
    """

    def __init__(self, raw: urllib3.BaseHTTPResponse, session: WebSession) -> None:
        self._raw, self._cancel, self._bounds = raw, session.cancel, session.bounds
        self._allowed = session.allowed
        self._last = time.monotonic()
        self._over = threading.Event()
        self._come: queue.Queue[bytes | Exception] = queue.Queue(_AHEAD)

    def chunks(self, chunk_size: int | None = CHUNK, decode_unicode: bool = False) -> Iterator[bytes]:
        """Yields the bytes; takes the place of `requests.Response.iter_content`.

        Raises:
            ArchiveError: ``TOO_MUCH`` or ``STALLED``.
            Cancelled: If asked to stop.
        """
        began, read = time.monotonic(), 0
        receiver = threading.Thread(target=self._receive, name="d24fad archive", daemon=True)
        receiver.start()
        try:
            while chunk := self._next():
                read += len(chunk)
                if read > self._allowed:
                    raise ArchiveError(Code.TOO_MUCH)
                if self._is_slow(read, self._last - began):
                    raise ArchiveError(Code.STALLED)
                yield chunk
            receiver.join(_CLOSING_SECONDS)  # so that the connection can be used again
        finally:
            self._over.set()
            if receiver.is_alive():
                with suppress(OSError, ValueError):  # it has just ended
                    self._raw.shutdown()
                receiver.join(_CLOSING_SECONDS)
            self._raw.close()

    def _next(self) -> bytes:
        while True:
            self._cancel.check()
            try:
                come = self._come.get(timeout=POLL_SECONDS)
            except queue.Empty:
                if time.monotonic() - self._last > self._bounds.silence:
                    raise ArchiveError(Code.STALLED) from None
                continue
            if isinstance(come, Exception):
                raise come
            return come

    def _receive(self) -> None:
        while not self._over.is_set():
            come: bytes | Exception
            try:
                come = self._raw.read1(CHUNK, decode_content=False)
            except Exception as error:  # handed over to the thread that reads
                come = error
            self._last = time.monotonic()
            while not self._over.is_set():
                with suppress(queue.Full):
                    self._come.put(come, timeout=POLL_SECONDS)
                    break
            if not isinstance(come, bytes) or not come:
                return

    def _is_slow(self, read: int, seconds: float) -> bool:
        warming = min(_WARMING_SECONDS, 2 * self._bounds.silence)
        return seconds > warming and read < self._bounds.slowest * seconds


@contextmanager
def coded_web_errors() -> Iterator[None]:
    """Turns what requests raises into an `ArchiveError`; its messages quote addresses and what was asked."""
    try:
        yield
    except (D24fadError, Cancelled):
        raise
    except requests.HTTPError as error:
        raise _refused(error.response.status_code if error.response is not None else 0) from None
    except requests.exceptions.InvalidJSONError:
        raise ArchiveError(Code.BAD_ANSWER) from None
    except requests.exceptions.SSLError:
        raise ArchiveError(Code.NOT_TRUSTED) from None
    except requests.TooManyRedirects:
        raise ArchiveError(Code.BAD_ANSWER, "It sends on to another address: not followed.") from None
    except (requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError):
        raise ArchiveError(Code.STALLED) from None
    except ssl.SSLError:
        raise ArchiveError(Code.NOT_TRUSTED) from None
    except (requests.ConnectionError, urllib3.exceptions.HTTPError, requests.exceptions.ChunkedEncodingError):
        raise ArchiveError(Code.UNREACHABLE, "The connection could not be made, or broke off.") from None
    except (OSError, requests.RequestException):
        raise ArchiveError(Code.UNREACHABLE) from None
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError):
        raise ArchiveError(Code.BAD_ANSWER) from None


def check_status(response: requests.Response) -> None:
    """Returns if a request was done.

    Raises:
        ArchiveError: What the status means.
    """
    if response.status_code >= 300:
        response.close()
        raise _refused(response.status_code)


def _refused(status: int) -> ArchiveError:
    if status in (_UNAUTHORISED, _FORBIDDEN):
        return ArchiveError(Code.LOGIN_REFUSED)
    if status == _NOT_FOUND:
        return ArchiveError(Code.NOTHING_MATCHES, "It answered with status 404.")
    return ArchiveError(Code.BAD_ANSWER, f"It answered with status {status}.")
