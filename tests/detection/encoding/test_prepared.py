import numpy as np
import pytest

from napari_d24fad.detection.encoding.prepared import prepare
from napari_d24fad.studies.scan import Scan
from tests.detection.subjects import AFFINE


@pytest.mark.parametrize("window", [(-160, 240), (-1350, 150), (0, 80)])
def test_the_window_of_a_ct_does_not_move_the_anatomy(window: tuple[float, float]) -> None:
    """In a lung window air is grey, and must not be taken for body."""
    voxels = np.full((12, 60, 60), -1000.0, np.float32)
    voxels[3:9, 10:50, 15:45] = 40
    prepared = prepare(Scan(voxels, AFFINE, modality="CT"), 64, (window,))
    assert prepared.examined == tuple(range(3, 9))
    assert prepared.sampling.rows == (8, 52)
    assert prepared.sampling.columns == (13, 47)
