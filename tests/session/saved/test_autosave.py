"""Work that was not saved is found again after a crash, and only then."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from napari_d24fad.errors import Cancelled
from napari_d24fad.progress import CancelToken
from napari_d24fad.session.saved.autosave import Autosave, discard, left_behind
from napari_d24fad.session.saved.session_file import read_session
from napari_d24fad.settings import autosave_folder
from tests.session.saved.cases import make_case


def ended() -> int:
    """The number of a process that is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_work_of_a_program_that_ended_is_found_again(tmp_path: Path) -> None:
    case = make_case(tmp_path)
    assert left_behind() == ()
    autosave = Autosave()
    autosave.save([case])
    (copy,) = autosave_folder().iterdir()
    assert left_behind() == (), "this program still runs"
    if os.name == "posix":
        assert copy.stat().st_mode & 0o077 == 0
    lost = copy.with_name(copy.name.replace(f"-{os.getpid()}-", f"-{ended()}-"))
    copy.rename(lost)
    (copy.parent / "something else").write_text("")
    assert left_behind() == (lost,)
    (found,) = read_session(lost).cases
    assert [each.note for each in found.findings] == [each.note for each in case.findings]
    autosave.save([case])
    autosave.discard()
    assert left_behind() == (lost,)
    discard(lost)
    assert left_behind() == ()


def test_a_copy_that_is_stopped_leaves_the_one_before(tmp_path: Path) -> None:
    case = make_case(tmp_path)
    stopped = CancelToken()
    stopped.cancel()
    autosave = Autosave()
    with pytest.raises(Cancelled):
        autosave.save([case], cancel=stopped)
    assert not autosave_folder().exists()
    autosave.save([case])
    with pytest.raises(Cancelled):
        autosave.save([case], cancel=stopped)
    assert len(list(autosave_folder().iterdir())) == 1
