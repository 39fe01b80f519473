from pathlib import Path

import pytest

from napari_d24fad import settings


def test_one_variable_moves_everything(tmp_path, monkeypatch):
    monkeypatch.setenv("D24FAD_CACHE", str(tmp_path))
    assert settings.models_folder() == tmp_path / "models"
    assert settings.imagenet_folder() == tmp_path / "imagenet"


@pytest.mark.parametrize("value", ["", "  "])
def test_by_default_models_are_data_and_weights_are_cache(tmp_path, monkeypatch, value):
    monkeypatch.setenv("D24FAD_CACHE", value)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert settings.models_folder().name == "models"
    assert settings.imagenet_folder().name == "imagenet"
    assert "napari-d24fad" in settings.models_folder().parts
    assert settings.models_folder().parent != settings.imagenet_folder().parent


def test_a_relative_folder_is_taken_from_where_the_tool_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("D24FAD_CACHE", "kept")
    assert settings.imagenet_folder() == tmp_path / "kept" / "imagenet"


def test_resources_are_beside_the_package_in_a_checkout_and_inside_it_when_installed(tmp_path, monkeypatch):
    root = Path(__file__).resolve().parents[1]
    assert settings.resources_folder() == root / "resources"
    monkeypatch.setattr(settings, "_PACKAGE", tmp_path / "napari_d24fad")
    assert settings.embedded_models_folder() == tmp_path / "resources" / "models"
    (tmp_path / "napari_d24fad" / "resources").mkdir(parents=True)
    assert settings.embedded_models_folder() == tmp_path / "napari_d24fad" / "resources" / "models"


def test_a_mirror_replaces_the_publisher(monkeypatch):
    monkeypatch.delenv("D24FAD_WEIGHTS_URL", raising=False)
    assert (
        settings.weights_url("https://download.pytorch.org/models/") == "https://download.pytorch.org/models"
    )
    monkeypatch.setenv("D24FAD_WEIGHTS_URL", "http://mirror.example/weights/")
    assert settings.weights_url("https://download.pytorch.org/models") == "http://mirror.example/weights"
