"""Temporary folders that several processes and threads make and clear away at once."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from pathlib import Path
from typing import IO

import pytest

from napari_d24fad.studies.files import scratch


@pytest.mark.skipif(sys.platform == "win32", reason="a file is locked there as soon as it is open")
@pytest.mark.parametrize("at_work", [False, True])
def test_a_folder_that_is_cleared_away_before_it_is_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_work: bool
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    hold, taken = scratch._hold, []

    with contextlib.ExitStack() as other:

        def late(lock: IO[bytes]) -> None:
            if not taken:
                taken.extend(tmp_path.iterdir())
                if at_work:  # it has the lock, and has removed nothing yet
                    hold(other.enter_context((taken[0] / scratch._LOCK).open("r+b")))
                else:
                    scratch._remove_abandoned()
            hold(lock)

        monkeypatch.setattr(scratch, "_hold", late)
        made = scratch.ScratchFolder()
        assert made.path not in taken
        (made.path / "pixels").write_bytes(bytes(99))
        scratch._remove_abandoned()
        assert (made.path / "pixels").exists()
    made.remove()
