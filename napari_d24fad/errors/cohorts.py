"""What runs over a whole cohort may say. Code, meaning, and what to do next."""

from __future__ import annotations

COHORT_IS_THERE = (
    "C01",
    "There is a cohort in this folder already.",
    "Go on with it (--resume), or choose another folder.",
)
COHORT_DIFFERS = (
    "C02",
    "The cohort in this folder was begun with other references, other settings or another version.",
    "Use what it was begun with, or choose another folder.",
)
CASE_ENDS_WORKER = (
    "C03",
    "The program that examined this case ended three times before it was done.",
    "Look whether the case needs more memory than a worker has; --retry examines it again.",
)
WORKER_DIFFERS = (
    "C04",
    "A worker has another version of this tool, or of what it computes with, and was not used.",
    "Install the same versions on every node.",
)
FOLDER_NOT_SHARED = (
    "C05",
    "A worker does not find the cohort where it is to write.",
    "Choose a folder that all nodes see at the same path.",
)
NODES_NOT_ENCRYPTED = (
    "C06",
    "The scheduler is on another machine, and the connection to it would not be encrypted.",
    "Give a tls:// address with --tls-ca, --tls-cert and --tls-key.",
)
SCHEDULER_LOST = (
    "C07",
    "The scheduler, or every worker, cannot be reached.",
    "See that it runs, and go on with --resume; no finished case is lost.",
)
EXTRA_MISSING = (
    "C08",
    "A package that cohorts need is not installed.",
    "Install it: pip install 'napari-d24fad[cohort,slurm]'.",
)
