from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.heads import write_study

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.usefixtures("gpu")
def test_after_a_card_was_lost_the_next_run_goes_on(tmp_path: Path) -> None:
    """In a process of its own, which CUDA is dead in afterwards."""
    folder = write_study(tmp_path, slices=slice(4, 7))
    done = subprocess.run(
        [sys.executable, "-m", "tests.cuda.lost_device", str(folder)],
        cwd=REPOSITORY,
        env=os.environ | {"CUDA_LAUNCH_BLOCKING": "0"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split() == ["M09", "cpu"]
