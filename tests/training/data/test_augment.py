import pytest
import torch

from napari_d24fad.training.data.augment import random_views


def disc(side: int = 64) -> torch.Tensor:
    axis = torch.linspace(-1, 1, side)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    return ((x.square() + y.square()) < 0.25).float().mul(200).to(torch.uint8).expand(64, 3, -1, -1)


@pytest.mark.parametrize("upright", [True, False])
def test_views_turn_and_scale_but_never_shear(upright: bool) -> None:
    """The area of a disc varies with the zoom, its two half-widths only together."""
    views = random_views(disc(), 64, torch.Generator().manual_seed(0), upright=upright)
    assert views.shape == (64, 3, 64, 64)
    assert 0 <= float(views.min()) <= float(views.max()) <= 1
    roundness = []
    for view in views.mean(dim=1):
        values = view - view.median()
        mask = (values.abs() > 0.5 * values.abs().max()).float()
        rows, columns = mask.amax(dim=1).sum(), mask.amax(dim=0).sum()
        if rows < 60 and columns < 60:  # a disc cut by the border tells nothing
            roundness.append(float(rows / columns))
    assert len(roundness) > 10
    middle = torch.tensor(roundness).median()
    assert 0.9 < float(middle) < 1.1


def test_upright_views_keep_left_and_right() -> None:
    image = torch.zeros(40, 3, 64, 64, dtype=torch.uint8)
    image[..., 20:44, 8:24] = 220
    views = random_views(image, 64, torch.Generator().manual_seed(0), zoom=0.1, upright=True).mean(dim=1)
    left, right = views[:, :, :32].mean(dim=(1, 2)), views[:, :, 32:].mean(dim=(1, 2))
    assert (left > right).all()
