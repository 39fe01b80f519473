"""Nothing contacts the network that the user did not start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import environment
from tests.privacy.marked import write_dicom
from tests.privacy.offline import REFUSED


def run(*words: str | Path, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.privacy.offline", *map(str, words)],
        env=environment(HOME=str(home), D24FAD_CACHE=str(home)),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


def test_a_whole_session_contacts_no_other_machine(tmp_path: Path) -> None:
    for seed in range(3):
        write_dicom(tmp_path / "study", seed, marked=False)
    out = tmp_path / "out"
    done = run(tmp_path / "study", out, home=tmp_path / "home")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in out.iterdir()} >= {"picture.png", "report.json", "anomaly.nii.gz"}


def test_the_watch_sees_a_contact(tmp_path: Path) -> None:
    done = run(tmp_path, home=tmp_path)
    assert done.returncode == REFUSED
    assert "contact with the network" in done.stderr
