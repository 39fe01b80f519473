from __future__ import annotations

import numpy as np

from napari_d24fad.memory import highest_mib, resident_mib


def test_memory_rises_with_what_is_held_and_the_highest_stays() -> None:
    before = resident_mib()
    held = np.ones(2**28, np.uint8)
    assert before + 200 < resident_mib() <= highest_mib() + 1
    highest = highest_mib()
    del held
    assert resident_mib() < highest - 200
    assert highest_mib() >= highest
