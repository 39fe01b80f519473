"""What needs a graphics card. Without one all is skipped; `pytest tests/cuda` takes a few minutes on one.

D24FAD_TEST_DEVICE=cpu runs what does not ask CUDA itself on the CPU, to see that the tests are sound.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    absent = pytest.mark.skip(reason="no CUDA device is available")
    for item in items:
        if HERE not in item.path.parents:
            continue
        item.add_marker(pytest.mark.cuda)
        on_cpu = device_name() == "cpu" and "gpu" not in getattr(item, "fixturenames", ())
        if not torch.cuda.is_available() and not on_cpu:
            item.add_marker(absent)


def device_name() -> str:
    return os.environ.get("D24FAD_TEST_DEVICE", "cuda")


@pytest.fixture
def device() -> str:
    """Where to compute what the CPU computes too."""
    return device_name()


@pytest.fixture
def gpu() -> torch.device:
    """For what only CUDA does; memory that nothing uses is given back before and after."""
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    return torch.device("cuda:0")
