import numpy as np
import torch

from napari_d24fad.detection.encoding.intensity import Window
from napari_d24fad.detection.encoding.sampling import Box, Sampling, anatomy_box

BOX = Box((0, 1), (10, 170), (20, 120))
AS_IT_IS = Window(0, 1)


def test_every_pixel_returns_to_its_place() -> None:
    """A map that says where it is comes back saying where the slice's pixels are."""
    rows, columns = np.mgrid[:200, :150].astype(np.float32)
    for pixel in ((1.0, 1.0), (0.7, 1.9), (2.5, 0.8)):
        sampling = Sampling.fit(BOX, (200, 150), pixel, 128)
        for ramp in (rows, columns):
            network = sampling.to_input(torch.from_numpy(ramp)[None, None])
            assert network.shape == (1, 3, 128, 128)
            back = sampling.to_slices(network[:, 0])[0].numpy()
            outside = np.ones(ramp.shape, bool)
            outside[10:170, 20:120] = False
            assert np.isnan(back[outside]).all()
            inner = np.s_[16:164, 26:114]  # the outermost pixels have no neighbour to blend with
            assert np.abs(back - ramp)[inner].max() < 0.75


def test_a_network_pixel_is_square_in_millimetres() -> None:
    sampling = Sampling.fit(BOX, (200, 150), (0.5, 2.0), 128)
    height, width = sampling.content
    assert width == 128  # 100 columns of 2 mm are longer than 160 rows of 0.5 mm
    assert abs(160 * 0.5 / height - 100 * 2.0 / width) < 0.05


def test_padding_is_black_and_not_content() -> None:
    sampling = Sampling.fit(BOX, (200, 150), (1.0, 1.0), 64)
    network = sampling.to_input(torch.ones(1, 1, 200, 150))[0, 0]
    assert torch.equal(network > 0.5, sampling.inside())
    assert sampling.inside().float().mean() < 0.7


def test_box_holds_the_anatomy_and_not_the_specks() -> None:
    unit = np.zeros((20, 100, 120), np.float32)
    unit[5:15, 20:80, 30:100] = 0.6
    unit[2, 95, 5] = 1.0
    box = anatomy_box(unit, AS_IT_IS)
    assert box is not None
    assert box.slices == (5, 15)
    for found, true, size in ((box.rows, (20, 80), 100), (box.columns, (30, 100), 120)):
        assert 0 <= true[0] - found[0] <= 0.04 * size + 2
        assert 0 <= found[1] - true[1] <= 0.04 * size + 2


def test_air_has_no_box() -> None:
    assert anatomy_box(np.zeros((4, 50, 50), np.float32), AS_IT_IS) is None


def test_the_other_leg_is_anatomy_too() -> None:
    unit = np.zeros((10, 100, 200), np.float32)
    unit[:, 20:80, 20:80] = unit[:, 20:80, 120:185] = 0.6
    box = anatomy_box(unit, AS_IT_IS)
    assert box is not None
    assert box.columns[0] <= 20
    assert box.columns[1] >= 185


def test_no_slice_of_a_long_scan_is_left_out() -> None:
    unit = np.zeros((300, 64, 64), np.float32)
    unit[21:282, 10:50, 10:50] = 0.6
    box = anatomy_box(unit, AS_IT_IS)
    assert box is not None
    assert box.slices == (21, 282)


def test_anatomy_is_seen_in_any_colour() -> None:
    voxels = np.zeros((4, 50, 50, 3), np.float32)
    voxels[:, 10:40, 10:40, 2] = 0.6
    assert anatomy_box(voxels, AS_IT_IS) is not None
