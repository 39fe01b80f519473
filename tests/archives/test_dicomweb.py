"""DICOMweb with a real Orthanc."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from napari_d24fad.archives.dicomweb import WebPeer
from napari_d24fad.archives.fetching import fetch, studies_to_fetch
from napari_d24fad.archives.found import Wanted
from napari_d24fad.archives.sending import send
from napari_d24fad.errors import ArchiveError, Cancelled, Code
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.study import open_study
from tests.archives.orthanc import PASSWORD, Orthanc
from tests.archives.studies import OTHER_SERIES, SERIES, STUDY, ct_slice, write_slices
from tests.studies.phantom import save

SLICES = 80  # more bytes than wait in the buffers of a connection

# Sockets of connections that are broken off here are left to Python by pynetdicom and urllib3.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@pytest.fixture(scope="module")
def sent(orthanc: Orthanc, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A study of two series that is in Orthanc, sent by this program."""
    folder = tmp_path_factory.mktemp("sent")
    files = write_slices(folder / "a", 12) + write_slices(folder / "b", 3, series=OTHER_SERIES)
    peer = WebPeer(orthanc.web, PASSWORD, CancelToken())
    outcomes = send(peer, files)
    peer.close()
    assert [one.problem for one in outcomes] == [""] * 15
    assert all(one.compared for one in outcomes)
    return files


@pytest.fixture
def cancel() -> CancelToken:
    return CancelToken()


