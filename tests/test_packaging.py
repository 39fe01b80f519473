"""What is declared is what is there: packages, resources, manifest and versions."""

from __future__ import annotations

import configparser
import importlib.metadata
from pathlib import Path

import napari_d24fad
from napari_d24fad.network.zoo import list_models
from napari_d24fad.settings import resources_folder

ROOT = Path(__file__).resolve().parents[1]


def _setup_cfg() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    return parser


def test_the_wheel_holds_every_package_and_resource_folder() -> None:
    declared = set(_setup_cfg()["options"]["packages"].split())
    code = {
        ".".join(file.parent.relative_to(ROOT).parts)
        for file in (ROOT / "napari_d24fad").rglob("__init__.py")
    }
    data = {
        ".".join(("napari_d24fad", *file.parent.relative_to(ROOT).parts))
        for file in (ROOT / "resources").rglob("*")
        if file.is_file()
    }
    assert declared == code | data | {"napari_d24fad.resources"}


def test_every_file_that_is_not_code_is_declared_as_package_data() -> None:
    patterns = {
        package: [pattern.strip() for pattern in value.split(",")]
        for package, value in _setup_cfg()["options.package_data"].items()
    }
    for folder, package in (
        (ROOT / "napari_d24fad", "napari_d24fad"),
        (ROOT / "resources", "napari_d24fad.resources"),
    ):
        for file in folder.rglob("*"):
            if not file.is_file() or file.suffix in {".py", ".pyc"} or file.name.startswith("."):
                continue
            owner = ".".join((package, *file.parent.relative_to(folder).parts))
            assert any(file.match(pattern) for pattern in patterns[owner]), file.relative_to(ROOT)


def test_the_embedded_model_comes_with_the_package() -> None:
    folder = resources_folder()
    assert (folder / "models" / "compact.safetensors").stat().st_size <= 40 * 2**20
    assert "compact" in {card.name for card in list_models()}


def test_the_installed_distribution_offers_command_and_manifest() -> None:
    distribution = importlib.metadata.distribution("napari-d24fad")
    assert distribution.version == napari_d24fad.__version__
    entries = {(entry.group, entry.name): entry.value for entry in distribution.entry_points}
    assert entries["console_scripts", "d24fad"] == "napari_d24fad.cli:main"
    manifest = entries["napari.manifest", "napari-d24fad"].split(":")[1]
    assert (Path(napari_d24fad.__file__).parent / manifest).is_file()


def test_the_citation_names_this_version() -> None:
    assert f"\nversion: {napari_d24fad.__version__}\n" in (ROOT / "CITATION.cff").read_text()
