from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import rankdata

from napari_d24fad.detection.atlas.scoring import AtlasReferences
from napari_d24fad.detection.plans.head_mr import head_mr_plan
from napari_d24fad.studies.nifti.series import nifti_series
from napari_d24fad.studies.scan import Scan

FOLDER = Path(__file__).parents[4] / "shared" / "data" / "nifti"
QUERY = "glioma_tcga_du7294"
OTHERS = ("glioma_aurora", "glioma_gli00001", "glioma_tcga_fg6692")

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="shared/data/nifti is missing")


def read(case: str, name: str = "flair") -> Scan:
    return nifti_series(FOLDER / case / f"{name}.nii.gz")[0].load()


def test_a_glioma_stands_out_from_the_brain_and_nothing_beside_the_brain_is_coloured() -> None:
    references = AtlasReferences.measure([read(case) for case in OTHERS], head_mr_plan())
    scan, tumour = read(QUERY), np.asarray(read(QUERY, "tumour_mask").voxels) > 0
    found = references.examine(scan)
    brain = np.asarray(scan.voxels) > 0
    values = np.nan_to_num(found.map(), nan=-9)
    inside, outside = values[tumour & brain][::5], values[brain & ~tumour][::41]
    ranks = rankdata(np.concatenate([inside, outside]))[: inside.size]
    auroc = (ranks.mean() - (inside.size + 1) / 2) / outside.size
    assert auroc >= 0.96
    coloured = found.coloured(1.0)
    assert coloured.any()
    assert coloured[~brain].mean() == 0
