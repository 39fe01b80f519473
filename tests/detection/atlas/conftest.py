from __future__ import annotations

from dataclasses import replace

import pytest

from napari_d24fad.detection.atlas.scoring import AtlasReferences
from napari_d24fad.detection.plans.head_ct import head_ct_plan
from tests.anatomy.heads import Head, draw

COARSE = Head(spacing=(5.0, 2.5, 2.5), low=-45, high=70)


@pytest.fixture(scope="session")
def references() -> AtlasReferences:
    """Four normal heads, each turned otherwise, measured."""
    scans = [draw(replace(COARSE, seed=seed, turn=3 * seed - 6))[0] for seed in range(4)]
    return AtlasReferences.measure(scans, head_ct_plan())
