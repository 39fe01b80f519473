from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from napari.layers import Image, Labels
from napari.utils.notifications import notification_manager
from npe2 import PluginManager, PluginManifest

import napari_d24fad
from napari_d24fad.errors import Code, ExportError
from napari_d24fad.export.dicom.writing import save_dicom
from napari_d24fad.sample import study as sample
from napari_d24fad.settings import CACHE_VARIABLE
from napari_d24fad.studies.orientation import canonical_orientation
from napari_d24fad.studies.scan import Scan
from napari_d24fad.viewer.canvas.layer_data import AFFINE_KEY, SCAN_KEY
from napari_d24fad.viewer.canvas.scans import ScanLayers
from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.find_anomalies import FindAnomalies
from napari_d24fad.viewer.readers import get_reader
from tests.export.dicom.cases import GRID, RADIUS_MM, balls, case, centres, opened
from tests.studies.phantom import CORONAL, OBLIQUE, slice_datasets, values_on, write_nifti, write_series

PLUGIN = "napari-d24fad"
MANIFEST = Path(napari_d24fad.__file__).parent / "napari.yaml"


@pytest.fixture
def viewer(make_napari_viewer):
    """A viewer that knows the plugin, whether or not it is installed."""
    manager = PluginManager.instance()
    if PLUGIN not in manager:
        manager.register(PluginManifest.from_file(MANIFEST))
    return make_napari_viewer()


@pytest.fixture
def told() -> Callable[[], list[str]]:
    """Returns what napari told the user since the test began."""
    before = len(notification_manager.records)
    return lambda: [record.message for record in notification_manager.records[before:]]


def assert_every_voxel_in_its_place(layer: Image) -> None:
    """Against the true affine in the metadata: no voxel was exchanged on its way to the screen."""
    expected = values_on(layer.metadata[AFFINE_KEY], layer.data.shape)
    assert np.abs(np.asarray(layer.data, float) - expected).max() < 1.0


@pytest.mark.parametrize("orientation", [CORONAL, OBLIQUE])
def test_dicom_folder_opens_upright(viewer, tmp_path: Path, orientation: tuple[float, ...]) -> None:
    write_series(tmp_path, slice_datasets(orientation, rescale=True))
    (layer,) = viewer.open(str(tmp_path), plugin=PLUGIN)
    assert_every_voxel_in_its_place(layer)
    assert isinstance(layer.metadata[SCAN_KEY], Scan)
    assert [str(unit) for unit in layer.units] == ["millimeter"] * 3


@pytest.mark.parametrize("name", ["scan.nii", "scan.nii.gz", "SCAN.NII.GZ"])
def test_nifti_opens_upright(viewer, tmp_path: Path, name: str) -> None:
    stored = np.array([[0, 0, 1], [-1, 0, 0], [0, 1, 0]])  # axes run to posterior, superior and right
    write_nifti(tmp_path / name.lower(), stored)
    (tmp_path / name.lower()).rename(tmp_path / name)
    (layer,) = viewer.open(str(tmp_path / name), plugin=PLUGIN)
    assert_every_voxel_in_its_place(layer)


def test_single_dicom_file_opens_as_one_slice(viewer, tmp_path: Path) -> None:
    files = sorted(write_series(tmp_path, slice_datasets()))
    (layer,) = viewer.open(str(files[0]), plugin=PLUGIN)
    assert layer.data.shape[0] == 1


def test_files_of_a_folder_open_as_the_series_they_are(viewer, tmp_path: Path) -> None:
    files = [str(file) for file in sorted(write_series(tmp_path, slice_datasets()))]
    (layer,) = viewer.open(files, stack=True, plugin=PLUGIN)
    assert_every_voxel_in_its_place(layer)


def test_one_scan_of_several_is_visible(viewer, tmp_path: Path) -> None:
    write_series(tmp_path / "a", slice_datasets())
    write_series(tmp_path / "b", slice_datasets(CORONAL))
    layers = viewer.open(str(tmp_path), plugin=PLUGIN)
    assert [layer.visible for layer in layers] == [True, False]


def test_bad_files_are_told_and_the_viewer_lives(viewer, tmp_path: Path, told) -> None:
    (tmp_path / "note.dcm").write_text("no image at all")
    assert viewer.open(str(tmp_path / "note.dcm"), plugin=PLUGIN) == []
    (message,) = told()
    assert message.startswith("S04: ")
    assert str(tmp_path) not in message
    assert len(viewer.layers) == 0
    viewer.add_image(np.zeros((4, 4)))


def test_readable_series_open_although_others_do_not(viewer, tmp_path: Path, told) -> None:
    write_series(tmp_path / "whole", slice_datasets())
    gappy = sorted(write_series(tmp_path / "gappy", slice_datasets(CORONAL)))
    gappy[2].unlink()
    assert len(viewer.open(str(tmp_path), plugin=PLUGIN)) == 1
    assert any(message.startswith("S06: ") for message in told())


