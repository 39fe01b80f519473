"""A DICOMweb server on loopback that lists one series and then misbehaves."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from napari_d24fad.archives.archive import Archive
from tests.archives.studies import SERIES, STUDY

BOUNDARY = "hostile"


@dataclass
class Hostile:
    """What it says.

    Attributes:
        listed: SOP Instance UIDs that it lists.
        parts: Files of the answer to a request for the series, and for an instance whose UID is no key below.
        single: Files of the answer to a request for an instance, by its UID.
        body: Yields the body of any retrieval instead.
        answers: JSON of a search instead, as bytes, by the last word of its address.
        lists_for_ever: Whether each page of instances has other UIDs.
        redirect: Where it sends on to, instead of an answer.
        closes: Whether the last delimiter is sent.
        asked: Addresses that were asked for.
    """

    listed: list[str] = field(default_factory=lambda: [f"{SERIES}.1", f"{SERIES}.2"])
    parts: list[bytes] = field(default_factory=list)
    single: dict[str, list[bytes]] = field(default_factory=dict)
    body: Any = None
    answers: dict[str, bytes] = field(default_factory=dict)
    lists_for_ever: bool = False
    redirect: str = ""
    closes: bool = True
    asked: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def archive(self) -> Archive:
        return Archive("hostile", url=f"http://127.0.0.1:{self.port}/dicom-web")

    def search(self, path: str, offset: int) -> bytes:
        word = path.rsplit("/", 1)[-1]
        if word in self.answers:
            return self.answers[word]
        if word == "instances":
            if self.lists_for_ever:
                uids = [f"{SERIES}.{number}" for number in range(offset + 1, offset + 201)]
            else:
                uids = [] if offset else self.listed
            return _json([{"00080018": uid, "0020000E": SERIES} for uid in uids])
        if word == "series":
            return _json([] if offset else [{"0020000E": SERIES, "0020000D": STUDY, "00080060": "CT"}])
        return _json([] if offset else [{"0020000D": STUDY}])


def _json(entries: list[dict[str, str]]) -> bytes:
    shaped = [{tag: {"vr": "LO", "Value": [value]} for tag, value in entry.items()} for entry in entries]
    return json.dumps(shaped).encode()


def multipart(files: list[bytes], *, closes: bool = True) -> Iterator[bytes]:
    for file in files:
        yield f"\r\n--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode() + file
    if closes:
        yield f"\r\n--{BOUNDARY}--\r\n".encode()


def drip(seconds: float = 0.3) -> Iterator[bytes]:
    """A byte now and then, for ever."""
    yield f"--{BOUNDARY}\r\n\r\n".encode()
    while True:
        time.sleep(seconds)
        yield b"x"


def flood() -> Iterator[bytes]:
    """One image without an end."""
    yield f"--{BOUNDARY}\r\n\r\n".encode()
    while True:
        yield bytes(2**18)


@contextmanager
def serving(peer: Hostile) -> Iterator[Hostile]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            peer.asked.append(path)
            if peer.redirect:
                self._answer(302, "text/plain", [], Location=peer.redirect)
                return
            last = path.rsplit("/", 1)[-1]
            if last in ("studies", "series", "instances"):
                offset = dict(part.partition("=")[::2] for part in query.split("&")).get("offset", "0")
                self._answer(200, "application/dicom+json", [peer.search(path, int(offset))])
                return
            kind = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
            files = peer.single.get(last, peer.parts)
            body = peer.body() if peer.body is not None else multipart(files, closes=peer.closes)
            self._answer(200, kind, body)

        def _answer(self, status: int, kind: str, body: Any, **headers: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Connection", "close")
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                for piece in body:
                    self.wfile.write(piece)
                    self.wfile.flush()
            except OSError:
                pass  # it has heard enough
            self.close_connection = True

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    peer.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield peer
    finally:
        server.shutdown()
        server.server_close()
