"""A few cycles and cancels of `tests.soak`; its command does as many as wanted."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import environment


def test_nothing_is_left_of_closed_viewers_and_cancelled_runs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.soak", "--cycles", "1", "--cancels", "3"],
        env=environment(D24FAD_CACHE=str(tmp_path)),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    ends = re.findall(r"(?:last|left:?) ({.*?})", done.stdout)
    assert len(ends) == 2
    for held in ends:
        for nothing in ("'threads': 1,", "'widgets': 0,", "'children': 0"):
            assert nothing in held
