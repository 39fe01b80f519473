"""The process that reads mutants, and that they may crash: a line at the start, and one for each."""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from pathlib import Path

from napari_d24fad.studies.files.limits import LIMIT_VARIABLE
from tests.fuzz.mutate import mutate
from tests.fuzz.seeds import Seed, seeds
from tests.fuzz.targets import outcome

SECONDS, MIB = 10, 600
_LIMIT_GIB = "0.1"  # of the voxels of a scan; what is made of them on the way may take the rest
_SPACE = 4 * 2**30


def mutant(all_seeds: tuple[Seed, ...], seed: int, number: int) -> tuple[Seed, bytes]:
    """Makes the mutant of a number; the same each time."""
    rng = random.Random(f"{seed} {number}")
    chosen = rng.choice(all_seeds)
    return chosen, chosen.pack(mutate(chosen.content, rng))


def main(seed: int, start: int, stop: int, name: str = "") -> None:
    """Reads the mutants of a range, made of the seeds of a name only."""
    _limit_memory()
    os.environ[LIMIT_VARIABLE] = _LIMIT_GIB
    all_seeds = tuple(each for each in seeds() if name in each.name)
    print("ready", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder
        for number in range(start, stop):
            chosen, content = mutant(all_seeds, seed, number)
            path = Path(folder) / chosen.name
            path.write_bytes(content)
            before, begun = _resident(reset=True), time.monotonic()
            result = outcome(chosen.kind, path)
            if time.monotonic() - begun > SECONDS:
                result = "hang"
            elif _resident() - before > MIB * 2**20:
                result = "over the cap"
            path.unlink()
            if list(Path(folder).iterdir()):
                result = "left files behind"
            print(f"{number} {chosen.kind}: {chosen.name}: {result}", flush=True)


def _limit_memory() -> None:
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_SPACE, _SPACE))


def _resident(*, reset: bool = False) -> int:
    """The most memory held since the last reset, in bytes; 0 where only Linux could tell."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]), *sys.argv[4:])
