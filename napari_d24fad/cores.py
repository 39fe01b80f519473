"""Cores that this process may compute on."""

from __future__ import annotations

import os


def usable_cores() -> int:
    """Returns how many there are: a job of a cluster may be bound to a few of the machine's."""
    bound_to = getattr(os, "sched_getaffinity", None)  # Linux; elsewhere nothing is bound
    return len(bound_to(0)) if bound_to else os.cpu_count() or 1
