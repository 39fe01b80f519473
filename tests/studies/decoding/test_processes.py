"""Pixels are decoded in a process that may die, hang or lie, and leaves the parent as it was."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from napari_d24fad.errors import Cancelled, Code, StudyError
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.decoding import processes as decoding
from napari_d24fad.studies.decoding.processes import FrameFormat, close_workers, decode, decode_picture
from napari_d24fad.studies.dicom.pixels import frame_format, frames
from napari_d24fad.studies.study import open_study
from tests.posix import needs_fork
from tests.studies import phantom
from tests.studies.corpus.build import even, positions, slices

PIXELS = np.random.default_rng(4).integers(-900, 900, (64, 48)).astype(np.int16)

# Programs that take the place of the worker: each greets as the real one does, then misbehaves.
_GREET = """
import os, struct, sys, time, json
def send(head, content=b""):
    text = json.dumps(head).encode()
    sys.stdout.buffer.write(struct.pack("<QQ", len(text), len(content)) + text + content)
    sys.stdout.buffer.flush()
send({"ready": True})
sys.stdin.buffer.read(16)
"""
BAD = {
    "dies": "os.abort()",
    "ends": "sys.exit()",
    "talks": "os.write(1, b'libjpeg: something is odd' * 99)",
    "lies about its size": "send({'dtype': '<i2', 'shape': [64, 48]}, bytes(10))",
    "lies about its shape": "send({'dtype': '<i2', 'shape': [48, 64]}, bytes(64 * 48 * 2))",
    "sends objects": "send({'dtype': '|O', 'shape': [64, 48]}, bytes(64 * 48 * 2))",
    "sends too much": "send({'dtype': '<i2', 'shape': [64, 48]}, bytes(10 ** 7))",
    "claims to send terabytes": "os.write(1, struct.pack('<QQ', 2, 2 ** 42) + b'{}')",
    "has no shape": "send({'dtype': '<i2', 'shape': 7}, bytes(64 * 48 * 2))",
    "sends lists in lists": "os.write(1, struct.pack('<QQ', 60000, 0) + b'[' * 60000)",
    "sends no object": "os.write(1, struct.pack('<QQ', 2, 0) + b'[]')",
}


@pytest.fixture(autouse=True)
def _no_workers_left() -> Iterator[None]:
    close_workers()
    yield
    close_workers()
    assert _children() == []


def _children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "decoding" in " ".join(child.cmdline())]


def _coded(syntax: str = JPEGLSLossless) -> tuple[str, FrameFormat, bytes]:
    dataset = phantom.image_dataset(PIXELS)
    dataset.compress(syntax, generate_instance_uid=False)
    return syntax, frame_format(dataset), frames(dataset)[0]


def _worker(monkeypatch: pytest.MonkeyPatch, folder: Path, body: str) -> None:
    (folder / "decoding_bad.py").write_text(_GREET + body)
    monkeypatch.setattr(decoding, "_PROGRAM", "decoding_bad")
    monkeypatch.setitem(decoding._ENVIRONMENT, "PYTHONPATH", str(folder))


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, JPEGLSLossless])
def test_frames_come_back_as_they_were(syntax: str) -> None:
    frame = decode(*_coded(syntax))
    np.testing.assert_array_equal(frame.pixels, PIXELS)
    assert frame.pixels.dtype == np.int16
    assert frame.photometric == "MONOCHROME2"


def test_one_process_serves_all_frames_of_one_thread_and_imports_no_heavy_library() -> None:
    decode(*_coded())
    (first,) = _children()
    decode(*_coded(RLELossless))
    (second,) = _children()
    assert first.pid == second.pid
    libraries = {Path(each.path).name for each in first.memory_maps()}
    assert not [name for name in libraries if "torch" in name or "Qt" in name]


def test_threads_get_processes_of_their_own() -> None:
    coded = _coded(JPEG2000Lossless)
    with ThreadPoolExecutor(3) as threads:
        decoded = list(threads.map(lambda _: decode(*coded).pixels, range(12)))
    assert all(np.array_equal(pixels, PIXELS) for pixels in decoded)
    assert 1 <= len(_children()) <= 3


@pytest.mark.parametrize("body", BAD.values(), ids=BAD)
def test_a_bad_process_is_a_refusal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, body: str) -> None:
    with monkeypatch.context() as patched:
        _worker(patched, tmp_path, body)
        with pytest.raises(StudyError) as caught:
            decode(*_coded())
        assert caught.value.code is Code.DECODER_FAILED
    close_workers()
    np.testing.assert_array_equal(decode(*_coded()).pixels, PIXELS)


def test_a_process_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _worker(monkeypatch, tmp_path, "time.sleep(99)")
    monkeypatch.setattr(decoding, "_SECONDS", 0.3)
    with pytest.raises(StudyError, match="too long") as caught:
        decode(*_coded())
    assert caught.value.code is Code.DECODER_FAILED
    assert _children() == []


def test_cancel_ends_a_process_that_hangs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _worker(monkeypatch, tmp_path, "time.sleep(99)")
    cancel = CancelToken()
    timer = threading.Timer(0.5, cancel.cancel)
    timer.start()
    start = time.monotonic()
    with pytest.raises(Cancelled):
        decode(*_coded(), cancel)
    assert time.monotonic() - start < 60  # it would sleep for 99 s
    timer.join()
    assert _children() == []


def test_a_process_that_was_killed_while_idle_is_replaced() -> None:
    decode(*_coded())
    (child,) = _children()
    child.kill()
    child.wait()
    np.testing.assert_array_equal(decode(*_coded()).pixels, PIXELS)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of a process")
def test_memory_is_limited_by_what_the_header_says() -> None:
    """A codestream of 20000 x 20000 pixels under a header of 64 x 48."""
    syntax, form, frame = _coded(JPEG2000Lossless)
    at = frame.index(b"\xff\x51") + 6
    size = (20000).to_bytes(4, "big")
    huge = frame[:at] + size + size + frame[at + 8 : at + 16] + size + size + frame[at + 24 :]
    with pytest.raises(StudyError):
        decode(syntax, form, huge)
    assert all(child.memory_info().rss < 2**30 for child in _children())


def test_nothing_is_left_when_the_parent_is_killed(tmp_path: Path) -> None:
    code = "\n".join(
        [
            "import os, psutil, signal, sys",
            "from tests.studies.decoding.test_processes import _coded, decode",
            "decode(*_coded())",
            "(child,) = psutil.Process().children()",
            "print(child.pid, flush=True)",
            "os.kill(os.getpid(), signal.SIGKILL) if sys.argv[1] == 'kill' else sys.exit()",
        ]
    )
    for end in ("kill", "exit"):
        root = Path(__file__).resolve().parents[3]
        process = subprocess.run(
            [sys.executable, "-c", code, end], capture_output=True, cwd=root, check=False
        )
        child = int(process.stdout)
        limit = time.monotonic() + 60
        while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < limit
            time.sleep(0.05)


def test_a_program_in_the_folder_of_a_study_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    coded = _coded()
    (tmp_path / "pydicom.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    (tmp_path / "json.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    np.testing.assert_array_equal(decode(*coded).pixels, PIXELS)
    assert not (tmp_path / "ran").exists()


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_leaves_the_worker_to_its_parent() -> None:
    decode(*_coded())
    child = os.fork()
    if child == 0:
        same = np.array_equal(decode(*_coded()).pixels, PIXELS)
        close_workers()
        os._exit(0 if same else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert len(_children()) == 1
    np.testing.assert_array_equal(decode(*_coded()).pixels, PIXELS)


def test_a_series_whose_decoder_dies_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    datasets = slices(positions(even(3)), shape=(64, 64))
    for dataset in datasets:
        dataset.compress(JPEG2000Lossless, generate_instance_uid=False)
    phantom.write_series(tmp_path / "study", datasets)
    (series,) = open_study(tmp_path / "study").series
    with monkeypatch.context() as patched:
        _worker(patched, tmp_path, "os.abort()")
        with pytest.raises(StudyError) as caught:
            series.load()
        assert caught.value.code is Code.DECODER_FAILED
    phantom.assert_world_linear(series.load())


def test_cancel_ends_a_thumbnail_whose_decoder_hangs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    dataset = slices(positions(even(1)), shape=(64, 64))[0]
    dataset.compress(JPEGLSLossless, generate_instance_uid=False)
    (series,) = open_study(phantom.save(dataset, tmp_path / "study" / "image.dcm")).series
    _worker(monkeypatch, tmp_path, "time.sleep(99)")
    cancel = CancelToken()
    timer = threading.Timer(0.5, cancel.cancel)
    timer.start()
    with pytest.raises(Cancelled):
        series.thumbnail(cancel=cancel)
    timer.join()


def test_cancels_at_any_moment_leave_good_processes_or_none() -> None:
    coded, rng, stopped = _coded(JPEG2000Lossless), np.random.default_rng(1), 0
    decode(*coded)
    for _ in range(15):
        cancel = CancelToken()
        timer = threading.Timer(rng.uniform(0, 0.12), cancel.cancel)
        timer.start()
        try:
            while True:
                decode(*coded, cancel)
                cancel.check()
        except Cancelled:
            stopped += 1
        timer.join()
        np.testing.assert_array_equal(decode(*coded).pixels, PIXELS)
    assert stopped == 15
    assert len(_children()) == 1


def _png(pixels: np.ndarray) -> bytes:
    stored = io.BytesIO()
    Image.fromarray(pixels).save(stored, "PNG")
    return stored.getvalue()


def test_pictures_are_decoded_in_another_process_too(monkeypatch: pytest.MonkeyPatch) -> None:
    grey = np.arange(48, dtype=np.uint8).reshape(6, 8)
    np.testing.assert_array_equal(decode_picture(_png(grey), (1, 6, 8))[0], grey)
    colour = np.zeros((6, 8, 3), np.uint8)
    colour[..., 0], colour[..., 2] = 200, 30
    found = decode_picture(_png(colour), (1, 6, 8))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found[0], colour)
    # A file that is not what its header promised, one that is cut, one that is none.
    for content, grid, code in (
        (_png(grey), (1, 8, 6), Code.TRUNCATED),
        (_png(grey)[:-30], (1, 6, 8), Code.TRUNCATED),
        (b"no picture at all", (1, 6, 8), Code.NOT_AN_IMAGE),
    ):
        with pytest.raises(StudyError) as refused:
            decode_picture(content, grid)
        assert refused.value.code is code


def test_a_picture_that_takes_the_decoder_along_leaves_the_program() -> None:
    worker = decoding._borrowed()
    decoding._give_back(worker)
    worker._process.kill()
    worker._process.wait()
    grey = np.full((4, 4), 7, np.uint8)
    np.testing.assert_array_equal(decode_picture(_png(grey), (1, 4, 4))[0], grey)
