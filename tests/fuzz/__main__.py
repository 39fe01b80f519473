"""Reads any number of mutants in processes of their own and counts what came of them."""

from __future__ import annotations

import argparse
import queue
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator

from tests.fuzz.child import SECONDS

# The child judges by its own clock; these are for those that never end.
_PATIENCE, _TO_START = 4 * SECONDS, 300
_AT_ONCE = 2000


def outcomes(seed: int, start: int, end: int, name: str = "") -> Iterator[str]:
    """Yields a line for each mutant; a process that dies or hangs is replaced.

    Args:
        seed: Of the mutants.
        start: Number of the first one.
        end: Number of the one after the last.
        name: Only seeds are taken whose names hold this.
    """
    number = start
    while number < end:
        stop = min(end, number + _AT_ONCE)
        command = [sys.executable, "-m", "tests.fuzz.child", str(seed), str(number), str(stop), name]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=_listen, args=(process, lines), daemon=True).start()
        verdict, patience = "crash", _TO_START
        while number < stop:
            try:
                line = lines.get(timeout=patience)
            except queue.Empty:
                verdict = "hang"
                break
            if not line:
                break
            if line != "ready\n":
                number += 1
                yield line.strip()
            patience = _PATIENCE
        process.kill()
        process.wait()
        if number < stop:
            yield f"{number} {verdict}: {verdict}"
            number += 1


def _listen(process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    lines.put("")


def main() -> int:
    """Prints a table; returns 1 if anything but a picture or a refusal came of a mutant."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutants", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--name", default="", help="take only seeds whose names hold this, such as HTJ2K")
    arguments = parser.parse_args()
    counted: Counter[tuple[str, str]] = Counter()
    bad = []
    for first in outcomes(arguments.seed, 0, arguments.mutants, arguments.name):
        line = first
        if line.endswith(": hang"):  # once more by itself: the machine may have been busy
            number = int(line.split()[0])
            (line,) = outcomes(arguments.seed, number, number + 1, arguments.name)
        kind, result = line.split(" ", 1)[1].split(": ", 1)[0], line.rsplit(": ", 1)[1]
        refused = re.fullmatch(r"[A-Z]\d\d", result) is not None
        counted[kind, "refused by code" if refused else result] += 1
        if not refused and result != "read":
            bad.append(line)
            print(line, flush=True)
    kinds, results = (sorted({key[which] for key in counted}) for which in (0, 1))
    print(f"{'':12}" + "".join(f"{result:>18}" for result in results))
    for kind in kinds:
        print(f"{kind:12}" + "".join(f"{counted[kind, result]:18}" for result in results))
    total = [sum(counted[kind, result] for kind in kinds) for result in results]
    print(f"{'all':12}" + "".join(f"{number:18}" for number in total))
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
