import pytest
import torch

from napari_d24fad.errors import Cancelled
from napari_d24fad.progress import CancelToken
from napari_d24fad.training.data.distil_sources import distil_sources
from napari_d24fad.training.data.photographs import photographs
from napari_d24fad.training.data.procedural import procedural_tasks
from napari_d24fad.training.data.views import Source, build_bank, mixed, relit, view


def pyramid(images: torch.Tensor) -> list[torch.Tensor]:
    """Stands for a teacher: grey values at three scales, so that views and targets can be matched."""
    return [torch.nn.functional.avg_pool2d(images, size) for size in (4, 8, 16)]


def sources() -> list[Source]:
    dark, bright = torch.full((3, 80, 100), 0.1), torch.full((3, 90, 70), 0.9)
    return [
        Source([dark], 10, (0.5, 0.9), 2, general=False),
        Source([bright], 70, (0.5, 0.9), 3, general=True),
    ]


def test_targets_belong_to_their_views_and_kinds_to_their_sources() -> None:
    bank = build_bank(sources(), pyramid, 64, torch.Generator().manual_seed(0))
    assert bank.views.shape == (80, 3, 64, 64)
    assert [len(kind) for kind in bank.kinds] == [10, 70]
    assert bank.every == (0, 0, 1, 1, 1)
    assert bank.general == (1, 1, 1)
    images = bank.views.float() / 255
    for target, size in zip(bank.targets, (8, 8, 16), strict=True):
        expected = torch.nn.functional.avg_pool2d(images, size)
        torch.testing.assert_close(target.float(), expected, atol=2e-3, rtol=0)


def test_standardised_targets_have_mean_0_and_deviation_1() -> None:
    bank = build_bank(sources(), pyramid, 64, torch.Generator().manual_seed(0))
    for target in bank.standardised(torch.arange(80)):
        deviation, mean = torch.std_mean(target, dim=(0, 2, 3))
        torch.testing.assert_close(mean, torch.zeros(3), atol=0.3, rtol=0)
        torch.testing.assert_close(deviation, torch.ones(3), atol=0.3, rtol=0)


def test_a_view_shows_the_stated_part_of_the_picture() -> None:
    # Values grow by 1 over the width, so the range of a view says how much it covers.
    ramp = torch.linspace(0, 1, 200).expand(3, 200, 200)
    spans = []
    generator = torch.Generator().manual_seed(1)
    for _ in range(60):
        shown = view(ramp, (0.5, 0.5), 64, generator)
        assert shown.shape == (3, 64, 64)
        middle = shown[0, 24:40, 24:40]
        spans.append(float(middle.max() - middle.min()))
    # A quarter of half the width, more when turned, less or more when stretched by at most 18 %.
    assert 0.09 < sorted(spans)[30] < 0.16


def test_relit_and_mixed_stay_in_range_and_change_what_they_should() -> None:
    generator = torch.Generator().manual_seed(2)
    images = torch.rand(64, 3, 16, 16, generator=generator)
    for change in (relit, mixed):
        changed = change(images, generator)
        assert changed.min() >= 0
        assert changed.max() <= 1
        untouched = (changed == images).flatten(1).all(dim=1).float().mean()
        assert (untouched < 0.05) if change is relit else (0.5 < untouched < 0.9)


def test_the_same_seed_takes_the_same_views() -> None:
    banks = [build_bank(sources(), pyramid, 32, torch.Generator().manual_seed(5)) for _ in range(2)]
    assert torch.equal(banks[0].views, banks[1].views)
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        build_bank(sources(), pyramid, 32, torch.Generator(), cancel=token)


def test_sources_are_tasks_photographs_and_procedural_anatomy() -> None:
    task = procedural_tasks(1, 4, 32, seed=0)[0]
    found = distil_sources([task], 32, seed=0)
    assert [source.general for source in found] == [False, *[True] * 7]
    assert len(found[0].pictures) == 4
    assert len(found[1].pictures) == len(photographs()) == 17
    assert all(picture.shape[0] == 3 and picture.min() >= 0 for picture in found[1].pictures)
    assert max(float(picture.max()) for picture in found[1].pictures) <= 1
