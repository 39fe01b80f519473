"""DIMSE with a real Orthanc and with DCMTK's archive."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Timer

import pytest
from pydicom import dcmread
from pynetdicom import AE
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind

from napari_d24fad.archives.archive import Archive
from napari_d24fad.archives.dimse import DimsePeer
from napari_d24fad.archives.fetching import fetch, studies_to_fetch
from napari_d24fad.archives.found import FoundInstance, FoundSeries, Wanted
from napari_d24fad.archives.limits import BOUNDS
from napari_d24fad.archives.sending import send
from napari_d24fad.errors import ArchiveError, Cancelled, Code
from napari_d24fad.progress import CancelToken
from tests.archives.forgetful import Forgetful, forgetting
from tests.archives.orthanc import OWN_PORT, Orthanc
from tests.archives.studies import OTHER_SERIES, SERIES, STUDY, ct_slice, write_slices
from tests.studies.phantom import save

_DCMTK_PORT = 4343

# Sockets of connections that are broken off here are left to Python by pynetdicom and urllib3.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@pytest.fixture(scope="module")
def sent(orthanc: Orthanc, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("sent")
    files = write_slices(folder / "a", 12) + write_slices(folder / "b", 3, series=OTHER_SERIES)
    outcomes = send(DimsePeer(orthanc.dimse(), CancelToken()), files[:4])
    assert [(one.problem, one.compared) for one in outcomes] == [("", True)] * 4
    orthanc.fill(files[4:])
    return files


@pytest.fixture(scope="module")
def dcmtk(network: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """A second archive, of other makers."""
    program = shutil.which("dcmqrscp")
    if program is None:
        pytest.skip("DCMTK is not installed (.ci/test-packages.txt)")
    folder = tmp_path_factory.mktemp("dcmtk")
    (folder / "store").mkdir()
    settings = folder / "dcmqrscp.cfg"
    settings.write_text(
        f"""NetworkTCPPort = {_DCMTK_PORT}
