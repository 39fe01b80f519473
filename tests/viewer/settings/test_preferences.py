"""The page in napari's preferences is really used; what the environment says comes first."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from napari.settings import get_plugin_settings
from npe2 import PluginManager, PluginManifest

import napari_d24fad
from napari_d24fad import settings
from napari_d24fad.session.session import DetectionSession
from napari_d24fad.studies.files.limits import LIMIT_VARIABLE, limits
from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.settings.preferences import PLUGIN, Chosen

MANIFEST = Path(napari_d24fad.__file__).parent / "napari.yaml"


@pytest.fixture
def page(plugin_settings, npe2pm, monkeypatch: pytest.MonkeyPatch):
    """napari's settings of the plugin, as the Preferences window edits them."""
    for name in (settings.MODELS_VARIABLE, LIMIT_VARIABLE):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    manager = PluginManager.instance()
    if PLUGIN not in manager:
        manager.register(PluginManifest.from_file(MANIFEST))
    return get_plugin_settings(PLUGIN)


def test_what_is_chosen_is_used(page, dock_with_page, tmp_path: Path) -> None:
    assert {name: value for group in page.model_dump().values() for name, value in group.items()} == {
        name: getattr(Chosen(), name) for name in Chosen.__dataclass_fields__
    }, "the manifest and the code agree about the defaults"
    dock: DetectionDock = dock_with_page
    session: DetectionSession = dock._session
    assert (session.precision, dock.run_panel.device) == (None, "auto")
    page.examining.precision = "bfloat16"
    page.examining.device = "cuda:0"
    page.privacy.show_identity = True
    page.saving.autosave = False
    page.storage.memory_gib = 2.0
    page.storage.models_folder = str(tmp_path / "mine")
    page.storage.cache_folder = str(tmp_path / "elsewhere")
    assert (session.precision, dock.run_panel.device) == ("bfloat16", "cuda:0")
    assert dock._open_bar.identity_box.isChecked()
    dock.unsaved.autosaving.write(lambda *_: pytest.fail("it is switched off"))
    assert not dock.unsaved.autosaving.is_busy
    assert limits().decoded == 2 * 2**30
    assert settings.models_folder() == tmp_path / "mine"
    # The tests set this variable; it comes first.
    assert settings.features_folder().parent == Path(os.environ[settings.CACHE_VARIABLE])
    assert settings.features_folder().parent != tmp_path / "elsewhere"
    page.storage.memory_gib = 8.0
    page.storage.models_folder = ""
    assert limits().decoded == 8 * 2**30
    assert LIMIT_VARIABLE not in os.environ
    assert settings.MODELS_VARIABLE not in os.environ


@pytest.fixture
def dock_with_page(page, dock: DetectionDock) -> DetectionDock:
    return dock
