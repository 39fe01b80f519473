"""Where the tool finds what it ships and keeps what it fetches."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

CACHE_VARIABLE = "D24FAD_CACHE"
"""Environment variable with the one folder to keep everything in, instead of the user's own folders."""

WEIGHTS_URL_VARIABLE = "D24FAD_WEIGHTS_URL"
"""Environment variable with the address of a mirror of the published teacher weights."""

_APPLICATION = "napari-d24fad"
_PACKAGE = Path(__file__).resolve().parent


def resources_folder() -> Path:
    """Returns the folder of shipped files: inside the installed package, beside it in a checkout."""
    installed = _PACKAGE / "resources"
    return installed if installed.is_dir() else _PACKAGE.parent / "resources"


def embedded_models_folder() -> Path:
    """Returns the folder of the models that come with the tool."""
    return resources_folder() / "models"


def models_folder() -> Path:
    """Returns the folder of the user's own models; it need not exist."""
    return (_chosen_folder() or platformdirs.user_data_path(_APPLICATION, appauthor=False)) / "models"


def imagenet_folder() -> Path:
    """Returns the folder of published teacher weights; it need not exist."""
    return (_chosen_folder() or platformdirs.user_cache_path(_APPLICATION, appauthor=False)) / "imagenet"


def sample_folder() -> Path:
    """Returns the folder of the sample study; it need not exist."""
    return (_chosen_folder() or platformdirs.user_cache_path(_APPLICATION, appauthor=False)) / "sample"


def weights_url() -> str:
    """Returns the address of the folder that the published teacher weights are downloaded from."""
    mirror = os.environ.get(WEIGHTS_URL_VARIABLE, "").strip()
    return (mirror or "https://download.pytorch.org/models").rstrip("/")


def _chosen_folder() -> Path | None:
    chosen = os.environ.get(CACHE_VARIABLE, "").strip()
    return Path(chosen).absolute() if chosen else None
