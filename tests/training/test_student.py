from dataclasses import replace

import pytest
import torch

from napari_d24fad.errors import Code, TrainingError
from napari_d24fad.network.d24fad import build_network
from napari_d24fad.network.teachers.protocol import TeacherFeatures
from napari_d24fad.training.data.procedural import procedural_tasks
from napari_d24fad.training.features import ImageEncoder
from napari_d24fad.training.options import TrainingOptions
from napari_d24fad.training.student import train_student

CPU = torch.device("cpu")


def test_training_learns_and_leaves_the_teacher_alone() -> None:
    torch.manual_seed(0)
    network = build_network("compact")
    before = {name: value.clone() for name, value in network.teacher.state_dict().items()}
    options = TrainingOptions(steps=30, groups=2, queries=3, shots=2, side=64)
    tasks = procedural_tasks(2, 8, 72, seed=0)
    losses = train_student(network, tasks, options, normalise=True, device=CPU)
    assert len(losses) == 30
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])
    for name, value in network.teacher.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert not network.training


def test_images_that_are_not_augmented_are_encoded_once_and_train_as_without_a_cache(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    encoded: list[int] = []
    encode = ImageEncoder.__call__

    def counting(self: ImageEncoder, images: torch.Tensor) -> TeacherFeatures:
        encoded.append(len(images))
        return encode(self, images)

    monkeypatch.setattr(ImageEncoder, "__call__", counting)
    tasks = procedural_tasks(2, 9, 64, seed=0)
    options = replace(TrainingOptions.published(6, shots=2), queries=3, side=64)
    curves = []
    for budget in (1 << 30, 0):
        torch.manual_seed(0)
        encoded.clear()
        network = build_network("compact")
        curves.append(train_student(network, tasks, options, normalise=True, device=CPU, cache_bytes=budget))
        assert sum(encoded) == (18 if budget else 9 + 6 * 5)  # without memory, the first block is tried
    # bfloat16 convolutions of another batch size differ in the last bits, nothing else does.
    assert curves[0] == pytest.approx(curves[1], rel=1e-3)


def test_a_task_too_small_for_an_episode_is_refused() -> None:
    tasks = procedural_tasks(1, 4, 64, seed=0)
    with pytest.raises(TrainingError) as refusal:
        train_student(build_network("compact"), tasks, TrainingOptions(), normalise=True, device=CPU)
    assert refusal.value.code is Code.DATA_LAYOUT
    assert "procedural 1" in refusal.value.detail
