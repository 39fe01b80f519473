from __future__ import annotations

import gc
import socketserver
import warnings
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

from napari_d24fad.archives import fetching
from tests.archives.namespace import own_network
from tests.archives.orthanc import PASSWORD, Orthanc


class Memory(KeyringBackend):
    """A keyring that forgets all when the test ends."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError


@pytest.fixture
def ring() -> Iterator[Memory]:
    before = keyring.get_keyring()
    memory = Memory()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(before)


@pytest.fixture(scope="module", autouse=True)
def _impatient() -> Iterator[None]:
    """What waits for nothing else waits less: before a fetch is tried again, and for servers to end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fetching, "_PAUSE_SECONDS", 0.02)
        patch.setattr(socketserver.BaseServer.serve_forever, "__defaults__", (0.02,))
        yield


@pytest.fixture(scope="module", autouse=True)
def _collected() -> Iterator[None]:
    """Sockets of connections that were broken off are left to Python by pynetdicom and urllib3."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(scope="module")
def network() -> Iterator[None]:
    """A network of their own for the tests of a module."""
    with own_network():
        yield


@pytest.fixture(scope="module")
def orthanc(network: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    """A running Orthanc; what one test stores, the next one finds."""
    server = Orthanc(tmp_path_factory.mktemp("orthanc"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def password() -> str:
    return PASSWORD
