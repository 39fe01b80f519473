"""Archives as they are set up: no password in a file, and nothing that leads elsewhere than it says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from napari_d24fad.archives.archive import Archive
from napari_d24fad.archives.kept import archive_named, archives, keep_archive, remove_archive
from napari_d24fad.archives.passwords import forget_password, keep_password, password_of, password_variable
from napari_d24fad.errors import ArchiveError, ArgumentError, Code
from napari_d24fad.settings import archives_file
from tests.archives.conftest import Memory

WEB = Archive("hospital-1", url="https://pacs.example/dicom-web", user="reader")


def test_archives_are_kept_and_forgotten() -> None:
    assert archives() == ()
    dimse = Archive("b", host="pacs.example", port=104, ae_title="PACS 1", tls=True, listen=11112)
    keep_archive(WEB)
    keep_archive(dimse)
    assert archives() == (dimse, WEB)
    keep_archive(replace(WEB, user="other"))
    assert archive_named("hospital-1").user == "other"
    assert archives_file().stat().st_mode & 0o077 == 0
    remove_archive("b")
    with pytest.raises(ArchiveError) as caught:
        archive_named("b")
    assert caught.value.code is Code.ARCHIVE_UNKNOWN


@pytest.mark.parametrize(
    "settings",
    [
        {"name": "", "url": "https://x"},
        {"name": "a b", "url": "https://x"},
        {"name": "../a", "url": "https://x"},
        {"name": "a"},
        {"name": "a", "url": "ftp://x"},
        {"name": "a", "url": "https://"},
        {"name": "a", "url": "https://user:word@x"},
        {"name": "a", "url": "https://x/?a=b"},
        {"name": "a", "url": "http://[::1]:8042"},
        {"name": "a", "url": "https://x:99999"},
        {"name": "a", "host": "x", "port": 0, "ae_title": "A"},
        {"name": "a", "host": "x", "port": 104, "ae_title": ""},
        {"name": "a", "host": "x", "port": 104, "ae_title": "A\\B"},
        {"name": "a", "host": "x", "port": 104, "ae_title": "A" * 17},
        {"name": "a", "host": "x y", "port": 104, "ae_title": "A"},
        {"name": "a", "host": "x", "port": 104, "ae_title": "A", "listen": 70000},
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ArgumentError) as caught:
        Archive(**settings)  # type: ignore[arg-type]
    assert "word" not in caught.value.detail.replace("password", "")


@pytest.mark.parametrize(
    "text", ["", "[", "{}", '{"schema": "d24fad-archives/1", "archives": [{"name": 1}]}']
)
def test_a_damaged_list_is_said(text: str) -> None:
    archives_file().parent.mkdir(parents=True)
    archives_file().write_text(text)
    with pytest.raises(ArgumentError, match=r"archives\.json"):
        archives()


def test_a_password_is_in_the_keyring_and_in_no_file(ring: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ArchiveError) as caught:
        password_of(WEB)
    assert caught.value.code is Code.PASSWORD_MISSING
    assert "D24FAD_PASSWORD_HOSPITAL_1" in str(caught.value)
    keep_archive(WEB)
    keep_password(WEB, "ZZSECRETZZ")
    assert password_of(WEB) == "ZZSECRETZZ"
    assert not [file for file in archives_file().parent.rglob("*") if b"ZZSECRETZZ" in file.read_bytes()]
    # a changed address is not handed the password of the other server
    with pytest.raises(ArchiveError):
        password_of(replace(WEB, url="https://other.example"))
    monkeypatch.setenv(password_variable(WEB.name), "of the environment")
    assert password_of(WEB) == "of the environment"
    monkeypatch.delenv(password_variable(WEB.name))
    forget_password(WEB)
    with pytest.raises(ArchiveError):
        password_of(WEB)
    assert password_of(replace(WEB, user="")) == ""


def test_only_loopback_is_this_machine() -> None:
    for host in ("localhost", "127.0.0.1", "127.9.9.9", "LOCALHOST"):
        assert Archive("a", url=f"http://{host}:8042").is_local, host
    assert Archive("a", host="::1", port=104, ae_title="A").is_local
    for host in ("0.0.0.0", "10.0.0.1", "127.0.0.1.example", "localhost.example", "2130706433"):
        assert not Archive("a", url=f"http://{host}").is_local, host
