"""Kills writers at every step of every kind of writing: ``python -m tests.faults.kill``.

A step is anything that changes the file system: a file opened for writing, a rename, a
removal, a folder made. A child is forked for each, which kills itself right before it; others are
killed from outside at random times, in the middle of a write or of a computation.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import torch

from tests.faults.writers import KINDS, Kind, hidden, seen

_STEPS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link", "os.symlink"}
WRONG = ("torn file", "neither version", "not written the next time", "left behind")
_armed: tuple[str, int] | None = None


def _count_down(event: str, arguments: tuple[object, ...]) -> None:
    global _armed
    if _armed is None:
        return
    changes = event in _STEPS or (event == "open" and isinstance(arguments[2], int) and arguments[2] & 0o3)
    if changes and _armed[0] in str(arguments[0]):
        folder, left = _armed
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        _armed = (folder, left - 1)


def killed(work: Callable[[], object], folder: Path, step: int) -> bool:
    """Does work in a child that is killed right before a step; returns whether it came so far."""
    global _armed
    child = os.fork()
    if child == 0:
        _armed = (str(folder), step)
        _leave_after(work)
    return _ended(child)


def killed_after(work: Callable[[], object], seconds: float) -> bool:
    """Does work in a child that is killed after some time; returns whether it was not done yet."""
    child = os.fork()
    if child == 0:
        _leave_after(work)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    return _ended(child)


def _leave_after(work: Callable[[], object]) -> None:
    status = 1
    try:
        work()
        status = 0
    finally:
        os._exit(status)


def _ended(child: int) -> bool:
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return os.WTERMSIG(status) == signal.SIGKILL
    if os.WEXITSTATUS(status):
        raise AssertionError("the writer failed")
    return False


def try_kind(kind: Kind, place: Path, times: int) -> Counter[str]:
    """Kills one kind of writing at every step, and some times at random.

    Returns:
        How many children were killed, and what was found afterwards: the old or the new version,
        before or after the next start, and what was wrong.
    """
    versions = []
    for version in (0, 1):
        folder = place / f"version {version}"
        folder.mkdir(parents=True)
        kind.write(folder, version)
        versions.append(seen(folder))
    old, new = versions
    assert old != new, "the versions must differ"
    started = time.perf_counter()
    kind.write(place / "version 1", 1)
    duration = time.perf_counter() - started
    found: Counter[str] = Counter()
    draw = random.Random(0)
    step, at_random = 0, 0
    folder = place / "tried"
    while True:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(place / "version 0", folder)
        if step >= 0:
            if killed(lambda: kind.write(folder, 1), folder, step):
                found["killed at a step"] += 1
                step += 1
            else:
                step = -1
        elif at_random < times:
            at_random += 1
            found["killed at random"] += killed_after(
                lambda: kind.write(folder, 1), draw.uniform(0, 1.2 * duration)
            )
        else:
            return found
        _judge(kind, folder, old, new, found)


def _judge(
    kind: Kind, folder: Path, old: dict[str, bytes], new: dict[str, bytes], found: Counter[str]
) -> None:
    torn = any(content not in (old.get(name), new.get(name)) for name, content in seen(folder).items())
    found["torn file"] += torn
    if kind.look is not None:
        kind.look(folder)
    now = seen(folder)
    found["old version"] += now == old
    found["new version"] += now == new
    found["neither version"] += now not in (old, new)
    kind.write(folder, 1)
    found["not written the next time"] += seen(folder) != new
    found["left behind"] += bool(hidden(folder))


def main() -> int:
    """Tries every kind; returns 1 if anything was torn, mixed or left behind."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.kill", description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=3, help="random times per kind (default: 3)")
    parser.add_argument("kinds", nargs="*", default=list(KINDS))
    arguments = parser.parse_args()
    sys.addaudithook(_count_down)
    torch.set_num_threads(1)  # threads do not survive the fork
    wrong = 0
    with tempfile.TemporaryDirectory() as place:
        for name in arguments.kinds:
            found = try_kind(KINDS[name], Path(place) / name, arguments.times)
            wrong += sum(found[what] for what in WRONG)
            print(f"{name}: {dict(found)}", flush=True)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
