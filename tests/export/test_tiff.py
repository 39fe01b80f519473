"""The float TIFF of an image without geometry."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK
import tifffile
from PIL import Image

from napari_d24fad.export.tiff import save_tiff
from napari_d24fad.studies.study import open_study
from tests.export.maps import make_map


def test_values_and_nan_come_back_in_three_readers_and_ours(tmp_path: Path) -> None:
    values = np.arange(12, dtype=np.float32).reshape(1, 3, 4) / 7
    values[0, 1, 2] = np.nan
    save_tiff(make_map(values), tmp_path / "chest_anomaly.tiff")
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "chest_anomaly.tiff"), values[0])
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "chest_anomaly.tiff")), values[0])
    image = SimpleITK.ReadImage(str(tmp_path / "chest_anomaly.tiff"))
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(image), values[0])
    (series,) = open_study(tmp_path / "chest_anomaly.tiff").series  # and in our own
    np.testing.assert_array_equal(series.load().voxels, values)


def test_it_says_what_it_is_and_tells_no_date(tmp_path: Path) -> None:
    save_tiff(make_map(np.ones((1, 2, 2))), tmp_path / "map.tiff")
    with tifffile.TiffFile(tmp_path / "map.tiff") as file:
        tags = {tag.name: tag.value for tag in file.pages[0].tags}
    assert tags["ImageDescription"] == "D2-4FAD anomaly map, research use only"
    assert tags["Software"] == "napari-d24fad"
    assert "DateTime" not in tags


def test_slices_become_pages(tmp_path: Path) -> None:
    values = np.arange(24, dtype=np.float32).reshape(3, 2, 4)
    save_tiff(make_map(values, slice_axis=1), tmp_path / "map.tiff")
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "map.tiff"), values.swapaxes(0, 1))
