"""A real HTTP server on 127.0.0.1 that serves one file, well or badly, and remembers how."""

import re
import socket
import struct
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class WeightsServer:
    """What to serve and what was asked for.

    Attributes:
        content: The file.
        etag: Entity tag to send; none if empty.
        status: Anything but 200 is answered to every request, without a body.
        ranges: Whether byte ranges are served; if not, the whole file is.
        shift: Added to the start of every range served: a server that miscounts.
        tells_size: Whether Content-Length is sent.
        break_after: Bytes after which the connection of each of the next replies breaks.
        resets: Whether those connections break with a TCP reset instead of a clean end.
        stall_after: Bytes after which the server falls silent.
        requests: Path, Range and If-Range headers of every request.
        served: Body bytes sent for every request.
    """

    content: bytes = b""
    etag: str = '"v1"'
    status: int = 200
    ranges: bool = True
    shift: int = 0
    tells_size: bool = True
    break_after: list[int] = field(default_factory=list)
    resets: bool = False
    stall_after: int | None = None
    requests: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    served: list[int] = field(default_factory=list)

    def __enter__(self) -> "WeightsServer":
        self._closing = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"served_by": self}))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._closing.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def forget(self) -> None:
        """Starts new lists of requests and bytes served."""
        self.requests, self.served = [], []

    def wait_until_closing(self) -> None:
        self._closing.wait(20)


class _Handler(BaseHTTPRequestHandler):
    served_by: WeightsServer

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        server = self.served_by
        asked, condition = self.headers["Range"], self.headers["If-Range"]
        server.requests.append((self.path, asked, condition))
        # Kept by the reply itself: its thread may still be counting when the next request comes.
        self.count = (server.served, len(server.served))
        server.served.append(0)
        if server.status != 200:
            self.send_error(server.status)
            return
        start = 0
        if asked and server.ranges and condition in (None, server.etag):
            start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) + server.shift
            if start >= len(server.content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(server.content)}")
                self.end_headers()
                return
        body = server.content[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header(
                "Content-Range", f"bytes {start}-{len(server.content) - 1}/{len(server.content)}"
            )
        if server.tells_size:
            self.send_header("Content-Length", str(len(body)))
        if server.etag:
            self.send_header("ETag", server.etag)
        self.end_headers()
        self._send(body)

    def _send(self, body: bytes) -> None:
        server = self.served_by
        if server.break_after:
            body = body[: server.break_after.pop(0)]
            if server.resets:
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        elif server.stall_after is not None:
            body = body[: server.stall_after]
        served, index = self.count
        served[index] = len(body)
        self.wfile.write(body)
        self.wfile.flush()
        if server.stall_after is not None:
            server.wait_until_closing()
