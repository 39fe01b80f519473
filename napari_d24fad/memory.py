"""Resident memory of this process, where the system tells."""

from __future__ import annotations

import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


def resident_mib() -> float | None:
    """Returns the resident memory now in MiB; None where the system does not tell."""
    return _status("VmRSS")


def highest_mib() -> float | None:
    """Returns the highest resident memory so far in MiB; None where the system does not tell."""
    if sys.platform == "win32":
        return None
    import resource

    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return highest / (2**20 if sys.platform == "darwin" else 2**10)  # bytes there, KiB elsewhere


def _status(name: str) -> float | None:
    if not _STATUS.exists():
        return None
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
    return float(line.split()[1]) / 1024
