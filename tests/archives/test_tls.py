"""Encrypted connections: verified, and refused where they cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from napari_d24fad.archives.fetching import fetch, studies_to_fetch
from napari_d24fad.archives.found import Wanted
from napari_d24fad.archives.peer import connect
from napari_d24fad.errors import ArchiveError, Code
from napari_d24fad.progress import CancelToken
from tests.archives.orthanc import DICOM_PORT, HTTP_PORT, PASSWORD, Orthanc
from tests.archives.studies import STUDY, write_slices
from tests.archives.tls import encrypting, write_certificate


class Encrypted(NamedTuple):
    web: int
    dimse: int
    authority: Path
    stranger: Path


@pytest.fixture(scope="module")
def encrypted(orthanc: Orthanc, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Encrypted]:
    folder = tmp_path_factory.mktemp("tls")
    orthanc.fill(write_slices(folder / "files", 3))
    certificate, key = write_certificate(folder, "archive")
    stranger, _ = write_certificate(folder, "stranger")
    with encrypting(certificate, key, HTTP_PORT) as web, encrypting(certificate, key, DICOM_PORT) as dimse:
        yield Encrypted(web, dimse, certificate, stranger)


@pytest.mark.parametrize("kind", ["DICOMweb", "DIMSE"])
def test_only_an_archive_that_can_prove_itself_is_spoken_to(
    orthanc: Orthanc, encrypted: Encrypted, out: Path, kind: str
) -> None:
    if kind == "DICOMweb":
        archive = replace(orthanc.web, url=f"https://127.0.0.1:{encrypted.web}/dicom-web")
    else:
        archive = replace(orthanc.dimse(), port=encrypted.dimse, tls=True)
    for authority in ("", str(encrypted.stranger), "/nowhere.pem"):
        with pytest.raises(ArchiveError) as caught:
            connect(replace(archive, authority=authority), PASSWORD, CancelToken()).check()
        assert caught.value.code is Code.NOT_TRUSTED, authority
    peer = connect(replace(archive, authority=str(encrypted.authority)), PASSWORD, CancelToken())
    peer.check()
    (series,) = studies_to_fetch(peer, Wanted(study=STUDY))
    assert fetch(peer, series, out).instances == 3
    peer.close()


def test_what_does_not_speak_tls_is_not_spoken_to(orthanc: Orthanc, encrypted: Encrypted) -> None:
    authority = str(encrypted.authority)
    for archive in (
        replace(orthanc.web, url=f"https://127.0.0.1:{HTTP_PORT}/dicom-web", authority=authority),
        replace(orthanc.dimse(), tls=True, authority=authority),
    ):
        with pytest.raises(ArchiveError) as caught:
            connect(archive, PASSWORD, CancelToken()).check()
        assert caught.value.code in (Code.NOT_TRUSTED, Code.UNREACHABLE)
