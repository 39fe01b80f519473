"""The contrast of scans whose tissues are known: the template's own, recoloured."""

from __future__ import annotations

import numpy as np
import pytest

from napari_d24fad.anatomy.contrast import Contrast, contrast_of
from napari_d24fad.anatomy.head_mr import mni_template


def seen_as(fluid: float, grey: float, white: float) -> Contrast:
    """MNI152 with other grey values of its tissues, noise added."""
    template = mni_template()
    values = template.volume.values
    level = np.median(values[values > 0.8]), 0.65, 0.35
    made = np.interp(values, level[::-1], (fluid, grey, white))
    made += 0.05 * np.random.default_rng(0).standard_normal(values.shape)
    found = contrast_of(made.astype(np.float32), template.anatomy, template)
    assert found is not None
    return found


def test_sequences_are_told_apart_by_their_tissues() -> None:
    t1, other_t1 = seen_as(0.3, 0.7, 1.0), seen_as(30, 75, 100)
    flair, t2 = seen_as(0.2, 1.0, 0.95), seen_as(2.0, 1.2, 0.9)
    assert t1.is_t1
    assert not flair.is_t1
    assert not t2.is_t1
    assert not t1.differs(other_t1)
    assert t1.differs(flair)
    assert flair.differs(t1)
    assert flair.differs(t2)


def test_ranks_say_how_often_a_tissue_is_darker() -> None:
    assert seen_as(0.1, 0.1, 1.0).fluid_darker == pytest.approx(1, abs=0.01)
    assert seen_as(1.0, 1.0, 1.0).grey_darker == pytest.approx(0.5, abs=0.02)


def test_too_little_of_the_tissues_has_no_contrast() -> None:
    template = mni_template()
    nothing = np.zeros(template.anatomy.shape, bool)
    assert contrast_of(template.volume.values, nothing, template) is None
