"""The window of models lists, fetches and imports, as a user does it, from a server of this machine."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from qtpy.QtWidgets import QFileDialog, QMessageBox

from napari_d24fad.network import teacher_weights
from napari_d24fad.network.teachers import catalogue
from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.models import managing
from tests.network.weights_server import WeightsServer

TEACHER, ASKS = "resnet18", "dinov2_vits14"
NO = QMessageBox.StandardButton.No


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WeightsServer]:
    """Serves weights whose checksum the catalogue knows."""
    torch.save({"conv1.weight": torch.arange(30_000.0)}, tmp_path / "published.pth")
    content = (tmp_path / "published.pth").read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    known = tuple(replace(entry, sha256=sha256) for entry in catalogue.CATALOGUE)
    monkeypatch.setattr(managing, "CATALOGUE", known)
    monkeypatch.setitem(teacher_weights.download_weights.__kwdefaults__, "catalogue", known)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with WeightsServer(content=content) as running:
        monkeypatch.setenv("D24FAD_WEIGHTS_URL", running.url)
        yield running


def test_models_are_listed_fetched_and_refused(
    dock: DetectionDock,
    settle: Callable[[DetectionDock], None],
    server: WeightsServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    click_models = dock.run_panel.settings.models_button.click
    click_models()
    dialog = dock.models.dialog
    assert dialog.isVisible()
    assert dialog.chosen is not None
    assert dialog.chosen.name == dock.run_panel.settings.model == "compact"
    assert "comes with the tool" in dialog.chosen.state
    assert not dialog.download_button.isEnabled()
    text = dialog.details
    assert text.height() >= text.heightForWidth(text.width()), "what is known of it is cut off"

    # A licence that is not accepted fetches nothing.
    asked: list[str] = []

    def answer(answer: QMessageBox.StandardButton) -> None:
        monkeypatch.setattr(QMessageBox, "warning", lambda *words: asked.append(words[2]) or answer)

    answer(NO)
    dialog.choose(ASKS)
    dialog.download_button.click()
    settle(dock)
    assert "Apache-2.0" in asked[0]
    assert server.requests == []

    dialog.choose(TEACHER)
    assert "not installed" in dialog.chosen.state
    dialog.download_button.click()
    settle(dock)
    assert len(asked) == 1, "this licence asks nothing"
    assert len(server.requests) == 1
    assert dialog.status.text() == f"{TEACHER} is installed."
    assert dialog.chosen.state == "installed"
    assert dock.run_panel.settings.model_box.findData(TEACHER) >= 0, "it can be chosen for a run"
    assert not dialog.download_button.isEnabled()

    # A file that is no model is refused with its code, and the window goes on.
    (tmp_path / "broken.safetensors").write_bytes(b"no model")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(tmp_path / "broken.safetensors"), ""))
    dialog.import_button.click()
    settle(dock)
    assert dialog.status.text().startswith("M")
    assert str(tmp_path) not in dialog.status.text()
    assert dialog.import_button.isEnabled()
    dialog.close()


def test_a_broken_server_is_told(
    dock: DetectionDock, settle: Callable[[DetectionDock], None], server: WeightsServer
) -> None:
    server.status = 404
    dock.models.show()
    dock.models.dialog.choose(TEACHER)
    dock.models.dialog.download_button.click()
    settle(dock)
    assert dock.models.dialog.status.text().startswith("M")
    assert "not installed" in dock.models.dialog.chosen.state
    dock.models.dialog.close()