@pytest.fixture
def peer(orthanc: Orthanc, sent: list[Path], cancel: CancelToken) -> Iterator[WebPeer]:
    found = WebPeer(orthanc.web, PASSWORD, cancel)
    yield found
    found.close()


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_studies_and_series_are_found_by_what_is_asked(
    peer: WebPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer.check()
    for wanted in (
        Wanted(patient_id="archive-1"),
        Wanted(name="Archive*"),
        Wanted(name="Archive^One"),
        Wanted(date="20261129-20261201", modality="CT"),
        Wanted(study=STUDY),
    ):
        (study,) = peer.studies(wanted)
        assert (study.uid, study.patient_id, study.name) == (STUDY, "archive-1", "Archive^One")
        assert (study.date, study.description, study.modalities) == ("20261130", "Chest", "CT")
    assert peer.studies(Wanted(patient_id="nobody")) == ()
    found = {one.uid: one for one in peer.series(STUDY)}
    assert set(found) == {SERIES, OTHER_SERIES}
    assert (found[SERIES].instances, found[SERIES].modality, found[SERIES].description) == (12, "CT", "Axial")
    assert {one.uid for one in peer.instances(found[SERIES])} == {
        f"{SERIES}.{number}" for number in range(1, 13)
    }


def test_what_is_fetched_is_what_was_sent(peer: WebPeer, sent: list[Path], out: Path) -> None:
    (series,) = studies_to_fetch(peer, Wanted(study=STUDY))
    seen: list[Path] = []
    steps: list[float] = []
    fetched = fetch(peer, series, out, arrived=seen.append, progress=lambda done, step: steps.append(done))
    assert (fetched.instances, fetched.resumed, fetched.present, fetched.unlisted) == (15, 0, 0, 0)
    assert len(seen) == 15
    assert steps == sorted(steps)
    stored = {dcmread(file).SOPInstanceUID: dcmread(file) for file in files_in(out)}
    assert len(stored) == 15
    for file in sent:
        one = dcmread(file)
        assert stored[one.SOPInstanceUID].PixelData == one.PixelData
    assert [path.name for path in out.iterdir()] == [fetched.folder.name]
    assert not [path for path in files_in(out) if "2.25" in path.name]
    opened = open_study(out)
    assert sorted(len(one.files) for one in opened.series) == [3, 12]
    voxels = next(one for one in opened.series if len(one.files) == 12).load().voxels
    expected = {dcmread(file).pixel_array.sum() - 1024.0 * 256 for file in sent[:12]}
    assert {float(np.sum(plane, dtype=np.float64)) for plane in voxels} == expected


def test_what_was_fetched_before_is_not_fetched_again(
    peer: WebPeer, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (series,) = studies_to_fetch(peer, Wanted(study=STUDY))
    folder = fetch(peer, series, out).folder
    before = {file: file.stat().st_ino for file in files_in(out)}
    seen: list[Path] = []
    with monkeypatch.context() as without:
        without.delattr(WebPeer, "retrieve")  # nothing may be asked for
        again = fetch(peer, series, out)
    assert (again.instances, again.present, again.folder) == (15, 15, folder)
    # one is gone: all come again, those that are there are compared, and none is doubled
    files_in(out)[0].unlink()
    again = fetch(peer, series, out, arrived=seen.append)
    assert (again.instances, again.present, len(seen)) == (15, 14, 15)
    assert {file: file.stat().st_ino for file in files_in(out)[1:]} == dict(list(before.items())[1:])
    assert len(files_in(out)) == 15


def test_one_series_joins_a_study_that_is_there(peer: WebPeer, out: Path) -> None:
    for wanted, count in ((SERIES, 12), (OTHER_SERIES, 15)):
        ((series,),) = studies_to_fetch(peer, Wanted(study=STUDY), series=wanted)
        fetch(peer, [series], out)
        assert len(files_in(out)) == count


def test_an_earlier_study_is_known_to_be_of_the_same_patient(
    peer: WebPeer, orthanc: Orthanc, tmp_path: Path, out: Path
) -> None:
    for study in ("2.25.7200", "2.25.7300"):
        orthanc.fill(write_slices(tmp_path / study, 3, study=study, series=f"{study}.1", other=True))
        (series,) = studies_to_fetch(peer, Wanted(study=study))
        fetch(peer, series, out)
    opened = open_study(out).series
    assert len(opened) == 2
    (key,) = {one.identity.patient_key for one in opened}
    assert key, "the warning P14 goes by it"


def test_an_image_that_differs_from_the_one_in_the_folder_is_refused(peer: WebPeer, out: Path) -> None:
    (series,) = studies_to_fetch(peer, Wanted(study=STUDY))
    fetched = fetch(peer, series, out)
    changed = files_in(fetched.folder)[0]
    dataset = dcmread(changed)
    dataset.PixelData = bytes(len(dataset.PixelData))
    dataset.save_as(changed)
    before = changed.read_bytes()
    files_in(fetched.folder)[1].unlink()  # else nothing would come again
    with pytest.raises(ArchiveError) as caught:
        fetch(peer, series, out)
    assert caught.value.code is Code.DIFFERENT_COPY
    assert changed.read_bytes() == before


def test_a_wrong_password_is_said(orthanc: Orthanc, cancel: CancelToken) -> None:
    peer = WebPeer(orthanc.web, "wrong", cancel)
    for ask in (peer.check, lambda: peer.studies(Wanted())):
        with pytest.raises(ArchiveError) as caught:
            ask()
        assert caught.value.code is Code.LOGIN_REFUSED
        assert "wrong" not in str(caught.value)


def test_nobody_there_is_said(orthanc: Orthanc, cancel: CancelToken) -> None:
    away = replace(orthanc.web, url="http://127.0.0.1:9/dicom-web")
    with pytest.raises(ArchiveError) as caught:
        WebPeer(away, PASSWORD, cancel).check()
    assert caught.value.code is Code.UNREACHABLE


def test_other_content_under_a_uid_that_is_there_is_not_taken_for_stored(
    peer: WebPeer, tmp_path: Path
) -> None:
    """Orthanc reports success and keeps what it had."""
    other = ct_slice(1)
    other.PixelData = bytes(len(other.PixelData))
    (outcome,) = send(peer, [save(other, tmp_path / "other.dcm")])
    assert "holds something else" in outcome.problem


def test_a_stop_in_the_middle_is_taken_up_again(peer: WebPeer, cancel: CancelToken, out: Path) -> None:
    (series,) = studies_to_fetch(peer, Wanted(study=STUDY))
    seen: list[Path] = []

    def stop_after_five(file: Path) -> None:
        seen.append(file)
        if len(seen) == 5:
            cancel.cancel()

    with pytest.raises(Cancelled):
        fetch(peer, series, out, cancel=cancel, arrived=stop_after_five)
    assert not [path for path in out.iterdir() if not path.name.startswith(".")]
    assert len(seen) == 5


def test_a_stop_can_be_taken_up_and_a_picture_is_offered(
    orthanc: Orthanc, sent: list[Path], out: Path
) -> None:
    first = CancelToken()
    peer = WebPeer(orthanc.web, PASSWORD, first)
    (series,) = studies_to_fetch(peer, Wanted(study=STUDY))
    assert peer.preview(series[0])[:2] == b"\xff\xd8"
    with pytest.raises(Cancelled):
        fetch(peer, series, out, cancel=first, arrived=lambda file: first.cancel())
    other = WebPeer(orthanc.web, PASSWORD, CancelToken())
    fetched = fetch(other, series, out)
    assert fetched.resumed == 1
    assert len(files_in(out)) == 15


def test_an_archive_that_is_killed_costs_nothing_that_had_arrived(
    orthanc: Orthanc, sent: list[Path], out: Path, tmp_path: Path
) -> None:
    many = write_slices(
        tmp_path / "many", SLICES, study="2.25.7100", series="2.25.7101", pixels=512, other=True
    )
    orthanc.fill(many)
    peer = WebPeer(orthanc.web, PASSWORD, CancelToken())
    (series,) = studies_to_fetch(peer, Wanted(study="2.25.7100"))
    seen: list[Path] = []

    def kill_once(file: Path) -> None:
        seen.append(file)
        if len(seen) == 2:
            orthanc.kill()

    try:
        with pytest.raises(ArchiveError) as caught:
            fetch(peer, series, out, arrived=kill_once)
    finally:
        orthanc.start()
    assert caught.value.code is Code.UNREACHABLE
    assert not [path for path in out.iterdir() if not path.name.startswith(".")]
    arrived = len(seen)
    assert 2 <= arrived < SLICES
    fetched = fetch(peer, series, out, arrived=seen.append)
    assert (fetched.resumed, fetched.instances) == (arrived, SLICES)
    assert len(files_in(out)) == SLICES
    assert {dcmread(file).SOPInstanceUID for file in files_in(out)} == {
        f"2.25.7101.{number}" for number in range(1, SLICES + 1)
    }
