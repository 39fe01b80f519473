"""Parts are the same however the answer is cut into pieces."""

from __future__ import annotations

import pytest

from napari_d24fad.archives.multipart import boundary_of, take_apart
from napari_d24fad.errors import ArchiveError, Code

PARTS = [b"first", b"", b"\r\n--edg\r\n\r\n-", b"\r\n\r\n" + bytes(300), b"last\r\n"]
ANSWER = b"".join(b"\r\n--edge\r\nContent-Type: application/dicom\r\n\r\n" + part for part in PARTS)


class Kept:
    def __init__(self) -> None:
        self.ended: list[bytes] = []
        self.part = b""

    def begin(self) -> None:
        self.part = b""

    def write(self, data: bytes | memoryview) -> None:
        self.part += bytes(data)

    def end(self) -> None:
        self.ended.append(self.part)


def pieces(answer: bytes, size: int) -> list[bytes]:
    return [answer[start : start + size] for start in range(0, len(answer), size)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 11, 64, 10_000])
@pytest.mark.parametrize("start", [0, 2], ids=["with a line before", "at the very start"])
def test_parts_do_not_depend_on_how_the_answer_is_cut(size: int, start: int) -> None:
    kept = Kept()
    assert take_apart(pieces((ANSWER + b"\r\n--edge--\r\n")[start:], size), b"edge", kept)
    assert kept.ended == PARTS


def test_the_last_part_of_an_answer_without_an_end_is_none() -> None:
    kept = Kept()
    assert not take_apart(pieces(ANSWER, 5), b"edge", kept)
    assert kept.ended == PARTS[:-1]


def test_headers_and_preambles_have_an_end() -> None:
    for endless in (b"x" * 2**20, b"--edge\r\n" + b"h" * 2**20):
        with pytest.raises(ArchiveError) as caught:
            take_apart(pieces(endless, 2**12), b"edge", Kept())
        assert caught.value.code is Code.BAD_ANSWER


def test_the_boundary_is_read_as_mail_states_it() -> None:
    assert boundary_of('multipart/related; type="application/dicom"; boundary="a b:c"') == b"a b:c"
    assert boundary_of("Multipart/Related; Boundary=abc; type=x") == b"abc"
    assert boundary_of("application/dicom") == b""
    for wrong in ("multipart/related", "multipart/related; boundary=" + "x" * 300):
        with pytest.raises(ArchiveError):
            boundary_of(wrong)
