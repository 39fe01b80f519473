import torch
from torch.nn.functional import interpolate

from napari_d24fad.network.losses import enlarge


def test_maps_are_enlarged_as_torch_enlarges_them() -> None:
    for shape in ((3, 8, 8), (1, 4, 16), (2, 32, 32)):
        maps = torch.rand(shape, generator=torch.Generator().manual_seed(0))
        expected = interpolate(maps[:, None], (128, 128), mode="bilinear", align_corners=True)[:, 0]
        torch.testing.assert_close(enlarge(maps, 128), expected, atol=1e-6, rtol=0)


def test_enlarging_works_with_gradients_after_inference() -> None:
    with torch.inference_mode():
        enlarge(torch.zeros(1, 6, 6), 32)
    maps = torch.rand(1, 6, 6, requires_grad=True)
    enlarge(maps, 32).sum().backward()
    assert maps.grad is not None
    torch.testing.assert_close(maps.grad.sum(), torch.tensor(32.0 * 32.0))