MaxPDUSize = 16384
MaxAssociations = 16
HostTable BEGIN
us = (D24FAD, 127.0.0.1, {OWN_PORT})
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
SECOND {folder / "store"} RW (200, 1024mb) ANY
AETable END
"""
    )
    process = subprocess.Popen(
        [program, "-c", settings], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", _DCMTK_PORT), timeout=1).close()
            break
        except OSError:
            time.sleep(0.05)
    yield Archive("second", host="127.0.0.1", port=_DCMTK_PORT, ae_title="SECOND")
    process.kill()
    process.wait(30)


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def check_fetched(sent: list[Path], out: Path) -> None:
    there = {dcmread(file).SOPInstanceUID: dcmread(file).PixelData for file in files_in(out)}
    assert there == {dcmread(file).SOPInstanceUID: dcmread(file).PixelData for file in sent}


@pytest.mark.parametrize("listen", [0, OWN_PORT], ids=["C-GET", "C-MOVE"])
def test_a_study_is_found_and_fetched(orthanc: Orthanc, sent: list[Path], out: Path, listen: int) -> None:
    peer = DimsePeer(orthanc.dimse(listen), CancelToken())
    peer.check()
    for wanted in (Wanted(patient_id="archive-1"), Wanted(name="Archive^One"), Wanted(date="20261130-")):
        (study,) = peer.studies(wanted)
        assert (study.uid, study.patient_id, study.name) == (STUDY, "archive-1", "Archive^One")
    assert peer.studies(Wanted(patient_id="nobody")) == ()
    (series,) = studies_to_fetch(peer, Wanted(study=STUDY))
    fetched = fetch(peer, series, out)
    assert fetched.instances == 15
    check_fetched(sent, out)


@pytest.mark.parametrize("listen", [0, OWN_PORT], ids=["C-GET", "C-MOVE"])
def test_the_second_archive_takes_and_gives_the_same(
    dcmtk: Archive, tmp_path: Path, out: Path, listen: int
) -> None:
    files = write_slices(tmp_path / "files", 5, study=f"2.25.81{listen}", series=f"2.25.82{listen}")
    peer = DimsePeer(replace(dcmtk, listen=listen), CancelToken())
    outcomes = send(peer, files)
    assert [(one.problem, one.compared) for one in outcomes] == [("", True)] * 5
    (series,) = studies_to_fetch(peer, Wanted(study=f"2.25.81{listen}"))
    assert fetch(peer, series, out).instances == 5
    check_fetched(files, out)


def test_an_archive_commits_itself_to_keep_what_it_has(
    orthanc: Orthanc, dcmtk: Archive, sent: list[Path], tmp_path: Path
) -> None:
    files = write_slices(tmp_path / "files", 2, study="2.25.83", series="2.25.84", other=True)
    peer = DimsePeer(orthanc.dimse(OWN_PORT), CancelToken())
    assert [one.committed for one in send(peer, files)] == [True, True]
    unknown = FoundInstance("2.25.99999", ct_slice(1).SOPClassUID)
    known = FoundInstance("2.25.84.1", ct_slice(1).SOPClassUID)
    assert peer.commit([known, unknown]) == {"2.25.84.1"}
    # Without a port to be told on, and of DCMTK's, which has no such service
    assert [one.committed for one in send(DimsePeer(orthanc.dimse(), CancelToken()), files)] == [None, None]
    assert DimsePeer(replace(dcmtk, listen=OWN_PORT), CancelToken()).commit([known]) is None


def test_other_content_under_a_uid_that_is_there_is_not_taken_for_stored(
    orthanc: Orthanc, sent: list[Path], tmp_path: Path
) -> None:
    other = ct_slice(1)
    other.PixelData = bytes(len(other.PixelData))
    (outcome,) = send(DimsePeer(orthanc.dimse(), CancelToken()), [save(other, tmp_path / "other.dcm")])
    assert "holds something else" in outcome.problem


def test_wrong_titles_and_nobody_there_are_said(orthanc: Orthanc) -> None:
    right = orthanc.dimse()
    for wrong, code in (
        (replace(right, ae_title="OTHER"), Code.AE_REFUSED),
        (replace(right, own_ae_title="STRANGER"), Code.AE_REFUSED),
        (replace(right, port=9), Code.UNREACHABLE),
    ):
        peer = DimsePeer(wrong, CancelToken())
        for ask in (peer.check, partial(peer.studies, Wanted())):
            with pytest.raises(ArchiveError) as caught:
                ask()
            assert caught.value.code is code


def test_images_are_taken_only_of_the_archive_that_was_asked(
    orthanc: Orthanc, sent: list[Path], out: Path
) -> None:
    """Another AE title connects to the port while a retrieval is going on."""
    told: list[int] = []
    peer = DimsePeer(orthanc.dimse(OWN_PORT), CancelToken())
    (series,) = studies_to_fetch(peer, Wanted(study=STUDY))

    def intrude(file: Path) -> None:
        if not told:
            for calling, called in (("STRANGER", "D24FAD"), ("ORTHANC", "OTHER"), ("ORTHANC", "D24FAD")):
                done = subprocess.run(
                    ["echoscu", "-aet", calling, "-aec", called, "127.0.0.1", str(OWN_PORT)],
                    capture_output=True,
                    timeout=60,
                    check=False,
                )
                told.append(done.returncode)

    if shutil.which("echoscu") is None:
        pytest.skip("DCMTK is not installed (.ci/test-packages.txt)")
    fetch(peer, series, out, arrived=intrude)
    stranger, other, right = told
    assert stranger != 0
    assert other != 0
    assert right == 0
    check_fetched(sent, out)


@pytest.mark.parametrize("listen", [0, OWN_PORT], ids=["C-GET", "C-MOVE"])
def test_a_stop_in_the_middle_is_taken_up_again(
    orthanc: Orthanc, sent: list[Path], out: Path, listen: int
) -> None:
    cancel = CancelToken()
    peer = DimsePeer(orthanc.dimse(listen), cancel)
    (series,) = studies_to_fetch(peer, Wanted(study=STUDY))
    with pytest.raises(Cancelled):
        fetch(peer, series, out, cancel=cancel, arrived=lambda file: cancel.cancel())
    assert not [path for path in out.iterdir() if not path.name.startswith(".")]
    fetched = fetch(DimsePeer(orthanc.dimse(listen), CancelToken()), series, out)
    assert fetched.resumed >= 1
    check_fetched(sent, out)


def test_an_archive_that_is_killed_costs_nothing_that_had_arrived(
    orthanc: Orthanc, sent: list[Path], out: Path
) -> None:
    peer = DimsePeer(orthanc.dimse(), CancelToken())
    (series,) = studies_to_fetch(peer, Wanted(study=STUDY))
    seen: list[Path] = []

    def kill_once(file: Path) -> None:
        seen.append(file)
        if len(seen) == 5:
            orthanc.kill()

    try:
        with pytest.raises(ArchiveError) as caught:
            fetch(peer, series, out, arrived=kill_once)
    finally:
        orthanc.start()
    assert caught.value.code is Code.UNREACHABLE
    assert fetch(peer, series, out).resumed == len(seen)
    check_fetched(sent, out)


def test_an_archive_with_too_many_connections_is_not_said_to_refuse_its_user(network: None) -> None:
    with forgetting(Forgetful({}), OWN_PORT, at_once=1) as peer:
        other = AE()
        other.add_requested_context(StudyRootQueryRetrieveInformationModelFind)
        held = other.associate("127.0.0.1", peer.port)
        assert held.is_established
        with pytest.raises(ArchiveError, match="no further connection") as caught:
            DimsePeer(peer.archive(0), CancelToken()).studies(Wanted())
        held.release()
    assert caught.value.code is Code.UNREACHABLE


@pytest.mark.parametrize("listen", [0, OWN_PORT], ids=["C-GET", "C-MOVE"])
def test_an_image_that_fails_is_asked_for_again_and_named(network: None, out: Path, listen: int) -> None:
    images = {f"{SERIES}.{number}": ct_slice(number) for number in (1, 2, 3)}
    lost = f"{SERIES}.2"
    series = [FoundSeries(STUDY, SERIES, instances=3)]
    with forgetting(Forgetful(images, forgets={lost}), OWN_PORT) as peer:
        client = DimsePeer(peer.archive(listen), CancelToken())
        assert fetch(client, series, out / "a").instances == 3
        assert peer.asked == [[], [lost]]
        peer.again = False
        with pytest.raises(ArchiveError) as caught:
            fetch(client, series, out / "b")
        assert caught.value.code is Code.INCOMPLETE
        assert f"Missing are 1 of 3: {lost}." in str(caught.value)
        assert not list((out / "b").glob("study-*"))
        # The next start asks for it alone.
        peer.again = True
        peer.asked.clear()
        done = fetch(DimsePeer(peer.archive(listen), CancelToken()), series, out / "b")
        assert (done.instances, done.resumed) == (3, 2)
        assert peer.asked == [[lost]]


def test_a_peer_that_says_nothing_does_not_hold_up_a_cancel() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        cancel = CancelToken()
        archive = Archive("silent", host="127.0.0.1", port=silent.getsockname()[1], ae_title="X")
        Timer(0.3, cancel.cancel).start()
        with pytest.raises(Cancelled):
            DimsePeer(archive, cancel).check()
        impatient = replace(BOUNDS, silence=0.3)
        with pytest.raises(ArchiveError) as caught:
            DimsePeer(archive, CancelToken(), impatient).check()
        assert caught.value.code in (Code.UNREACHABLE, Code.STALLED)


def test_more_results_and_bytes_than_agreed_are_cut_off(
    orthanc: Orthanc, sent: list[Path], out: Path
) -> None:
    few = DimsePeer(orthanc.dimse(), CancelToken(), replace(BOUNDS, instances=5))
    with pytest.raises(ArchiveError) as caught:
        few.instances(FoundSeries(STUDY, SERIES))
    assert caught.value.code is Code.TOO_MUCH
    peer = DimsePeer(orthanc.dimse(), CancelToken())
    (series,) = studies_to_fetch(peer, Wanted(study=STUDY))
    with pytest.raises(ArchiveError) as caught:
        fetch(peer, series, out, bounds=replace(BOUNDS, instance=100))
    assert caught.value.code is Code.TOO_MUCH
