"""The commands, with a real Orthanc."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydicom import dcmread

from napari_d24fad import cli
from tests.archives.conftest import Memory
from tests.archives.orthanc import HTTP_PORT, PASSWORD, USER, Orthanc
from tests.archives.studies import SERIES, STUDY, ct_slice, write_slices
from tests.cli.conftest import environment
from tests.studies.phantom import save

URL = f"http://127.0.0.1:{HTTP_PORT}/dicom-web"


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


Command = Callable[..., Done]


@pytest.fixture
def d24fad(
    tmp_path: Path,
    orthanc: Orthanc,
    ring: Memory,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    """Runs ``d24fad`` in this process, which is in the network of the archive."""
    monkeypatch.setenv("D24FAD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("D24FAD_PASSWORD_PACS", PASSWORD)
    monkeypatch.chdir(tmp_path)

    def run(*words: str | Path) -> Done:
        status = cli.main([str(word) for word in words])
        said = capsys.readouterr()
        return Done(status, said.out, said.err)

    return run


def limit_files() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.dcm") if ".d24fad" not in str(path))


def test_from_setting_up_to_sending_back(
    d24fad: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = d24fad("archives", "add", "pacs", "--url", URL, "--user", USER)
    assert added.returncode == 0, added.stderr
    assert "D24FAD_PASSWORD_PACS" in added.stdout
    assert d24fad("archives", "test", "pacs").stdout == "pacs answers.\n"
    listed = json.loads(d24fad("archives", "list", "--json").stdout)
    assert [one["name"] for one in listed["archives"]] == ["pacs"]

    files = write_slices(tmp_path / "files", 6)
    sent = d24fad("send", "pacs", tmp_path / "files")
    assert sent.stdout == "6 of 6 files are in the archive; 6 were read back and are the same.\n", sent.stderr

    fetched = d24fad("fetch", "pacs", "--patient", "archive-1", "--out", "got", "--json")
    (study,) = json.loads(fetched.stdout)["studies"]
    assert (study["study"], study["instances"], study["present"]) == (STUDY, 6, 0)
    there = {dcmread(file).SOPInstanceUID: dcmread(file).PixelData for file in files_in(tmp_path / "got")}
    assert there == {dcmread(file).SOPInstanceUID: dcmread(file).PixelData for file in files}
    by_date = d24fad("fetch", "pacs", "--date", "20261130-20261201", "--modality", "CT", "--out", "got")
    assert "6 images, 6 of them there before" in by_date.stdout

    # what goes wrong has its code and status
    other = ct_slice(1)
    other.PixelData = bytes(len(other.PixelData))
    differs = d24fad("send", "pacs", save(other, tmp_path / "other.dcm"))
    assert differs.returncode == 10
    assert "error N11" in differs.stderr
    assert f"{SERIES}.1" in differs.stderr
    nothing = d24fad("fetch", "pacs", "--study", "1.2.3", "--out", "got")
    assert (nothing.returncode, "error N12" in nothing.stderr) == (10, True)
    monkeypatch.setenv("D24FAD_PASSWORD_PACS", "ZZWRONGZZ")
    wrong = d24fad("archives", "test", "pacs")
    monkeypatch.setenv("D24FAD_PASSWORD_PACS", PASSWORD)
    assert (wrong.returncode, "error N02" in wrong.stderr) == (10, True)
    assert "ZZWRONGZZ" not in wrong.stderr
    assert d24fad("fetch", "pacs", "--out", "got").returncode == 2
    assert "error N05" in d24fad("fetch", "nobody", "--date", "20260101", "--out", "got").stderr
    plain = d24fad("archives", "add", "far", "--url", "http://192.0.2.1/dicom-web")
    assert (plain.returncode, "error N03" in plain.stderr) == (10, True)
    assert not (tmp_path / "cache" / "archives.json").read_text().count(PASSWORD)
    assert d24fad("archives", "remove", "pacs").returncode == 0
    assert d24fad("archives", "list").stdout == "No archive is set up.\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no such limits on this system")
def test_a_full_disk_leaves_nothing_half_fetched(d24fad: Command, orthanc: Orthanc, tmp_path: Path) -> None:
    orthanc.fill(
        write_slices(tmp_path / "files", 2, study="2.25.7300", series="2.25.7301", pixels=64, other=True)
    )
    d24fad("archives", "add", "pacs", "--url", URL, "--user", USER)
    words = ("fetch", "pacs", "--study", "2.25.7300", "--out", tmp_path / "got")
    full = subprocess.run(
        [sys.executable, "-m", "napari_d24fad", *map(str, words)],
        env=environment(),
        preexec_fn=limit_files,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (full.returncode, "error X01" in full.stderr) == (6, True), full.stderr
    assert not files_in(tmp_path / "got")
    assert not list((tmp_path / "got").rglob("*instance"))
    assert d24fad(*words).returncode == 0
    assert len(files_in(tmp_path / "got")) == 2
