"""A series of which only the number of images was told: no list is asked for, unless other ones come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from napari_d24fad.archives.archive import Archive
from napari_d24fad.archives.dicomweb import WebPeer
from napari_d24fad.archives.fetching import Fetched, fetch
from napari_d24fad.archives.found import FoundSeries
from napari_d24fad.archives.inbox import instance_name
from napari_d24fad.archives.limits import BOUNDS, Bounds
from napari_d24fad.archives.web_session import WebSession, _Guard
from napari_d24fad.errors import ArchiveError, Cancelled, Code
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.files.quiet import quiet
from tests.archives.hostile import Hostile, multipart, serving
from tests.archives.studies import OTHER_SERIES, SERIES, STUDY, ct_slice, encoded

GOOD = [encoded(ct_slice(number)) for number in (1, 2, 3)]
UIDS = [f"{SERIES}.{number}" for number in (1, 2, 3)]


@pytest.fixture
def peer() -> Iterator[Hostile]:
    with serving(Hostile(listed=list(UIDS), parts=list(GOOD))) as server:
        yield server


def fetched(peer: Hostile, out: Path, told: int = 3, bounds: Bounds = BOUNDS) -> Fetched:
    client = WebPeer(peer.archive, "", CancelToken(), bounds)
    return fetch(client, [FoundSeries(STUDY, SERIES, instances=told)], out, bounds=bounds)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*.dcm"))


def lists(peer: Hostile) -> int:
    return sum(path.endswith("/instances") for path in peer.asked)


def test_as_many_as_were_told_are_all(peer: Hostile, out: Path) -> None:
    done = fetched(peer, out)
    assert (done.instances, done.unlisted, lists(peer)) == (3, 0, 0)
    assert len(names(out)) == 3


def test_other_numbers_than_told_are_settled_by_the_list(peer: Hostile, out: Path) -> None:
    for place, told in (("fewer", 5), ("more", 2)):
        peer.asked.clear()
        done = fetched(peer, out / place, told)
        assert (done.instances, done.unlisted) == (3, 0)
        assert lists(peer)
    peer.listed = UIDS[:2]
    done = fetched(peer, out / "unlisted", 2)
    assert (done.instances, done.unlisted) == (2, 1)
    assert len(names(done.folder)) == 2


def test_what_does_not_come_is_asked_for_by_name(peer: Hostile, out: Path) -> None:
    peer.parts = [GOOD[0], GOOD[1], b"no DICOM"]
    peer.single = {UIDS[2]: [GOOD[2]]}
    assert fetched(peer, out).instances == 3
    assert peer.asked[-1].endswith(UIDS[2])
    peer.single = {UIDS[2]: [b"again none"]}
    with pytest.raises(ArchiveError) as caught:
        fetched(peer, out / "b")
    assert f"Missing are 1 of 3: {UIDS[2]}." in str(caught.value)


@pytest.mark.parametrize("wrong", ["series", "patient", "study"])
def test_what_is_of_something_else_is_refused(peer: Hostile, out: Path, wrong: str) -> None:
    bad = ct_slice(3, study="2.25.1") if wrong == "study" else ct_slice(3)
    if wrong == "patient":
        bad.PatientID = "somebody else"
    peer.parts = [*GOOD[:2], encoded(bad)]
    if wrong == "series":
        again = ct_slice(2)
        again.SeriesInstanceUID = OTHER_SERIES
        peer.parts = [*GOOD[:2], encoded(again)]
        assert fetched(peer, out, 2).instances == 2  # of a series that was not asked for: not kept
        peer.listed = UIDS[:2]
        client = WebPeer(peer.archive, "", CancelToken())
        both = [FoundSeries(STUDY, OTHER_SERIES, instances=1), FoundSeries(STUDY, SERIES, instances=2)]
        with pytest.raises(ArchiveError) as caught:
            fetch(client, both, out / "both")
    else:
        with pytest.raises(ArchiveError) as caught:
            fetched(peer, out)
    assert caught.value.code is Code.NOT_ASKED_FOR
    assert not list(out.glob("**/.d24fad-fetch*")), "what is not to be trusted was kept aside"


def test_an_identifier_that_is_none_is_not_taken_for_an_image(peer: Hostile, out: Path) -> None:
    evil = ct_slice(3)
    with quiet():
        evil.SOPInstanceUID = "../../escaped"
        peer.parts = [*GOOD[:2], encoded(evil)]
    peer.single = {UIDS[2]: [GOOD[2]]}
    assert fetched(peer, out).instances == 3


def test_no_more_images_are_taken_than_a_series_may_have(peer: Hostile, out: Path) -> None:
    with pytest.raises(ArchiveError) as caught:
        fetched(peer, out, 2, replace(BOUNDS, instances=2))
    assert caught.value.code is Code.TOO_MUCH


def test_of_5000_images_none_is_lost_or_doubled_though_the_archive_breaks_off(
    peer: Hostile, out: Path
) -> None:
    first, pattern = encoded(ct_slice(10_001)), f"{SERIES}.10001".encode()
    peer.listed = [f"{SERIES}.{number}" for number in range(10_001, 15_001)]
    answers: list[int] = []

    def body() -> Iterator[bytes]:
        answers.append(2_000 if not answers else 5_000)
        parts = [first.replace(pattern, uid.encode()) for uid in peer.listed[: answers[-1]]]
        return multipart(parts, closes=len(answers) > 1)

    peer.body = body
    done = fetched(peer, out, 5_000)
    assert (done.instances, done.unlisted, answers) == (5_000, 0, [2_000, 5_000])
    assert names(done.folder) == sorted(instance_name(uid) for uid in peer.listed)


class Source:
    """Counts how often it is read; its last read waits until it is shut down."""

    def __init__(self, chunks: int) -> None:
        self.left, self.ahead, self.down = chunks, Event(), Event()

    def read1(self, size: int, decode_content: bool) -> bytes:
        self.left -= 1
        if self.left:
            return b"x" * 100
        self.ahead.set()
        self.down.wait(60)
        return b""

    def shutdown(self) -> None:
        self.down.set()

    def close(self) -> None:
        pass


def test_an_answer_is_received_ahead_of_whoever_uses_it() -> None:
    session = WebSession(Archive("a", url="http://127.0.0.1:9"), "", CancelToken())
    source = Source(chunks=6)
    chunks = _Guard(source, session).chunks()  # type: ignore[arg-type]
    next(chunks)
    assert source.ahead.wait(60), "it is read only when somebody wants more"
    chunks.close()  # type: ignore[attr-defined]
    assert source.down.is_set(), "the thread would wait for the peer"
    session.cancel.cancel()
    with pytest.raises(Cancelled):
        next(_Guard(Source(chunks=2), session).chunks())  # type: ignore[arg-type]
