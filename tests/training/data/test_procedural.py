import torch

from napari_d24fad.training.data.procedural import procedural_tasks


def test_a_seed_makes_the_same_tasks_and_another_makes_others() -> None:
    first, again, other = (procedural_tasks(2, 3, 64, seed) for seed in (1, 1, 2))
    assert [task.name for task in first] == ["procedural 1", "procedural 2"]
    for one, two in zip(first, again, strict=True):
        assert one.images.shape == (3, 3, 64, 64)
        assert one.images.dtype == torch.uint8
        assert torch.equal(one.images, two.images)
    assert not torch.equal(first[0].images, other[0].images)


def test_subjects_resemble_each_other_more_than_another_anatomy() -> None:
    tasks = procedural_tasks(6, 4, 64, seed=3)
    images = torch.stack([task.images.float() for task in tasks])
    within = (images[:, :-1] - images[:, 1:]).abs().mean()
    between = (images[:-1, 0] - images[1:, 0]).abs().mean()
    assert 1 < within < 0.6 * between
