"""A real Orthanc, started by the tests themselves."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
import requests

from napari_d24fad.archives.archive import Archive

PROGRAM = Path("/usr/sbin/Orthanc")
PLUGINS = Path("/usr/share/orthanc/plugins")
USER, PASSWORD = "reader", "only for tests"
HTTP_PORT, DICOM_PORT, OWN_PORT = 8042, 4242, 11112
TITLE = "ORTHANC"


class Orthanc:
    """A server with DICOMweb, DIMSE and one user; must be in a network of its own."""

    def __init__(self, folder: Path) -> None:
        if not PROGRAM.exists() or not (PLUGINS / "libOrthancDicomWeb.so").exists():
            pytest.skip("Orthanc and its DICOMweb plugin are not installed (.ci/test-packages.txt)")
        if os.geteuid() and socket.if_nameindex() != [(1, "lo")]:
            pytest.skip("Orthanc would be reachable from outside")
        self._folder = folder
        self._settings = folder / "orthanc.json"
        folder.mkdir(parents=True, exist_ok=True)
        self._settings.write_text(json.dumps(_settings(folder)))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def web(self) -> Archive:
        return Archive("web", url=f"http://127.0.0.1:{HTTP_PORT}/dicom-web", user=USER)

    def dimse(self, listen: int = 0) -> Archive:
        return Archive("dimse", host="127.0.0.1", port=DICOM_PORT, ae_title=TITLE, listen=listen)

    def start(self) -> None:
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen([PROGRAM, self._settings], stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        for port in (HTTP_PORT, DICOM_PORT):
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=5).close()
                    break
                except OSError:
                    assert time.monotonic() < deadline, (self._folder / "log").read_text()
                    time.sleep(0.05)

    def fill(self, files: Iterable[Path]) -> None:
        """Puts files into it by its own interface, which is the fastest."""
        with requests.Session() as session:
            session.trust_env = False
            for file in files:
                answer = session.post(
                    f"http://127.0.0.1:{HTTP_PORT}/instances", file.read_bytes(), auth=(USER, PASSWORD)
                )
                answer.raise_for_status()

    def kill(self) -> None:
        """As if its machine lost power."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGKILL)  # a clean end takes seconds

    def _end(self, how: int) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(60)
            self._process = None


def _settings(folder: Path) -> dict[str, object]:
    return {
        "StorageDirectory": str(folder / "store"),
        "IndexDirectory": str(folder / "store"),
        "Plugins": [str(PLUGINS / "libOrthancDicomWeb.so"), str(PLUGINS / "libOrthancGdcm.so")],
        "HttpPort": HTTP_PORT,
        "DicomPort": DICOM_PORT,
        "DicomAet": TITLE,
        "DicomCheckCalledAet": True,
        "DicomAlwaysAllowEcho": False,
        "DicomAlwaysAllowStore": False,
        "AuthenticationEnabled": True,
        "RegisteredUsers": {USER: PASSWORD},
        "DicomModalities": {
            "us": {
                "AET": "D24FAD",
                "Host": "127.0.0.1",
                "Port": OWN_PORT,
                "AllowEcho": True,
                "AllowFind": True,
                "AllowGet": True,
                "AllowMove": True,
                "AllowStore": True,
                "AllowStorageCommitment": True,
            }
        },
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }
