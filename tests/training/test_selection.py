import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

from napari_d24fad.progress import CancelToken
from napari_d24fad.training import validation
from napari_d24fad.training.data.anomalies import with_anomaly
from napari_d24fad.training.data.procedural import procedural_tasks
from napari_d24fad.training.data.tasks import Task
from napari_d24fad.training.selection import Selection, in_evaluation
from napari_d24fad.training.validation import QUERIES, REFERENCES, Validation
from tests.detection.subjects import random_model

CPU = torch.device("cpu")


def test_the_best_weights_are_kept_and_put_back_the_first_of_equals() -> None:
    module = nn.Linear(1, 1, bias=False)
    values = iter([0.5, 0.8, 0.8, 0.6])
    selection = Selection({"part": module}, lambda cancel: next(values))
    for step in range(1, 5):
        nn.init.constant_(module.weight, step)
        selection.review(step, CancelToken())
    assert selection.reviews == [(1, 0.5), (2, 0.8), (3, 0.8), (4, 0.6)]
    assert selection.best_review == (2, 0.8)
    selection.take_best()
    assert module.weight.item() == 2


def test_a_measurement_leaves_mode_and_randomness_as_they_were() -> None:
    network = nn.BatchNorm1d(2).train()

    def measure(cancel: CancelToken) -> float:
        assert not network.training
        return float(torch.rand(()))

    before = torch.get_rng_state()
    in_evaluation(network, measure)(CancelToken())
    assert network.training
    assert torch.equal(torch.get_rng_state(), before)


def test_an_anomaly_is_one_small_place_inside_the_tissue() -> None:
    generator = torch.Generator().manual_seed(0)
    images = procedural_tasks(1, 40, 96, seed=3)[0].images
    images[:, :, :, :30] = 0  # background
    for image, donor in zip(images[:20], images[20:], strict=True):
        changed = with_anomaly(image, donor, generator)
        assert changed.dtype == torch.uint8
        difference = (changed.float() - image.float()).abs().amax(dim=0)
        rows, columns = (difference > 2).nonzero().T
        assert 9 < len(rows) < 0.15 * 96 * 96
        assert rows.max() - rows.min() < 45
        assert columns.max() >= 30
        assert torch.equal(
            with_anomaly(image, donor, torch.Generator().manual_seed(1)),
            (with_anomaly(image, donor, torch.Generator().manual_seed(1))),
        )


def test_validation_is_the_image_auroc_of_the_default_scoring(monkeypatch: pytest.MonkeyPatch) -> None:
    model = random_model(input_size=64)
    task = procedural_tasks(1, 20, 72, seed=1)[0]
    doubled = Task("doubled", torch.cat([task.images, task.images[:4]]))  # copies are left out, not refused
    scored: list[float] = []
    detect = validation.Detector.detect

    def recording(*arguments: object, **options: object) -> object:
        result = detect(*arguments, **options)  # type: ignore[arg-type]  # passed on as given
        scored.append(result.score)
        return result

    monkeypatch.setattr(validation.Detector, "detect", recording)
    measured = Validation(model.network.eval(), model.card, [doubled], CPU)
    auroc = measured(CancelToken())
    queries = min(QUERIES, 20 - REFERENCES)
    assert len(scored) == 2 * queries
    assert auroc == pytest.approx(roc_auc_score(np.repeat([0, 1], queries), scored))
    assert measured(CancelToken()) == auroc
