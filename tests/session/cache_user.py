"""What two processes do at once in tests of the cache; apart, so that they import little."""

from __future__ import annotations

from pathlib import Path

import torch

from napari_d24fad.session.feature_cache import FeatureCache

KEY = f"{7:064x}"


def use_cache(folder: str) -> int:
    """Writes and reads one entry while others come and go; counts the reads that found it."""
    cache = FeatureCache(Path(folder), 9000)
    found = 0
    for number in range(60):
        cache.put(KEY, {"values": torch.full((500,), float(number))}, {"number": number})
        cache.put(f"{100 + number % 9:064x}", {"values": torch.zeros(700)}, {})
        kept = cache.get(KEY)
        if kept is not None:
            tensors, content = kept
            assert tensors["values"].eq(float(content["number"])).all()
            found += 1
    return found
