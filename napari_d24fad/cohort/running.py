"""Goes through the cases of a cohort: in this process, or on workers; what is done already is passed over."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from napari_d24fad.cohort.item import Item
from napari_d24fad.cohort.task import Job, Told, run_case

Tell = Callable[[Told], None]
"""Given what came of each case, in the order they end."""


def run_here(job: Job, items: Iterable[Item], tell: Tell) -> None:
    """Examines cases one after the other in this process, without Dask.

    Raises:
        D24fadError: See `run_case`; what was told stays.
        KeyboardInterrupt: The user stopped it; so it does.
    """
    for item in items:
        tell(run_case(job, item))
