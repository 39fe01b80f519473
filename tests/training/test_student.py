import pytest
import torch

from napari_d24fad.errors import Code, TrainingError
from napari_d24fad.network.d24fad import build_network
from napari_d24fad.network.losses import distance_loss
from napari_d24fad.network.weighting import combine
from napari_d24fad.training.procedural import procedural_tasks
from napari_d24fad.training.student import TrainingOptions, draw_episode, episode_loss, train_student
from napari_d24fad.training.tasks import Task


def test_published_loss_is_ssd_plus_a_tenth_of_tsd() -> None:
    torch.manual_seed(0)
    network = build_network("compact")
    options = TrainingOptions.published(steps=1, shots=3)
    images = torch.rand(options.queries + options.shots, 3, 64, 64)
    with torch.no_grad():
        seen = network.teacher(images)
        copied = network.student(seen.embedding)
        queries = [scale[:16] for scale in copied]
        supports = [scale[16:] for scale in copied]
        projected = network.weighting.project((supports[0], supports[1], supports[2]))
        weighted = [
            combine(network.weighting.logits(q, p).softmax(1), s)
            for q, p, s in zip(queries, projected, supports, strict=True)
        ]
        ssd = distance_loss(queries, weighted)
        tsd = distance_loss([scale[:16] for scale in seen.scales], queries)
        loss = episode_loss(network, images, options)
    assert loss.item() == pytest.approx((ssd + 0.1 * tsd).item(), rel=1e-4)


def test_queries_and_supports_of_an_episode_share_no_image() -> None:
    numbered = torch.arange(8, dtype=torch.uint8)[:, None, None, None].expand(-1, 3, 64, 64)
    options = TrainingOptions(groups=3, queries=5, shots=3, side=64, augment=False)
    episode = draw_episode([Task("numbered", numbered)], options, torch.Generator().manual_seed(0))
    drawn = (episode[:, 0, 0, 0] * 255).round().reshape(3, 8)
    assert (drawn.sort(dim=1).values == torch.arange(8.0)).all()


def test_training_learns_and_leaves_the_teacher_alone() -> None:
    torch.manual_seed(0)
    network = build_network("compact")
    before = {name: value.clone() for name, value in network.teacher.state_dict().items()}
    options = TrainingOptions(steps=30, groups=2, queries=3, shots=2, side=64)
    tasks = procedural_tasks(2, 8, 72, seed=0)
    losses = train_student(network, tasks, options, normalise=True, device=torch.device("cpu"))
    assert len(losses) == 30
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])
    for name, value in network.teacher.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert not network.training


def test_a_task_too_small_for_an_episode_is_refused() -> None:
    tasks = procedural_tasks(1, 4, 64, seed=0)
    with pytest.raises(TrainingError) as refusal:
        train_student(
            build_network("compact"), tasks, TrainingOptions(), normalise=True, device=torch.device("cpu")
        )
    assert refusal.value.code is Code.DATA_LAYOUT
