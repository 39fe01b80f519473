"""Where the tool finds what it ships and keeps what it fetches."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from napari_d24fad.errors import ArgumentError, Code

CACHE_VARIABLE = "D24FAD_CACHE"
"""Environment variable with the one folder to keep everything in, instead of the user's own folders."""

WEIGHTS_URL_VARIABLE = "D24FAD_WEIGHTS_URL"
"""Environment variable with the address of a mirror of the published teacher weights."""

FEATURES_LIMIT_VARIABLE = "D24FAD_FEATURES_GIB"
"""Environment variable with the most GiB of features of references to keep on disk; 0 keeps none."""

MODELS_VARIABLE = "D24FAD_MODELS"
"""Environment variable with the folder of the user's own models, wherever everything else is kept."""

_APPLICATION = "napari-d24fad"
_FEATURES_GIB = 4
_MOST_GIB = 1_000_000
_preferred: dict[str, str] = {}
_PACKAGE = Path(__file__).resolve().parent


def prefer(values: Mapping[str, str]) -> None:
    """Sets environment variables of this process, and of those it starts, that were not set from outside.

    Args:
        values: What each variable is to be; empty for unset. What was preferred before is forgotten.
    """
    for name, value in values.items():
        if name in os.environ and os.environ[name] != _preferred.get(name):
            continue  # whoever started the process knows better
        if value:
            os.environ[name] = _preferred[name] = value
        elif name in _preferred:
            del os.environ[name], _preferred[name]


def resources_folder() -> Path:
    """Returns the folder of shipped files: inside the installed package, beside it in a checkout."""
    installed = _PACKAGE / "resources"
    return installed if installed.is_dir() else _PACKAGE.parent / "resources"


def embedded_models_folder() -> Path:
    """Returns the folder of the models that come with the tool."""
    return resources_folder() / "models"


def models_folder() -> Path:
    """Returns the folder of the user's own models; it need not exist."""
    chosen = os.environ.get(MODELS_VARIABLE, "").strip()
    if chosen:
        return Path(chosen).absolute()
    return (_chosen_folder() or platformdirs.user_data_path(_APPLICATION, appauthor=False)) / "models"


def labels_file() -> Path:
    """Returns the file with what the user calls findings; it need not exist."""
    return (
        _chosen_folder() or platformdirs.user_config_path(_APPLICATION, appauthor=False)
    ) / "finding-labels.json"


def imagenet_folder() -> Path:
    """Returns the folder of published teacher weights; it need not exist."""
    return (_chosen_folder() or platformdirs.user_cache_path(_APPLICATION, appauthor=False)) / "imagenet"


def teachers_folder() -> Path:
    """Returns the folder of the weights of other teachers than ImageNet's; it need not exist."""
    return (_chosen_folder() or platformdirs.user_cache_path(_APPLICATION, appauthor=False)) / "teachers"


def sample_folder() -> Path:
    """Returns the folder of the sample study; it need not exist."""
    return (_chosen_folder() or platformdirs.user_cache_path(_APPLICATION, appauthor=False)) / "sample"


def features_folder() -> Path:
    """Returns the folder of the features of references; it need not exist."""
    return (_chosen_folder() or platformdirs.user_cache_path(_APPLICATION, appauthor=False)) / "features"


def features_limit() -> int:
    """Returns how many bytes of features are kept; 0 keeps none.

    Raises:
        ArgumentError: BAD_ARGUMENT if the variable is not a size.
    """
    stated = os.environ.get(FEATURES_LIMIT_VARIABLE, "").strip()
    if not stated:
        return _FEATURES_GIB * 2**30
    try:
        size = float(stated)
    except ValueError:
        size = -1.0
    if not 0 <= size < _MOST_GIB:
        detail = f"{FEATURES_LIMIT_VARIABLE} is a size in GiB, 0 to {_MOST_GIB}."
        raise ArgumentError(Code.BAD_ARGUMENT, detail)
    return int(size * 2**30)


def session_key_file() -> Path:
    """Returns the file that tells this user's own sessions from others'; it need not exist."""
    return (_chosen_folder() or platformdirs.user_data_path(_APPLICATION, appauthor=False)) / "sessions.key"


def reference_sets_folder() -> Path:
    """Returns the folder of the user's named reference sets; it need not exist."""
    return (_chosen_folder() or platformdirs.user_data_path(_APPLICATION, appauthor=False)) / "references"


def archives_file() -> Path:
    """Returns the file that lists the user's archives (PACS), without passwords; it need not exist."""
    return (
        _chosen_folder() or platformdirs.user_config_path(_APPLICATION, appauthor=False)
    ) / "archives.json"


def fetched_folder() -> Path:
    """Returns the folder that studies from archives go to unless the user chooses one; it need not exist."""
    return (_chosen_folder() or platformdirs.user_data_path(_APPLICATION, appauthor=False)) / "fetched"


def autosave_folder() -> Path:
    """Returns the folder of work that was not saved yet; it need not exist."""
    return (_chosen_folder() or platformdirs.user_data_path(_APPLICATION, appauthor=False)) / "autosave"


def run_times_file() -> Path:
    """Returns the file that says how long runs took here; it need not exist."""
    folder = _chosen_folder() or platformdirs.user_cache_path(_APPLICATION, appauthor=False)
    return folder / "run-times.json"


def weights_url(publisher: str) -> str:
    """Returns the address of the folder that published teacher weights are downloaded from.

    Args:
        publisher: Their publisher's, taken where no mirror is set.
    """
    mirror = os.environ.get(WEIGHTS_URL_VARIABLE, "").strip()
    return (mirror or publisher).rstrip("/")


def _chosen_folder() -> Path | None:
    chosen = os.environ.get(CACHE_VARIABLE, "").strip()
    return Path(chosen).absolute() if chosen else None
