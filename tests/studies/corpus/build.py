"""Slices, frames and files of the corpus: the phantom at whatever places a case needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, MRImageStorage

from tests.studies import phantom
from tests.studies.corpus.case import Volume

GRID = (8, 12, 10)
SPACING = phantom.SPACING
SERIES_UID = "2.25.4001"


def axes(orientation: Sequence[float] = phantom.AXIAL) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit vectors across the slices, down the rows' order, and along a row."""
    along_row, down = np.array(orientation[:3], float), np.array(orientation[3:], float)
    return np.cross(along_row, down), down, along_row


def positions(
    distances: Sequence[float],
    orientation: Sequence[float] = phantom.AXIAL,
    slant: tuple[float, float] = (0.0, 0.0),
    origin: Sequence[float] = phantom.ORIGIN,
) -> np.ndarray:
    """Where slices lie that are so many mm along the normal; ``slant`` mm down and right per mm."""
    across, down, right = axes(orientation)
    step = across + slant[0] * down + slant[1] * right
    return np.array(origin) + np.outer(distances, step)


def even(number: int = GRID[0], spacing: float = SPACING[0]) -> list[float]:
    """Even distances."""
    return [spacing * index for index in range(number)]


def slices(
    places: np.ndarray,
    orientation: Sequence[float] = phantom.AXIAL,
    *,
    shape: tuple[int, int] = GRID[1:],
    pixel_spacing: tuple[float, float] = SPACING[1:],
    rescale: tuple[float, float] | None = None,
    dtype: type = np.int16,
    modality: str = "MR",
    series_uid: str = SERIES_UID,
    truth: np.ndarray | None = None,
) -> list[Dataset]:
    """The phantom on slices, each at its place: one dataset per slice.

    Args:
        places: Image Position (Patient) of each slice.
        orientation: Image Orientation (Patient).
        shape: Rows and columns.
        pixel_spacing: Between rows, between columns.
        rescale: Slope and intercept; stored values are rounded.
        dtype: Of the stored values.
        modality: CT or MR.
        series_uid: Series Instance UID.
        truth: Where the slices really lie, if not where they say.
    """
    _, down, right = axes(orientation)
    row, column = np.indices(shape).reshape(2, -1)
    in_plane = np.outer(down, row * pixel_spacing[0]) + np.outer(right, column * pixel_spacing[1])
    datasets = []
    for number, (place, real) in enumerate(zip(places, places if truth is None else truth, strict=True), 1):
        values = phantom.world_value(in_plane + np.array(real)[:, np.newaxis]).reshape(shape)
        slope, intercept = rescale or (1.0, 0.0)
        stored = np.round((values - intercept) / slope)
        assert np.iinfo(dtype).min <= stored.min()
        assert stored.max() <= np.iinfo(dtype).max
        dataset = phantom.image_dataset(
            stored.astype(dtype),
            sop_class=CTImageStorage if modality == "CT" else MRImageStorage,
            modality=modality,
            series_uid=series_uid,
        )
        if rescale or modality == "CT":
            dataset.RescaleSlope, dataset.RescaleIntercept = f"{slope:.10g}", f"{intercept:.10g}"
            dataset.RescaleType = "HU" if modality == "CT" else "US"
        dataset.SeriesDescription = "Phantom"
        dataset.InstanceNumber = number
        dataset.FrameOfReferenceUID = "2.25.4002"
        dataset.ImageOrientationPatient = [f"{cosine:.10g}" for cosine in orientation]
        dataset.ImagePositionPatient = [f"{mm:.10g}" for mm in place]
        dataset.PixelSpacing = [f"{mm:.10g}" for mm in pixel_spacing]
        dataset.SliceThickness = f"{SPACING[0]:g}"
        datasets.append(dataset)
    return datasets


def affine_of(
    places: np.ndarray,
    orientation: Sequence[float] = phantom.AXIAL,
    pixel_spacing: tuple[float, float] = SPACING[1:],
    thickness: float = SPACING[0],
) -> np.ndarray:
    """From (slice, row, column) of evenly placed slices to LPS mm."""
    across, down, right = axes(orientation)
    affine = np.eye(4)
    step = (places[-1] - places[0]) / (len(places) - 1) if len(places) > 1 else across * thickness
    affine[:3, :3] = np.stack([step, down * pixel_spacing[0], right * pixel_spacing[1]], axis=1)
    affine[:3, 3] = places[0]
    return affine


def volume(
    orientation: Sequence[float] = phantom.AXIAL,
    places: np.ndarray | None = None,
    grid: tuple[int, int, int] | None = None,
    **expected: object,
) -> Volume:
    """What must be read of `slices` at these places."""
    places = positions(even(), orientation) if places is None else places
    grid = grid or (len(places), *GRID[1:])
    return Volume(affine_of(places, orientation), grid, **expected)  # type: ignore[arg-type]


def written(
    make: Callable[[], Sequence[Dataset]], *, order: str = "shuffled", opened: str = ""
) -> Callable[[Path], Path | None]:
    """Makes the ``build`` of a case of the datasets that a function returns."""

    def build(folder: Path) -> Path | None:
        phantom.write_series(folder, make(), order=order)
        return folder / opened if opened else None

    return build


def changed(change: Callable[[Dataset, int], object], **options: object) -> Callable[[], list[Dataset]]:
    """Even slices, each changed by a function that is told its number from 0."""

    def make() -> list[Dataset]:
        orientation = options.pop("orientation", phantom.AXIAL)
        datasets = slices(positions(even(), orientation), orientation, **options)  # type: ignore[arg-type]
        for index, dataset in enumerate(datasets):
            change(dataset, index)
        return datasets

    return make
