from __future__ import annotations

import os

import pytest

from napari_d24fad.cores import usable_cores


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processes are not bound to cores here")
def test_cores_that_a_process_is_not_bound_to_are_not_counted() -> None:
    given = os.sched_getaffinity(0)
    assert usable_cores() == len(given)
    try:
        os.sched_setaffinity(0, {min(given)})
        assert usable_cores() == 1
    finally:
        os.sched_setaffinity(0, given)
