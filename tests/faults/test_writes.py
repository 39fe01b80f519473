"""Killed or refused at any moment of any write, the tool leaves old files as they were and no litter."""

from __future__ import annotations

import subprocess
import sys

from tests.cli.conftest import environment
from tests.posix import needs_fork

pytestmark = needs_fork

# One of each way to write; the commands try every kind.
KINDS = ("checkpoint", "results", "model")


def run(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *words],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_kill_at_any_step_leaves_the_old_version_or_the_new_one() -> None:
    told = run("tests.faults.kill", "--times", "1", *KINDS).splitlines()
    assert [line.partition(":")[0] for line in told] == list(KINDS)
    # Every rename of files that are replaced together was a step.
    steps = {
        line.partition(":")[0]: int(line.split("'killed at a step': ")[1].split(",")[0]) for line in told
    }
    assert steps["results"] > 15
    assert all(steps[kind] >= 3 for kind in KINDS)


def test_a_full_disk_and_a_forbidden_folder_are_refused_with_their_code() -> None:
    told = run("tests.faults.refused", *KINDS, "features").splitlines()
    assert len(told) == 2 * (len(KINDS) + 1)
