"""The virtual display of the demonstration."""

from __future__ import annotations

import os
import shutil
import sys

import pytest

from napari_d24fad.cli.display import has_display, virtual_display
from napari_d24fad.errors import ArgumentError
from tests.cli.conftest import Command

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux only")


def fail_on_a_display(sockets: list[str]) -> None:
    with virtual_display():
        sockets.append(f"/tmp/.X11-unix/X{os.environ['DISPLAY'].removeprefix(':')}")
        raise ZeroDivisionError


@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="Xvfb is not installed")
def test_a_display_lives_as_long_as_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert not has_display()
    with virtual_display():
        assert has_display()
        socket = f"/tmp/.X11-unix/X{os.environ['DISPLAY'].removeprefix(':')}"
        assert os.path.exists(socket)  # noqa: PTH110 - a socket, not a file to work with
        assert os.environ["QT_QPA_PLATFORM"] == "xcb"
    assert not has_display()
    assert not os.path.exists(socket)  # noqa: PTH110 - see above
    assert os.environ["QT_QPA_PLATFORM"] == "offscreen"


@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="Xvfb is not installed")
def test_the_display_ends_with_an_error_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    sockets: list[str] = []
    with pytest.raises(ZeroDivisionError):
        fail_on_a_display(sockets)
    assert [socket for socket in sockets if os.path.exists(socket)] == []  # noqa: PTH110 - see above


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
