from pathlib import Path

import pytest

from napari_d24fad.detection.detector import Detector
from napari_d24fad.evaluation.ablation import VARIANTS, ablate
from napari_d24fad.evaluation.measure import EncodedTask, Plan, measure_task
from napari_d24fad.evaluation.reading import read_labelled
from napari_d24fad.metrics.scans import auroc
from napari_d24fad.progress import CancelToken, silent
from tests.detection.subjects import random_model
from tests.evaluation.images import make_task


def test_the_shipped_variant_is_what_an_evaluation_measures(tmp_path: Path) -> None:
    make_task(tmp_path / "plain", n_normal=7, n_abnormal=4)
    (task,) = read_labelled(tmp_path, shots=3)
    detector, plan = Detector(random_model(), "cpu"), Plan(shots=(3,), draws=1, seed=1)
    found = ablate(detector, task, plan)
    assert found.keys() == VARIANTS.keys()
    (measured,) = measure_task(EncodedTask(detector, task, silent, CancelToken()), plan)
    assert found["as shipped"] == pytest.approx([auroc(measured.scores["model"], measured.abnormal)])
    # Of three references, the nearest three are all.
    assert found["all references instead of three"] == pytest.approx(found["as shipped"])


def test_each_variant_changes_one_thing_of_the_shipped_scoring() -> None:
    shipped = VARIANTS["as shipped"]
    for name, variant in list(VARIANTS.items())[1:]:
        fields = ("radius", "relative", "weighed", "mirrored", "smoothing", "top", "nearest")
        changed = sum(getattr(variant, field) != getattr(shipped, field) for field in fields)
        assert changed + (type(variant) is not type(shipped)) == 1, name
