"""A hostile file is refused with its code, and everything that was open stays as it was."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest

from napari_d24fad.viewer.dock import DetectionDock
from tests.studies.hostile import CASES

_TRIED = {
    "65535 x 65535 x 2000 claimed",
    "sequences 5000 deep",
    "zip that climbs out of its folder",
    "zip bomb: 300 MB of zeros",
    "zip that was cut off",
    "a pipe",
    "NIfTI, seven dimensions of 32767",
}


def test_what_is_open_stays_as_it_was(
    qtbot, dock: DetectionDock, settle, study_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    dock.open([study_folder])
    settle(dock)
    dock._viewer.add_image(np.random.default_rng(0).random((4, 20, 20)), name="mine")
    settle(dock)
    series, layers = list(dock.gallery.series), list(dock._viewer.layers)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    tried = [case for case in CASES if case.name in _TRIED]
    assert len(tried) == len(_TRIED)
    for case in tried:
        assert case.refused is not None
        dock.open([case.write(tmp_path / case.name.replace(":", ""))])
        settle(dock)
        assert dock.run_panel.message.startswith(f"{case.refused.code}: ")
        assert list(dock.gallery.series) == series
        assert list(dock._viewer.layers) == layers
        assert list(temporary.iterdir()) == []


def test_an_archive_opens_like_a_folder(qtbot, dock: DetectionDock, settle, tmp_path: Path) -> None:
    (case,) = (case for case in CASES if case.name == "zip of a study")
    dock.open([case.write(tmp_path / "study")])
    settle(dock)
    assert [series.grid for series in dock.gallery.series] == [(8, 12, 10)]
