"""DICOM: splitting of series, pixel kinds, and what is refused, beyond the corpus of cases."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from highdicom import _standard_utils
from pydicom.dataset import Dataset
from pydicom.uid import (
    DigitalXRayImageStorageForPresentation,
)

from napari_d24fad.errors import Cancelled, Code
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.dicom import pixels as dicom_pixels
from napari_d24fad.studies.dicom import series as dicom
from napari_d24fad.studies.dicom.header import Instance
from napari_d24fad.studies.dicom.pixels import read_slice
from napari_d24fad.studies.dicom.series import DicomSeries
from napari_d24fad.studies.scan import Photometric, Plane, Problem, Voxels
from napari_d24fad.studies.study import open_study
from tests.studies import phantom
from tests.studies.dicom.opened import described, only

NOISE = np.random.default_rng(3)


def repeated(count: int, change: Callable[[Dataset, int], None]) -> list[Dataset]:
    """Several volumes at the same positions in one series, told apart by ``change``."""
    datasets = []
    for turn in range(count):
        for dataset in phantom.slice_datasets(series_uid="2.25.77"):
            dataset.SeriesDescription = "Head"
            dataset.InstanceNumber = len(datasets) + 1
            change(dataset, turn)
            datasets.append(dataset)
    return datasets


def set_echo(dataset: Dataset, turn: int) -> None:
    dataset.EchoNumbers = turn + 1


def set_nothing(dataset: Dataset, turn: int) -> None:
    pass


def test_volumes_keep_their_own_pixels(tmp_path: Path) -> None:
    datasets = repeated(2, set_echo)
    for dataset in datasets[phantom.GRID[0] :]:
        dataset.RescaleSlope, dataset.RescaleIntercept = "1", "5000"
    phantom.write_series(tmp_path, datasets, order="shuffled")
    series = described(tmp_path)
    first, second = series["Head, echo 1"].load().voxels, series["Head, echo 2"].load().voxels
    np.testing.assert_array_equal(second, np.asarray(first) + 5000)


def test_two_traits_at_once(tmp_path: Path) -> None:
    """Two b-values, the higher one in two directions that no attribute names."""

    def change(dataset: Dataset, turn: int) -> None:
        dataset.DiffusionBValue = 0.0 if turn == 0 else 800.0

    phantom.write_series(tmp_path, repeated(3, change), order="shuffled")
    assert set(described(tmp_path)) == {"Head, b 0", "Head, b 800, volume 1", "Head, b 800, volume 2"}


@pytest.mark.parametrize(
    ("attribute", "values", "named"),
    [
        ("ConvolutionKernel", ("B30f", "BONE"), ("kernel B30f", "kernel BONE")),
        ("ConvolutionKernel", ("Br40d", "Br64d"), ("kernel Br40d", "kernel Br64d")),
        ("ConvolutionKernel", ("DOE 1960-05-03", "DOE_JOHN"), ("kernel 1", "kernel 2")),
        ("ConvolutionKernel", ("600503", "600504"), ("kernel 1", "kernel 2")),
        ("ImageType", (["ORIGINAL", "PRIMARY", "M"], ["ORIGINAL", "PRIMARY", "P"]), ("type M", "type P")),
        ("ImageType", (["ORIGINAL", "PRIMARY", "JANE"], ["ORIGINAL", "PRIMARY", "M"]), ("type 1", "type M")),
    ],
)
def test_what_tells_volumes_apart_names_nobody(
    tmp_path: Path, attribute: str, values: tuple[object, object], named: tuple[str, str]
) -> None:
    def change(dataset: Dataset, turn: int) -> None:
        setattr(dataset, attribute, values[turn])

    phantom.write_series(tmp_path, repeated(2, change))
    assert set(described(tmp_path)) == {f"Head, {name}" for name in named}


def test_many_volumes_are_counted_not_all_named(tmp_path: Path) -> None:
    phantom.write_series(tmp_path, repeated(12, set_nothing))
    (problem,) = open_study(tmp_path).series[0].problems
    assert problem.detail.startswith("12 series: 5 slices volume 1, 5 slices volume 2, ")
    assert problem.detail.endswith(", 5 slices volume 6, 6 more.")


def test_a_scout_in_three_planes_is_three_series(tmp_path: Path) -> None:
    datasets = [
        dataset
        for orientation in (phantom.AXIAL, phantom.CORONAL, phantom.SAGITTAL)
        for dataset in phantom.slice_datasets(orientation, series_uid="2.25.78")
    ]
    for dataset in datasets:
        dataset.SeriesDescription = " Scout "
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    phantom.write_series(tmp_path, datasets, order="shuffled")
    series = described(tmp_path)
    reasons = {one.problems[0].detail for one in series.values()}
    assert reasons == {"Three series: 5 localizers axial, 5 localizers sagittal, 5 localizers coronal."}
    assert {name: one.plane for name, one in series.items()} == {
        "Scout, axial": Plane.AXIAL,
        "Scout, coronal": Plane.CORONAL,
        "Scout, sagittal": Plane.SAGITTAL,
    }
    for one in series.values():
        phantom.assert_world_linear(one.load())


def test_a_scout_does_not_join_the_volume_of_its_series(tmp_path: Path) -> None:
    datasets = phantom.slice_datasets(series_uid="2.25.79")
    scout = phantom.slice_datasets(series_uid="2.25.79", origin=(-31.5, 22.25, 0))[0]
    scout.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    phantom.write_series(tmp_path, [*datasets, scout])
    series = open_study(tmp_path).series
    assert {one.grid[0] for one in series} == {5, 1}
    for one in series:
        assert one.problems == (Problem(Code.SPLIT_SERIES, "Two series: 5 slices, 1 localizer."),)


def test_copies_are_dropped_and_said(tmp_path: Path) -> None:
    datasets = phantom.slice_datasets()
    phantom.write_series(tmp_path / "first", datasets)
    phantom.write_series(tmp_path / "again", datasets[:2])
    series = only(tmp_path)
    assert series.n_files == phantom.GRID[0]
    assert series.problems == (Problem(Code.DUPLICATE_INSTANCE, "Copies left out: 2."),)
    phantom.assert_world_linear(series.load())


def test_the_same_series_uid_of_two_patients_stays_apart(tmp_path: Path) -> None:
    phantom.write_series(tmp_path / "a", phantom.slice_datasets(series_uid="2.25.81"))
    others = phantom.slice_datasets(series_uid="2.25.81")
    for dataset in others:
        dataset.PatientID = "another"
    phantom.write_series(tmp_path / "b", others)
    first, second = open_study(tmp_path).series
    assert first.grid == second.grid == phantom.GRID
    assert first.identity.patient_key != second.identity.patient_key
    assert len(first.identity.patient_key) == 64


def test_files_that_lack_what_anonymisers_remove(tmp_path: Path) -> None:
    datasets = phantom.slice_datasets()
    for dataset in datasets:
        for name in ("FrameOfReferenceUID", "PatientID", "PatientName", "SeriesNumber", "ImageType"):
            delattr(dataset, name)
    phantom.write_series(tmp_path, datasets, name="IM{:04d}".format)
    series = only(tmp_path)
    assert series.identity.patient_key == ""
    phantom.assert_world_linear(series.load())


def test_monochrome1_is_kept_as_stored(tmp_path: Path) -> None:
    stored = NOISE.integers(0, 4096, (8, 12)).astype(np.uint16)
    radiograph = phantom.image_dataset(
        stored, sop_class=DigitalXRayImageStorageForPresentation, modality="DX", photometric="MONOCHROME1"
    )
    radiograph.BitsStored, radiograph.HighBit = 12, 11
    radiograph.PresentationLUTShape = "INVERSE"
    radiograph.ImagerPixelSpacing = ["0.2", "0.1"]
    series = only(phantom.save(radiograph, tmp_path / "dx"))
    assert series.spacing is None
    assert series.plane is None
    assert series.label == "DX 8 x 12"
    scan = series.load()
    np.testing.assert_array_equal(scan.voxels[0], stored)
    assert scan.photometric is Photometric.BRIGHT_TO_DARK
    assert not scan.has_geometry
    # A pixel is twice as high as wide: 16 x 12 on the screen, bright where values are low.
    np.testing.assert_array_equal(scan.affine, np.diag([10.0, 2.0, 1.0, 1.0]))
    thumbnail = series.thumbnail(32)
    assert thumbnail.shape == (32, 24)
    assert np.corrcoef(thumbnail[2::4, 1::2].ravel(), stored.ravel())[0, 1] < -0.9


def test_declared_padding_of_frames(tmp_path: Path) -> None:
    enhanced = phantom.enhanced_dataset(frame_order=(3, 0, 4, 1, 2))
    pixels = np.frombuffer(enhanced.PixelData, np.int16).copy()
    size = phantom.GRID[1] * phantom.GRID[2]
    pixels[::size] = -32000
    enhanced.PixelData = pixels.tobytes()
    enhanced.PixelPaddingValue = -31990
    enhanced.PixelPaddingRangeLimit = -32000
    scan = only(phantom.save(enhanced, tmp_path / "e")).load()
    np.testing.assert_array_equal(np.argwhere(np.isnan(scan.voxels)), [[i, 0, 0] for i in range(5)])


def test_slices_are_read_by_several_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    phantom.write_series(tmp_path, phantom.slice_datasets(grid=(20, 6, 7)))
    series = only(tmp_path)
    assert isinstance(series, DicomSeries)
    together = threading.Barrier(2, timeout=60)
    starts = [series.instances[0], series.instances[8]]

    def read(instance: Instance, cancel: CancelToken | None = None) -> Voxels:
        if instance in starts:
            together.wait()  # breaks if one is read after the other
        return read_slice(instance, cancel)

    monkeypatch.setattr("napari_d24fad.studies.dicom.series.usable_cores", lambda: 2)
    monkeypatch.setattr(dicom, "read_slice", read)
    for plane, instance in zip(series.load().voxels, series.instances, strict=True):
        assert np.array_equal(plane, read_slice(instance))


def test_tables_of_the_standard_are_not_loaded_for_the_usual_images(tmp_path: Path) -> None:
    phantom.write_series(tmp_path, phantom.slice_datasets())
    tables = _standard_utils.get_module_attribute_map
    tables.cache_clear()
    only(tmp_path).load()
    assert tables.cache_info().misses == 0
    assert dicom_pixels._is_image(DigitalXRayImageStorageForPresentation)  # others may still ask
    assert tables.cache_info().misses == 1


def test_cancel_stops_the_loading(tmp_path: Path) -> None:

    phantom.write_series(tmp_path, phantom.slice_datasets())
    for path in (tmp_path, phantom.save(phantom.enhanced_dataset(grid=(20, 6, 7)), tmp_path / "other" / "e")):
        series = open_study(path).series[-1]
        cancel = CancelToken()
        seen: list[float] = []

        def stop(fraction: float, step: str, cancel: CancelToken = cancel, seen: list[float] = seen) -> None:
            seen.append(fraction)
            cancel.cancel()

        with pytest.raises(Cancelled):
            series.load(stop, cancel)
        assert len(seen) == 1


def test_pictures_of_one_series_stay_single(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        dataset = phantom.image_dataset(NOISE.integers(0, 255, (6, 7), dtype=np.uint8), modality="US")
        dataset.InstanceNumber = number
        dataset.SeriesDescription = "Liver"
        phantom.save(dataset, tmp_path / f"{9 - number}")
    series = open_study(tmp_path).series
    assert [one.identity.description for one in series] == ["Liver, part 1", "Liver, part 2", "Liver, part 3"]
    assert [one.label for one in series] == ["US 6 x 7"] * 3


def test_frames_that_are_described_at_length(tmp_path: Path) -> None:
    """Their descriptions, of 1.2 MB with a stated length, hold where they lie."""
    dataset = phantom.enhanced_dataset(grid=(5, 6, 7))
    for group in dataset.PerFrameFunctionalGroupsSequence:
        group.add_new(0x00211001, "LO", "vendor")
        group.add_new(0x00211010, "OB", bytes(250_000))
    (series,) = open_study(phantom.save(dataset, tmp_path / "frames")).series
    phantom.assert_world_linear(series.load())


def test_a_large_private_element_stays_in_the_file(tmp_path: Path) -> None:
    dataset = phantom.enhanced_dataset()
    dataset.add_new(0x00211001, "LO", "vendor")
    dataset.add_new(0x00211010, "OB", bytes(2**25))
    (series,) = open_study(phantom.save(dataset, tmp_path / "frames")).series
    tracemalloc.start()
    scan = series.load()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    phantom.assert_world_linear(scan)
    assert most < 2**24
