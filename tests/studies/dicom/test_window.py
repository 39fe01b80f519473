"""The window that a header asks for, however often and wherever it is stated."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from napari_d24fad.studies.dicom.window import stated_window
from napari_d24fad.studies.study import open_study
from tests.studies import phantom


def header(centre: object, width: object) -> Dataset:
    dataset = Dataset()
    dataset.WindowCenter, dataset.WindowWidth = centre, width
    return dataset


@pytest.mark.parametrize(
    ("centre", "width", "window"),
    [
        ("40", "400", (-160, 240)),
        (["-600", "40"], ["1500", "400"], (-1350, 150)),
        ("40", None, None),
        ("40", "0", None),
        ("", "", None),
    ],
)
def test_the_first_window_counts(centre: object, width: object, window: tuple[float, float] | None) -> None:
    assert stated_window(header(centre, width)) == window


def test_enhanced_files_state_it_for_all_frames() -> None:
    group = Dataset()
    group.FrameVOILUTSequence = Sequence([header("300", "1500")])
    dataset = Dataset()
    dataset.SharedFunctionalGroupsSequence = Sequence([group])
    assert stated_window(dataset) == (-450, 1050)
    assert stated_window(Dataset()) is None


def test_a_scan_carries_it(tmp_path: Path) -> None:
    dataset = phantom.image_dataset(np.arange(16, dtype=np.int16).reshape(4, 4), modality="CT")
    dataset.WindowCenter, dataset.WindowWidth = "-600", "1500"
    (series,) = open_study(phantom.save(dataset, tmp_path / "f")).series
    assert series.load().stated_window == (-1350, 150)
