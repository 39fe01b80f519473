"""A series of each kind that DICOM objects are made of, and all objects of it."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset

from napari_d24fad.export.dicom.kinds import KINDS
from napari_d24fad.export.dicom.writing import save_dicom
from tests.export.dicom.cases import GRID, Exported, case, opened
from tests.studies import phantom


def _tilted() -> list[Dataset]:
    """Slices of an axial volume whose places are moved as by a gantry that leans back by 15 degrees."""
    datasets, size = phantom.slice_datasets(grid=GRID, modality="CT"), GRID[1] * GRID[2]
    turn = np.deg2rad(15)
    orientation = (1, 0, 0, 0, np.cos(turn), np.sin(turn))
    for index, each in enumerate(datasets):
        affine = phantom.phantom_affine(orientation)
        affine[:3, 0] = (0, 0, phantom.SPACING[0])
        values = phantom.world_value(
            affine[:3, :3] @ np.stack([np.full(size, index), *np.indices(GRID[1:]).reshape(2, -1)])
            + affine[:3, 3:]
        )
        each.PixelData = np.round(values.reshape(GRID[1:])).astype(np.int16).tobytes()
        each.ImageOrientationPatient = [f"{cosine:.10g}" for cosine in orientation]
        each.ImagePositionPatient = [f"{mm:.10g}" for mm in affine[:3] @ (index, 0, 0, 1)]
    return datasets


def _colour() -> list[Dataset]:
    datasets = phantom.slice_datasets(grid=GRID)
    for each in datasets:
        grey = each.pixel_array
        grey = ((grey - grey.min()) / np.ptp(grey) * 255).astype(np.uint8)
        shown = phantom.image_dataset(np.stack([grey, 255 - grey, grey // 2], axis=-1))
        for name in ("PixelData", "SamplesPerPixel", "PlanarConfiguration", "PhotometricInterpretation"):
            each[name] = shown[name]
        each.BitsAllocated = each.BitsStored = 8
        each.HighBit, each.PixelRepresentation = 7, 0
    return datasets


SOURCES = {
    "axial": lambda: phantom.slice_datasets(grid=GRID),
    "coronal": lambda: phantom.slice_datasets(phantom.CORONAL, grid=GRID),
    "sagittal": lambda: phantom.slice_datasets(phantom.SAGITTAL, grid=GRID),
    "oblique": lambda: phantom.slice_datasets(phantom.OBLIQUE, grid=GRID),
    "reversed": lambda: phantom.slice_datasets(phantom.REVERSED_AXIAL, grid=GRID),
    "tilted": _tilted,
    "enhanced": lambda: [
        phantom.enhanced_dataset(phantom.OBLIQUE, grid=GRID, frame_order=[3, 1, 5, 0, 2, 4])
    ],
    "colour": _colour,
}


@pytest.fixture(scope="module", params=SOURCES)
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """A series, its case, and the folder with all objects."""
    folder = tmp_path_factory.mktemp(request.param)
    datasets = SOURCES[request.param]()
    for each in datasets:
        each.BodyPartExamined = "HEAD"
    phantom.write_series(folder / "source", datasets)
    series = opened(folder / "source")
    entry = case(series)
    save_dicom(folder / "out", entry, series, tuple(KINDS))
    return Exported(series, entry, folder / "out")