def test_only_medical_paths_are_claimed(tmp_path: Path) -> None:
    assert get_reader(str(tmp_path)) is None
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "IM0001").write_bytes(b"\0" * 128 + b"no mark")
    assert get_reader(str(tmp_path)) is None
    assert get_reader(str(tmp_path / "notes.txt")) is None
    (tmp_path / "IM0002").write_bytes(b"\0" * 128 + b"DICM")
    assert get_reader(str(tmp_path)) is not None
    assert get_reader([str(tmp_path / "scan.nii"), str(tmp_path / "notes.txt")]) is None


def test_sample_opens_from_the_menu_with_its_dock_and_is_made_once(
    viewer, qtbot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    monkeypatch.setattr(sample, "N_REFERENCES", 1)
    layers = viewer.open_sample(PLUGIN, "heads")
    assert [layer.name for layer in layers] == ["Synthetic T1 subject 1", "Synthetic T1 subject 2"]
    assert [layer.visible for layer in layers] == [True, False]
    made = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.dcm")}
    assert len(viewer.open_sample(PLUGIN, "heads")) == 2
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.dcm")} == made

    def docks() -> list[FindAnomalies]:
        return [each for each in viewer.window.dock_widgets.values() if isinstance(each, FindAnomalies)]

    qtbot.waitUntil(lambda: len(docks()) == 1)
    qtbot.wait(50)
    assert len(docks()) == 1, "the second time it was open already"


def test_sample_that_cannot_be_written_is_refused_with_its_code(
    viewer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sample").write_text("a file where the folder should be")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    with pytest.raises(ExportError) as refused:  # napari shows its sentence
        viewer.open_sample(PLUGIN, "heads")
    assert refused.value.code is Code.CANNOT_WRITE
    assert len(viewer.layers) == 0


def test_widget_opens_from_the_plugin_menu(viewer) -> None:
    _, widget = viewer.window.add_plugin_dock_widget(PLUGIN, "Find anomalies")
    assert isinstance(widget, FindAnomalies)
    assert isinstance(widget.dock, DetectionDock)


def test_manifest_is_valid() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "npe2", "validate", str(MANIFEST)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_segmentation_lies_on_the_voxels_of_its_scan(viewer, tmp_path: Path, told) -> None:
    write_series(tmp_path / "source", slice_datasets(OBLIQUE, grid=GRID))
    series = opened(tmp_path / "source")
    entry = case(series)
    save_dicom(tmp_path / "objects", entry, series, ("seg", "labelmap"))
    (scan,) = viewer.open(str(tmp_path / "source"), plugin=PLUGIN)
    (labels,) = viewer.open(str(tmp_path / "objects" / "segmentation.dcm"), plugin=PLUGIN)
    assert isinstance(labels, Labels)
    assert labels.name == "Finding 1: Hämorrhagie, Finding 2"
    assert list(labels.features["segment"]) == ["", "Finding 1: Hämorrhagie", "Finding 2"]
    assert labels.data.shape == scan.data.shape
    np.testing.assert_array_equal(labels.extent.world, scan.extent.world)
    one, other = balls(entry.found.scan)
    shown = canonical_orientation(entry.found.scan).apply(one + 2 * other)
    np.testing.assert_array_equal(labels.data, shown)

    viewer.layers.clear()
    together = viewer.open(str(tmp_path), plugin=PLUGIN)
    assert [type(layer) for layer in together] == [Image, Labels, Labels]
    np.testing.assert_array_equal(together[1].data, shown)
    np.testing.assert_array_equal(together[2].data, shown)

    # the dock's own layer of the scan
    viewer.layers.clear()
    own = ScanLayers(viewer).show_scan(series, series.load())
    (over_own,) = viewer.open(str(tmp_path / "objects" / "segmentation.dcm"), plugin=PLUGIN)
    np.testing.assert_array_equal(over_own.data, shown)
    np.testing.assert_array_equal(over_own.extent.world, own.layer.extent.world)

    viewer.layers.clear()
    (alone,) = viewer.open(str(tmp_path / "objects" / "segmentation.dcm"), plugin=PLUGIN)
    for number, centre in enumerate(centres(entry.found.scan), start=1):
        index = np.argwhere(np.asarray(alone.data) == number)
        lps = index @ alone.metadata[AFFINE_KEY][:3, :3].T + alone.metadata[AFFINE_KEY][:3, 3]
        assert np.linalg.norm(lps - centre, axis=1).max() < RADIUS_MM + 1e-3
    assert told() == []

    broken = tmp_path / "broken.dcm"
    broken.write_bytes((tmp_path / "objects" / "segmentation.dcm").read_bytes()[:-40])
    assert viewer.open(str(broken), plugin=PLUGIN) == []
    assert "S26" in told()[-1]
