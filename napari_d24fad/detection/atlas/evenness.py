"""Maps of scans that depart everywhere a little more or less than others, made comparable.

A scan with more noise, or that is aligned less well, is further from the references nearly everywhere.
Without this, a few normal scans show most of the false regions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from napari_d24fad.anatomy.grid import FloatArray

_HIGH = 0.95
_MOST = 1.5
"""By how much a map is scaled at most: a lesion that fills a part of the brain is not made to vanish."""


@dataclass(frozen=True, slots=True)
class Evenness:
    """What the references show.

    Attributes:
        usual: Median over them of how far the 95th percentile of a map is above its median; 0 to leave
            maps as they are.
    """

    usual: float = 0.0

    @classmethod
    def of(cls, maps: Sequence[FloatArray]) -> Evenness:
        """Learns from the maps of the references left out; NaN outside the anatomy."""
        return cls(float(np.median([_reach(found) for found in maps]))) if maps else cls()

    def evened(self, fused: FloatArray) -> FloatArray:
        """Returns a map scaled so that it reaches as far as those of the references usually do."""
        own = _reach(fused) if self.usual else 0.0
        if own <= 0:
            return fused
        share = self.usual / own
        return np.asarray(fused * np.float32(np.clip(share, 1 / _MOST, _MOST)), np.float32)


def _reach(fused: FloatArray) -> float:
    known = fused[np.isfinite(fused)]
    if not known.size:
        return 0.0
    middle, high = np.quantile(known, (0.5, _HIGH))
    return float(high - middle)
