"""The virtual display of the demonstration."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from napari_d24fad.cli.display import has_display, virtual_display
from napari_d24fad.errors import ArgumentError
from tests.cli.conftest import Command

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux only")


def socket_of(environment: dict[str, str]) -> Path:
    return Path(f"/tmp/.X11-unix/X{environment['DISPLAY'].removeprefix(':')}")


def fail_on_a_display(sockets: list[Path]) -> None:
    with virtual_display() as environment:
        sockets.append(socket_of(environment))
        raise ZeroDivisionError


def test_a_display_is_an_x_or_a_wayland_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", "")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not has_display()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert has_display()


@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="Xvfb is not installed")
def test_a_virtual_display_lives_as_long_as_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    with virtual_display() as environment:
        assert socket_of(environment).exists()
        assert environment["QT_QPA_PLATFORM"] == "xcb"
        with virtual_display() as another:
            assert another["DISPLAY"] != environment["DISPLAY"]
    assert not socket_of(environment).exists()


@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="Xvfb is not installed")
def test_a_virtual_display_ends_with_an_error_too() -> None:
    sockets: list[Path] = []
    with pytest.raises(ZeroDivisionError):
        fail_on_a_display(sockets)
    assert [socket for socket in sockets if socket.exists()] == []


def test_a_server_that_does_not_start_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("bin")
    (folder / "Xvfb").write_text("#!/bin/sh\nexit 1\n")
    (folder / "Xvfb").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(ArgumentError, match=r"A02.*did not start"), virtual_display():
        pass


def test_the_missing_system_package_is_named(d24fad: Command) -> None:
    done = d24fad("demo", PATH="", DISPLAY="", WAYLAND_DISPLAY="")
    assert done.returncode == 2
    assert done.stderr.startswith("d24fad: error A02: ")
    assert done.stderr.count("\n") == 1
    assert "xvfb" in done.stderr
