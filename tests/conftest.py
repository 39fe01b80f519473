"""What holds for every test: nothing is kept on this machine's disk between tests; and a study for all."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_d24fad.settings import FEATURES_LIMIT_VARIABLE
from tests.heads import write_study


@pytest.fixture(autouse=True)
def _no_features_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FEATURES_LIMIT_VARIABLE, "0")


@pytest.fixture(scope="session")
def study_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study(tmp_path_factory.mktemp("study"))
