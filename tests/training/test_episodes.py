import torch

from napari_d24fad.training.data.tasks import Task
from napari_d24fad.training.episodes import pick_images, views_of
from napari_d24fad.training.options import TrainingOptions


def test_queries_and_supports_of_an_episode_share_no_image() -> None:
    options = TrainingOptions(groups=40, queries=5, shots=3)
    tasks = [Task("eight", torch.zeros(8, 3, 4, 4)), Task("ten", torch.zeros(10, 3, 4, 4))]
    picked = pick_images(tasks, options, torch.Generator().manual_seed(0))
    assert len(picked) == 40
    assert {task for task, _ in picked} == {0, 1}
    for task, indices in picked:
        assert len(set(indices.tolist())) == 8
        assert set(indices.tolist()) <= set(range(len(tasks[task].images)))


def test_views_are_of_the_picked_images_in_order() -> None:
    levels = torch.tensor([0, 120, 240], dtype=torch.uint8)
    tasks = [Task("levels", levels[:, None, None, None].expand(-1, 3, 80, 80))]
    options = TrainingOptions(groups=1, queries=2, shots=1, side=64)
    picked = [(0, torch.tensor([2, 0, 1]))]
    views = views_of(tasks, picked, options, torch.Generator().manual_seed(0), torch.device("cpu"))
    assert views.shape == (3, 3, 64, 64)
    means = views.mean(dim=(1, 2, 3))
    assert means[1] < means[2] < means[0]
