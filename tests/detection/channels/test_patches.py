from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from napari_d24fad.detection.channels.near import nearest


def test_the_nearest_patch_is_found_whatever_the_size() -> None:
    random = np.random.default_rng(0)
    for count, others in ((1, 1), (7, 5000), (300, 900), (40, 20000)):
        own = random.standard_normal((count, 27)).astype(np.float32)
        other = random.standard_normal((others, 27)).astype(np.float32)
        found = nearest(own, other, (other**2).sum(axis=1))
        np.testing.assert_array_equal(found, KDTree(other).query(own)[1])
