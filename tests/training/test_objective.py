from dataclasses import replace

import pytest
import torch

from napari_d24fad.network.d24fad import D24FAD, build_network
from napari_d24fad.network.losses import distance_loss
from napari_d24fad.network.teachers.protocol import TeacherFeatures
from napari_d24fad.network.weighting import combine
from napari_d24fad.training.objective import Objective
from napari_d24fad.training.options import TrainingOptions

PUBLISHED = TrainingOptions.published(steps=1, shots=3)


@pytest.fixture(scope="module")
def seen() -> tuple[D24FAD, TeacherFeatures]:
    """A network in evaluation mode, where a batch does not change it, and an episode's teacher features."""
    torch.manual_seed(0)
    network = build_network("compact")
    with torch.no_grad():
        return network, network.teacher(torch.rand(PUBLISHED.episode, 3, 64, 64))


def loss_of(seen: tuple[D24FAD, TeacherFeatures], options: TrainingOptions) -> float:
    network, features = seen
    with torch.no_grad():
        return float(Objective(network, options).eval()(*features.scales, features.embedding))


def parts(seen: tuple[D24FAD, TeacherFeatures], *, uniform: bool = False) -> tuple[float, float]:
    """SSD and TSD by the paper's formulas."""
    network, features = seen
    with torch.no_grad():
        copied = network.student(features.embedding)
        queries, supports = [scale[:16] for scale in copied], [scale[16:] for scale in copied]
        projected = network.weighting.project((supports[0], supports[1], supports[2]))
        weights = [network.weighting.logits(q, p).softmax(1) for q, p in zip(queries, projected, strict=True)]
        if uniform:
            weights = [torch.full_like(each, 1 / 3) for each in weights]
        weighted = [combine(w, s) for w, s in zip(weights, supports, strict=True)]
        tsd = distance_loss([scale[:16] for scale in features.scales], queries)
        return float(distance_loss(queries, weighted)), float(tsd)


def test_published_loss_is_ssd_plus_a_tenth_of_tsd(seen: tuple[D24FAD, TeacherFeatures]) -> None:
    ssd, tsd = parts(seen)
    assert loss_of(seen, PUBLISHED) == pytest.approx(ssd + 0.1 * tsd, rel=1e-4)
    assert loss_of(seen, replace(PUBLISHED, tsd_weight=0)) == pytest.approx(ssd, rel=1e-4)
    assert loss_of(seen, replace(PUBLISHED, ssd=False)) == pytest.approx(0.1 * tsd, rel=1e-4)


def test_without_learn_to_weight_supports_count_equally_in_training_and_in_the_model() -> None:
    torch.manual_seed(1)
    network = build_network("compact")
    with torch.no_grad():
        seen = network, network.teacher(torch.rand(PUBLISHED.episode, 3, 64, 64))
    ssd, _ = parts(seen, uniform=True)
    assert loss_of(seen, replace(PUBLISHED, tsd_weight=0, l2w=False)) == pytest.approx(ssd, rel=1e-4)
    # The projections are 0 now: the published formula itself weighs equally.
    assert parts(seen)[0] == pytest.approx(ssd, rel=1e-6)


@pytest.mark.parametrize("change", [{"ssd": False}, {"l2w": False}])
def test_every_parameter_that_asks_for_a_gradient_gets_one(change: dict[str, bool]) -> None:
    network = build_network("compact").train()
    features = network.teacher(torch.rand(PUBLISHED.episode, 3, 64, 64))
    objective = Objective(network, replace(PUBLISHED, **change))
    objective(*features.scales, features.embedding).backward()
    asked = {name for name, each in objective.named_parameters() if each.requires_grad}
    assert asked == {name for name, each in objective.named_parameters() if each.grad is not None}
    assert not any(name.startswith("weighting") for name in asked)
