"""Files of which only so much is read or inflated."""

from __future__ import annotations

import gzip
import io
import os
import zlib
from pathlib import Path

import pytest

from napari_d24fad.errors import Cancelled, Code, StudyError
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.files.bounded import (
    BoundedFile,
    BoundedGzip,
    Deflated,
    Inflated,
    is_file,
    open_file,
)
from tests.posix import needs_pipes

CONTENT = bytes(range(256)) * 1000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "file").write_bytes(CONTENT)
    return tmp_path / "file"


def deflated(content: bytes) -> io.BytesIO:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return io.BytesIO(packer.compress(content) + packer.flush())


def test_what_was_read_counts_and_what_was_skipped_does_not(path: Path) -> None:
    with BoundedFile(path, 1000 + 1024) as file:
        file.seek(200_000)
        assert file.read(1000) == CONTENT[200_000:201_000]
        with pytest.raises(StudyError) as caught:
            file.read(1)
    assert caught.value.code is Code.TOO_LARGE


def test_a_claimed_length_is_cut_to_that_of_the_file(path: Path) -> None:
    with BoundedFile(path, len(CONTENT) + 1024) as file:
        assert file.read(2**40) == CONTENT


def test_the_number_of_reads_is_limited(path: Path) -> None:
    with BoundedFile(path, 100 * (1024 + 1)) as file:
        for _ in range(100):
            file.read(1)
        with pytest.raises(StudyError):
            file.read(1)


def test_the_rest_at_once_is_not_read(path: Path) -> None:
    with BoundedFile(path, 10**6) as file, pytest.raises(Deflated):
        file.read()


def test_inflated_is_read_like_a_file() -> None:
    plain, file = io.BytesIO(CONTENT), Inflated(deflated(CONTENT), len(CONTENT))
    for size, offset, whence in (
        (10, 0, 0),
        (7, 5, 1),
        (70_000, -3, 1),
        (4, 200_000, 0),
        (9, 3, 0),
        (10**6, 0, 1),
    ):
        assert file.seek(offset, whence) == plain.seek(offset, whence)
        assert file.read(size) == plain.read(size)
        assert file.tell() == plain.tell()


def test_inflating_stops_at_what_is_allowed() -> None:
    file = Inflated(deflated(bytes(2**28)), 2**20)
    assert file.read(100) == bytes(100)
    file.seek(2**27)
    with pytest.raises(StudyError) as caught:
        file.read(1)
    assert caught.value.code is Code.TOO_LARGE
    assert len(file._inflated) < 2**21


def test_gzip_stops_at_what_is_allowed_and_at_a_cancel(tmp_path: Path) -> None:
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(CONTENT))
    cancel = CancelToken()
    with BoundedGzip(path, cancel) as file:
        file.allowed = 1000
        assert file.read(1000) == CONTENT[:1000]
        with pytest.raises(StudyError):
            file.read(1)
        with pytest.raises(StudyError):
            file.seek(2000)
        file.allowed = len(CONTENT)
        file.seek(0)
        assert file.read() == CONTENT
        cancel.cancel()
        file.seek(0)
        with pytest.raises(Cancelled):
            file.read(1)


@needs_pipes
def test_only_ordinary_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "link")
    assert not is_file(tmp_path / "pipe")
    assert not is_file(tmp_path / "link")
    assert not is_file(tmp_path / ("n" * 4000))
    assert not is_file(tmp_path / "a\0b")
    for name in ("pipe", ""):
        with pytest.raises(StudyError):
            open_file(tmp_path / name)
    with pytest.raises(StudyError):
        open_file(Path(os.devnull))
