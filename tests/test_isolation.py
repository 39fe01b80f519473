from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import isolation

_WHERE = """
import json, pathlib
import matplotlib, platformdirs
from napari.settings import get_settings
from napari_d24fad import settings
places = [settings.models_folder(), settings.imagenet_folder(), settings.sample_folder()]
places += [settings.features_folder()]
places += [pathlib.Path.home(), platformdirs.user_cache_path(), platformdirs.user_config_path()]
places += [get_settings().config_path, matplotlib.get_cachedir(), matplotlib.get_configdir()]
"""


def _are_inside(places: list[str]) -> bool:
    return all(Path(place).is_relative_to(isolation.home_of_tests()) for place in places)


@pytest.mark.skipif(os.name == "nt", reason="Windows asks no variable where the folders of a user are")
def test_nothing_is_kept_in_the_home_of_whoever_runs_the_tests() -> None:
    names: dict[str, list[object]] = {}
    exec(_WHERE, names)
    assert _are_inside(list(map(str, names["places"])))
    code = f"{_WHERE}\nprint(json.dumps(list(map(str, places))))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert _are_inside(json.loads(done.stdout))


def test_a_write_to_the_home_of_the_user_is_seen() -> None:
    outside = Path(isolation.real_folders()[0], "no folder of this name", "file")
    with pytest.raises(FileNotFoundError):
        outside.write_text("not there")
    with pytest.raises(FileNotFoundError):
        outside.mkdir()
    assert isolation.written == [str(outside)] * 2
    isolation.written.clear()
