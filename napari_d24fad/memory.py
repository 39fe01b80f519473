"""Resident memory of this process."""

from __future__ import annotations

import sys

import psutil


def resident_mib() -> float:
    """Returns the resident memory now in MiB."""
    return float(psutil.Process().memory_info().rss / 2**20)


def highest_mib() -> float:
    """Returns the highest resident memory so far in MiB."""
    if sys.platform == "win32":
        return float(psutil.Process().memory_info().peak_wset / 2**20)
    import resource  # psutil knows the highest on Windows only

    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return highest / (2**20 if sys.platform == "darwin" else 2**10)  # bytes there, KiB elsewhere
