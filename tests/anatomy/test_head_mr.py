"""MNI152 is read without importing nilearn, and is what nilearn's own functions return."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from napari_d24fad.anatomy import head_mr
from napari_d24fad.errors import Code, ModelError
from tests.cli.conftest import environment


@pytest.mark.parametrize("spacing", [2, 3])
def test_it_is_resampled_as_nilearn_does(spacing: int) -> None:
    from nilearn import datasets

    theirs = datasets.load_mni152_template(resolution=spacing)
    voxels, affine = head_mr.read_mni152("t1")
    ours, to_ras = head_mr.at_spacing(voxels / voxels.max(), affine, spacing)
    np.testing.assert_array_equal(to_ras, theirs.affine)
    np.testing.assert_array_equal(ours, theirs.get_fdata(dtype=np.float32))


def test_the_template_of_heads_imports_nothing_of_nilearn() -> None:
    script = """
import sys
from napari_d24fad.anatomy.head_mr import mni_template
from napari_d24fad.sample.head import average_head
assert mni_template().anatomy.any() and average_head().brightness.any()
loaded = {"nilearn", "pandas", "sklearn"} & set(sys.modules)
assert not loaded, loaded
"""
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_missing_template_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head_mr, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match="nilearn") as refused:
        head_mr.read_mni152("t1")
    assert refused.value.code is Code.TEMPLATE_MISSING
