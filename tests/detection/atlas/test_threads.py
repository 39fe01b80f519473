from __future__ import annotations

import pytest

from napari_d24fad.detection.atlas.threads import in_threads


def test_results_come_in_order_and_faults_come_out() -> None:
    assert in_threads(lambda n: n * n, range(5)) == [0, 1, 4, 9, 16]
    assert in_threads(_refuse, []) == []
    with pytest.raises(ValueError, match="three"):
        in_threads(_refuse, range(5))


def _refuse(number: int) -> int:
    if number == 3:
        raise ValueError("three")
    return number
