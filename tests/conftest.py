"""What holds for every test: nothing is kept on this machine's disk between tests."""

from __future__ import annotations

import pytest

from napari_d24fad.settings import FEATURES_LIMIT_VARIABLE


@pytest.fixture(autouse=True)
def _no_features_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FEATURES_LIMIT_VARIABLE, "0")
