import numpy as np
import torch

from napari_d24fad.detection.null import LEVELS, expected_maps


def test_levels_that_no_reference_shows_borrow_from_the_nearest() -> None:
    """References with anatomy in one slice: the same is expected at every level, not half of it."""
    expected = expected_maps(torch.full((2, 32, 32), 3.0), np.array([0.5, 0.5]))
    assert expected.shape == (LEVELS, 32, 32)
    assert expected.dtype == torch.float32
    torch.testing.assert_close(expected, torch.full_like(expected, 3.0))


def test_each_level_expects_what_references_show_there() -> None:
    maps = torch.ones(LEVELS, 32, 32)
    maps[LEVELS // 2 :] = 3
    expected = expected_maps(maps, (np.arange(LEVELS) + 0.5) / LEVELS)
    torch.testing.assert_close(expected[0], torch.full((32, 32), 1.5), atol=1e-3, rtol=0)
    torch.testing.assert_close(expected[-1], torch.full((32, 32), 2.5), atol=1e-3, rtol=0)
