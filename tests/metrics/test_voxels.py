"""Voxel figures against scikit-learn on the same voxels."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from napari_d24fad.metrics.voxels import VoxelCounts


def test_figures_of_several_scans_are_those_of_their_voxels_together() -> None:
    r = np.random.default_rng(1)
    counts, every, labels = VoxelCounts(), [], []
    for shape in ((4, 20, 30), (3, 25, 25), (5, 10, 40)):
        lesion = np.zeros(shape, bool)
        lesion[1, 3:7, 4:12] = shape[0] != 3
        anatomy = np.ones(shape, bool)
        anatomy[:, :2] = False
        values = (r.normal(3, 1, shape) + 1.5 * lesion).astype(np.float32)
        counts.add(values, lesion if lesion.any() else None, anatomy)
        every.append(values[anatomy])
        labels.append(lesion[anatomy])
    values, truth = np.concatenate(every), np.concatenate(labels)
    assert counts.auroc() == pytest.approx(roc_auc_score(truth, values), abs=1e-3)
    assert counts.average_precision() == pytest.approx(average_precision_score(truth, values), abs=2e-3)


def test_what_was_not_examined_and_lesion_outside_the_anatomy_count_as_missed() -> None:
    values = np.array([[[3.0, 2.0, 1.0, np.nan]]], np.float32)
    lesion = np.array([[[True, False, False, False]]])
    counts = VoxelCounts()
    counts.add(values, lesion, np.ones((1, 1, 4), bool))
    assert counts.auroc() == 1.0
    assert counts.average_precision() == 1.0
    # The same lesion, lost by the mask: below 2 and 1, as low as what was not examined.
    lost = VoxelCounts()
    lost.add(values, lesion, np.array([[[False, True, True, True]]]))
    assert lost.auroc() == pytest.approx((0 + 0 + 0.5) / 3)
    assert lost.average_precision() == pytest.approx(1 / 4)


def test_groups_share_the_normal_voxels() -> None:
    counts = VoxelCounts()
    everywhere = np.ones((1, 1, 3), bool)
    first = np.array([[[True, False, False]]])
    counts.add(np.array([[[5.0, 1.0, 2.0]]], np.float32), first, everywhere, "bright")
    counts.add(np.array([[[1.5, 4.0, 3.0]]], np.float32), first, everywhere, "dark")
    assert counts.groups == ("bright", "dark")
    assert counts.auroc("bright") == 1.0
    assert counts.auroc("dark") == 0.25  # of 1, 2, 3 and 4 only 1 is lower
    assert counts.auroc() == pytest.approx((1 + 0.25) / 2)
    assert np.isnan(VoxelCounts().auroc())
