"""What a DICOMweb server may do to harm: none of it is taken, and nothing is left half-imported."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Timer

import pytest

from napari_d24fad.archives.archive import Archive
from napari_d24fad.archives.dicomweb import WebPeer
from napari_d24fad.archives.fetching import fetch
from napari_d24fad.archives.found import FoundSeries, Wanted
from napari_d24fad.archives.limits import Bounds
from napari_d24fad.archives.peer import connect
from napari_d24fad.errors import ArchiveError, Cancelled, Code
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.files.quiet import quiet
from tests.archives.hostile import Hostile, drip, flood, serving
from tests.archives.studies import OTHER_STUDY, SERIES, STUDY, ct_slice, encoded

BOUNDS = Bounds(
    results=300, instances=300, answer=2**20, instance=2**20, study=2**21, silence=0.8, slowest=100
)
GOOD = [encoded(ct_slice(number)) for number in (1, 2)]

# Sockets of connections that are broken off here are left to Python by pynetdicom and urllib3.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@pytest.fixture
def peer() -> Iterator[Hostile]:
    with serving(Hostile(parts=list(GOOD))) as server:
        yield server


def fetched(peer: Hostile, out: Path, cancel: CancelToken | None = None) -> int:
    cancel = cancel or CancelToken()
    client = WebPeer(peer.archive, "", cancel, BOUNDS)
    return fetch(client, [FoundSeries(STUDY, SERIES)], out, cancel=cancel, bounds=BOUNDS).instances


def refused(peer: Hostile, out: Path) -> ArchiveError:
    with pytest.raises(ArchiveError) as caught:
        fetched(peer, out)
    assert not [path for path in out.iterdir() if not path.name.startswith(".")], "it was half-imported"
    assert not list(out.rglob("*instance"))
    return caught.value


def test_a_good_one_is_taken_so_that_others_are_refused_for_what_they_do(peer: Hostile, out: Path) -> None:
    assert fetched(peer, out) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        ct_slice(2, study=OTHER_STUDY),
        ct_slice(2, series="2.25.1"),
        ct_slice(2),
    ],
    ids=["study", "series", "patient"],
)
def test_images_of_something_else_are_refused_and_nothing_is_kept(
    peer: Hostile, out: Path, wrong, request: pytest.FixtureRequest
) -> None:
    if request.node.callspec.id == "patient":
        wrong.PatientID = "somebody else"
    wrong.SOPInstanceUID = wrong.file_meta.MediaStorageSOPInstanceUID = f"{SERIES}.2"
    peer.parts = [GOOD[0], encoded(wrong)]
    assert refused(peer, out).code is Code.NOT_ASKED_FOR
    assert not list(out.iterdir()), "what is not to be trusted was kept aside"


def test_two_images_of_one_uid_that_differ_are_refused(peer: Hostile, out: Path) -> None:
    other = ct_slice(1)
    other.PixelData = bytes(len(other.PixelData))
    peer.parts = [*GOOD[:1], encoded(other), GOOD[1]]
    assert refused(peer, out).code is Code.DIFFERENT_COPY


def test_the_same_image_twice_is_kept_once(peer: Hostile, out: Path) -> None:
    peer.parts = [GOOD[0], GOOD[0], GOOD[1], GOOD[1]]
    assert fetched(peer, out) == 2
    assert len(list(out.rglob("*.dcm"))) == 2


def test_images_that_were_not_listed_are_not_kept(peer: Hostile, out: Path) -> None:
    peer.parts = [*GOOD, encoded(ct_slice(3))]
    assert fetched(peer, out) == 2
    assert len(list(out.rglob("*.dcm"))) == 2


def test_a_uid_is_never_a_path(peer: Hostile, out: Path) -> None:
    for uid in ("../../escaped", "/tmp/escaped", "1.2.3\n", "1" * 65, ""):
        peer.listed = [uid]
        assert refused(peer, out).code is Code.BAD_ANSWER
    evil = ct_slice(1)
    with quiet():
        evil.SOPInstanceUID = "../../escaped"
        peer.listed, peer.parts = [f"{SERIES}.1"], [encoded(evil)]
    assert refused(peer, out).code is Code.INCOMPLETE
    assert not list(out.parent.rglob("*escaped*"))


def test_an_image_that_fails_is_asked_for_again_and_named(peer: Hostile, out: Path) -> None:
    peer.parts = [GOOD[0], b"no DICOM at all"]
    peer.single = {f"{SERIES}.2": [b"again none"]}
    problem = refused(peer, out)
    assert problem.code is Code.INCOMPLETE
    assert f"Missing are 1 of 2: {SERIES}.2." in str(problem)
    assert sum(path.endswith(f"{SERIES}.2") for path in peer.asked) == 2
    peer.single = {f"{SERIES}.2": [GOOD[1]]}
    peer.parts = []
    peer.asked.clear()
    assert fetched(peer, out) == 2
    assert not [path for path in peer.asked if path.endswith((SERIES, f"{SERIES}.1"))], "asked for again"


def test_a_part_without_an_end_is_not_an_image(peer: Hostile, out: Path) -> None:
    peer.closes = False
    assert refused(peer, out).code is Code.INCOMPLETE


def test_endless_answers_are_cut_off(peer: Hostile, out: Path) -> None:
    peer.body = flood
    assert refused(peer, out).code is Code.TOO_MUCH
    assert sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) == 0
    peer.body, peer.lists_for_ever = None, True
    assert refused(peer, out).code is Code.TOO_MUCH
    peer.answers = {"instances": b"[" * 2**21}
    assert refused(peer, out).code is Code.TOO_MUCH
    peer.answers = {"instances": b"[" * 2**18}
    assert refused(peer, out).code is Code.BAD_ANSWER
    for answer in (b"no JSON", b'{"a": 1}', b"[1, 2]", b'[{"00080018": 7}]', b"\xff\xfe"):
        peer.answers = {"instances": answer}
        assert refused(peer, out).code is Code.BAD_ANSWER


def test_a_slow_drip_and_silence_come_to_an_end(peer: Hostile, out: Path) -> None:
    peer.body = drip
    assert refused(peer, out).code is Code.STALLED
    peer.body = lambda: drip(60)
    assert refused(peer, out).code is Code.STALLED


def test_a_cancel_is_honoured_while_the_peer_is_silent(peer: Hostile, out: Path) -> None:
    patient = replace(BOUNDS, silence=60)
    peer.body = lambda: drip(60)
    cancel = CancelToken()
    client = WebPeer(peer.archive, "", cancel, patient)
    timer = Timer(0.3, cancel.cancel)
    timer.start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        fetch(client, [FoundSeries(STUDY, SERIES)], out, cancel=cancel, bounds=patient)
    assert time.monotonic() - began < 30, "it waited for the peer"


def test_it_is_not_sent_on_to_another_place(peer: Hostile, out: Path) -> None:
    peer.redirect = "http://192.0.2.1/dicom-web"  # reserved for documentation (RFC 5737)
    with pytest.raises(ArchiveError) as caught:
        WebPeer(peer.archive, "", CancelToken(), BOUNDS).studies(Wanted())
    assert caught.value.code is Code.BAD_ANSWER


def test_names_of_a_peer_cannot_steer_a_terminal(peer: Hostile) -> None:
    name = {"vr": "PN", "Value": [{"Alphabetic": "Doe\u001b[2J^\u202eJane" + "x" * 5000}]}
    import json

    entry = {"0020000D": {"vr": "UI", "Value": [STUDY]}, "00100010": name}
    peer.answers = {"studies": json.dumps([entry]).encode()}
    (study,) = WebPeer(peer.archive, "", CancelToken(), BOUNDS).studies(Wanted())
    assert study.name.isprintable()
    assert len(study.name) <= 128


def test_no_connection_beyond_this_machine_is_open_unless_that_is_allowed() -> None:
    for archive in (
        Archive("a", url="http://192.0.2.1/dicom-web"),
        Archive("a", url="http://pacs.example/dicom-web"),
        Archive("a", url="http://localhost.example/dicom-web"),
        Archive("a", host="192.0.2.1", port=104, ae_title="PACS"),
    ):
        with pytest.raises(ArchiveError) as caught:
            connect(archive, "", CancelToken())
        assert caught.value.code is Code.NOT_ENCRYPTED
        connect(replace(archive, unencrypted=True), "", CancelToken()).close()
    connect(Archive("a", url="https://pacs.example/dicom-web"), "", CancelToken()).close()


def test_what_is_searched_for_is_logged_nowhere(peer: Hostile, caplog: pytest.LogCaptureFixture) -> None:
    client = WebPeer(peer.archive, "", CancelToken(), BOUNDS)
    with caplog.at_level("DEBUG"):
        client.studies(Wanted(patient_id="ZZMARKERZZ"))
        peer.answers = {"studies": b"["}
        with pytest.raises(ArchiveError):
            client.studies(Wanted(patient_id="ZZMARKERZZ"))
        away = WebPeer(Archive("away", url="http://127.0.0.1:9"), "", CancelToken(), BOUNDS)
        with pytest.raises(ArchiveError):
            away.studies(Wanted(patient_id="ZZMARKERZZ"))
    assert "ZZMARKERZZ" not in caplog.text
