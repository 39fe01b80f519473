"""A fixed share of mutants, chosen by hypothesis: each is read right or refused by code."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.mutate import mutate
from tests.fuzz.seeds import Seed, seeds
from tests.fuzz.targets import READ, outcome

SEEDS = seeds()
KINDS = sorted({seed.kind for seed in SEEDS})


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"{seed.kind}-{seed.name}")
def test_seeds_are_good(tmp_path: Path, seed: Seed) -> None:
    path = tmp_path / seed.name
    path.write_bytes(seed.pack(seed.content))
    assert outcome(seed.kind, path) == ("S03" if seed.kind == "directory" else READ)


@pytest.mark.parametrize("kind", KINDS)
def test_mutants(tmp_path: Path, kind: str) -> None:
    chosen = [seed for seed in SEEDS if seed.kind == kind]

    @settings(
        max_examples=50,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.sampled_from(chosen), st.randoms(use_true_random=False))
    def read(seed: Seed, rng: random.Random) -> None:
        path = tmp_path / seed.name
        path.write_bytes(seed.pack(mutate(seed.content, rng)))
        assert re.fullmatch(rf"{READ}|[A-Z]\d\d", outcome(kind, path))

    read()
