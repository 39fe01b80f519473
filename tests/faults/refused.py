"""Has every kind of writing refused by the system: ``python -m tests.faults.refused [KIND ...]``.

The disk is full (no file may grow beyond some bytes), or the folder takes no files. Each is tried
in a child, which gives up what it is allowed to do.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch

from napari_d24fad.cli.exits import exit_status
from napari_d24fad.errors import Code, D24fadError
from tests.faults.writers import KINDS, Kind, hidden, seen

_BYTES = 60
_NOBODY = 65534
_AS_EXPECTED, _NOT_REFUSED, _REFUSED_OTHERWISE = 0, 3, 4


def _fill_disk(folder: Path) -> None:
    import resource  # there is none on Windows

    resource.setrlimit(resource.RLIMIT_FSIZE, (_BYTES, _BYTES))


def _forbid(folder: Path) -> None:
    if os.geteuid() == 0:  # who may write everywhere
        os.setuid(_NOBODY)
    else:
        folder.chmod(0o555)


FAULTS: dict[str, Callable[[Path], None]] = {"disk full": _fill_disk, "no permission": _forbid}


def outcome(kind: Kind, fault: Callable[[Path], None], place: Path) -> str:
    """Writes a second version under a fault; returns what was wrong with that, or nothing."""
    folder = place / "out"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    folder.chmod(0o755)
    kind.write(folder, 0)
    before = seen(folder)
    child = os.fork()
    if child == 0:
        os._exit(_write(kind, fault, folder))
    _, status = os.waitpid(child, 0)
    folder.chmod(0o755)
    told = os.waitstatus_to_exitcode(status)
    if told != _AS_EXPECTED:
        return {_NOT_REFUSED: "not refused", _REFUSED_OTHERWISE: "refused with another error"}.get(
            told, f"ended with {told}"
        )
    if seen(folder) != before:
        return "the old version was touched"
    return "left " + ", ".join(hidden(folder)) if hidden(folder) else ""


def _write(kind: Kind, fault: Callable[[Path], None], folder: Path) -> int:
    try:
        fault(folder)
        kind.write(folder, 1)
    except D24fadError as error:
        return _AS_EXPECTED if error.code is Code.CANNOT_WRITE else _REFUSED_OTHERWISE
    except SystemExit as left:
        return _AS_EXPECTED if left.code == exit_status(Code.CANNOT_WRITE) else _REFUSED_OTHERWISE
    except BaseException:
        return _REFUSED_OTHERWISE
    return _AS_EXPECTED if kind.silent else _NOT_REFUSED


def main() -> int:
    """Tries every kind with every fault; returns 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.refused")
    parser.add_argument("kinds", nargs="*", default=list(KINDS))
    kinds = parser.parse_args().kinds
    torch.set_num_threads(1)  # threads do not survive the fork
    wrong = 0
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        for name in kinds:
            for what, fault in FAULTS.items():
                where = Path(place) / name
                where.mkdir(exist_ok=True)
                found = outcome(KINDS[name], fault, where)
                wrong += bool(found)
                print(f"{name}, {what}: {found or 'refused, the old version is there'}", flush=True)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
