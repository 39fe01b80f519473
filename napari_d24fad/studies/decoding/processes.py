"""Has compressed pixels decoded by a process of its own, which may die without harm.

Decoders are C code that files from anywhere make overrun its buffers, abort, or never end. A
process is started for the first frame and kept for the next ones; callers in several threads get
one each.
"""

from __future__ import annotations

import atexit
import contextlib
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_d24fad.errors import Code, StudyError
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.decoding.messages import receive, send

_PROGRAM = "napari_d24fad.studies.decoding.worker"
_START_SECONDS = 60.0
_SECONDS, _BYTES_PER_SECOND = 8.0, 2**20
_COMPUTING = 0.4  # share of the time that may be spent computing: the rest is for a busy machine
_POLL_SECONDS = 0.05
MOST_KEPT = 4
"""So many processes are kept for the next frames; more callers at once start and end their own."""
_DTYPES = ("|u1", "|i1", "<u2", "<i2", "<u4", "<i4")
_REFUSALS = {
    "damaged": (Code.TRUNCATED, "Its compressed pixel data is damaged."),
    "truncated": (Code.TRUNCATED, ""),
    "unsupported": (
        Code.UNSUPPORTED_PIXELS,
        "Its compressed pixel data is of a kind that cannot be decoded.",
    ),
    "size": (Code.TRUNCATED, "Its compressed pixel data is of another size than its header says."),
    "memory": (Code.DECODER_FAILED, "It took more memory than an image of its size needs."),
}
_PICTURE_CODES = (
    Code.TRUNCATED,
    Code.NOT_AN_IMAGE,
    Code.UNSUPPORTED_PIXELS,
    Code.TOO_LARGE,
    Code.DECODER_FAILED,
)
# Ours, then whatever else the parent was told of; a folder with a study is not searched.
_PATH = [str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")]
_ENVIRONMENT = {"PYTHONPATH": os.pathsep.join(filter(None, _PATH)), "OMP_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class FrameFormat:
    """What a compressed frame is said to be; the names are those of DICOM attributes."""

    rows: int
    columns: int
    samples_per_pixel: int
    bits_allocated: int
    bits_stored: int
    pixel_representation: int
    photometric_interpretation: str
    planar_configuration: int = 0
    number_of_frames: int = 1
    pixel_keyword: str = "PixelData"

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the decoded frame: ``(rows, columns)``, and the samples if there are several."""
        plane = (self.rows, self.columns)
        return plane if self.samples_per_pixel == 1 else (*plane, self.samples_per_pixel)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A decoded frame.

    Attributes:
        pixels: Stored values, of `FrameFormat.shape`.
        photometric: Photometric Interpretation (0028,0004) that they have now.
    """

    pixels: npt.NDArray[Any]
    photometric: str


def decode(syntax: str, form: FrameFormat, frame: bytes, cancel: CancelToken | None = None) -> Frame:
    """Decodes a frame in another process.

    Args:
        syntax: Transfer Syntax UID (0002,0010).
        form: What the header says of the frame.
        frame: The compressed frame.
        cancel: Stops the decoding, and the process with it.

    Raises:
        StudyError: ``DECODER_FAILED`` if the process died, or took too much memory or time;
            ``TRUNCATED`` or ``UNSUPPORTED_PIXELS`` if it said so.
        Cancelled: If a stop was asked for.
    """
    size = math.prod(form.shape) * max(1, form.bits_allocated // 8)
    request = {"syntax": syntax, "attributes": asdict(form)}
    head, content = _ask(request, frame, size, cancel)
    if "error" in head:
        raise StudyError(*_REFUSALS.get(str(head["error"]), (Code.DECODER_FAILED, "")))
    return _frame(head, content, form)


def decode_picture(
    content: bytes, grid: tuple[int, int, int], cancel: CancelToken | None = None
) -> npt.NDArray[np.generic]:
    """Decodes a PNG, JPEG or TIFF file in another process.

    Args:
        content: The file.
        grid: Slices, rows and columns that its header promises.
        cancel: Stops the decoding, and the process with it.

    Returns:
        See `image_pixels.decode_image`.

    Raises:
        StudyError: ``DECODER_FAILED`` as for `decode`; what `image_pixels.decode_image` raises;
            ``TRUNCATED`` if it is not as large as its header promised.
        Cancelled: If a stop was asked for.
    """
    head, pixels = _ask({"picture": True}, content, 4 * math.prod(grid), cancel)
    if "code" in head:
        code = Code.__members__.get(str(head["code"]), Code.DECODER_FAILED)
        raise StudyError(code if code in _PICTURE_CODES else Code.DECODER_FAILED)
    dtype, shape = str(head.get("dtype")), head.get("shape")
    if not isinstance(shape, list) or (dtype, shape) not in (("<f4", [*grid]), ("|u1", [*grid, 3])):
        raise StudyError(Code.TRUNCATED, "It is not as large as its header says.")
    if len(pixels) != math.prod(shape) * np.dtype(dtype).itemsize:
        raise StudyError(Code.DECODER_FAILED)
    return np.frombuffer(pixels, dtype).reshape(shape)


def _ask(
    request: dict[str, Any], content: bytes, size: int, cancel: CancelToken | None
) -> tuple[dict[str, Any], bytes]:
    """Has a process answer a request; one that fails is not asked again."""
    worker = _borrowed()
    try:
        answer = worker.ask(request, content, size, cancel or CancelToken())
    except BaseException:
        worker.close()
        raise
    _give_back(worker)
    return answer


def _frame(head: dict[str, Any], content: bytes, form: FrameFormat) -> Frame:
    """Checks an answer, which a decoder that was taken over could have made up."""
    dtype, shape = head.get("dtype"), head.get("shape")
    if (
        dtype not in _DTYPES
        or shape != list(form.shape)
        or len(content) != math.prod(shape) * np.dtype(dtype).itemsize
    ):
        raise StudyError(Code.DECODER_FAILED)
    return Frame(np.frombuffer(content, dtype).reshape(shape), str(head.get("photometric", "")))


class _Worker:
    """A running decoding process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **_ENVIRONMENT},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests, self._answers = self._process.stdin, self._process.stdout
        self._ready = self._killed = False

    @property
    def alive(self) -> bool:
        # One that was just killed may look alive for a moment.
        return not self._killed and self._process.poll() is None

    def ask(
        self, request: dict[str, Any], content: bytes, size: int, cancel: CancelToken
    ) -> tuple[dict[str, Any], bytes]:
        """Sends a request and waits for the answer; ``size`` is that of the decoded pixels in bytes."""
        if not self._ready:
            with self._watched(_START_SECONDS, cancel):
                receive(self._answers, 0)
            self._ready = True
        seconds = _SECONDS + size / _BYTES_PER_SECOND
        limits = {"size": size, "seconds": _COMPUTING * seconds}
        with self._watched(seconds, cancel):
            send(self._requests, {**request, **limits}, content)
            return receive(self._answers, 4 * size)

    @contextmanager
    def _watched(self, seconds: float, cancel: CancelToken) -> Iterator[None]:
        """Ends the process when a block takes too long or is not wanted any more.

        A thread does that, since reading from a process can wait for ever and Windows
        offers no other way out.
        """
        done = threading.Event()
        end = time.monotonic() + seconds

        def watch() -> None:
            while not done.wait(_POLL_SECONDS):
                if cancel.cancelled or time.monotonic() > end:
                    self._killed = True
                    self._process.kill()
                    return

        watcher = threading.Thread(target=watch, name="decoding watch", daemon=True)
        watcher.start()
        try:
            yield
        except (OSError, EOFError, ValueError, RecursionError):
            cancel.check()
            late = time.monotonic() > end
            raise StudyError(Code.DECODER_FAILED, "It took too long." if late else "") from None
        finally:
            done.set()
            watcher.join()

    def close(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._requests, self._answers):
            with contextlib.suppress(OSError):  # what was not sent yet cannot be any more
                pipe.close()

    def forget(self) -> None:
        """Leaves the process to the one that this one was forked from."""
        self._process.returncode = 0


_idle: list[_Worker] = []
_lock = threading.Lock()


def _borrowed() -> _Worker:
    with _lock:
        while _idle:
            worker = _idle.pop()
            if worker.alive:
                return worker
            worker.close()
    try:
        return _Worker()
    except OSError:
        raise StudyError(Code.DECODER_FAILED, "The program that decodes pixels cannot be started.") from None


def _give_back(worker: _Worker) -> None:
    with _lock:
        if len(_idle) < MOST_KEPT:
            _idle.append(worker)
            return
    worker.close()


def close_workers() -> None:
    """Ends all processes that wait for work; the next frame starts another one."""
    with _lock:
        while _idle:
            _idle.pop().close()


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()
    for worker in _idle:
        worker.forget()
    _idle.clear()


atexit.register(close_workers)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
