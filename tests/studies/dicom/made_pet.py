"""PET of a body of water, as files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import PositronEmissionTomographyImageStorage

from tests.studies import phantom
from tests.studies.corpus.build import even, positions, slices

WEIGHT, DOSE, HALF_LIFE = 70.0, 370e6, 6586.2  # kg, Bq, s (F-18)
HOUR = 3600.0

# A body of water of 70 litres in which the whole dose is spread evenly has an SUV of 1 throughout: its
# activity concentration at the start of the scan is the decayed dose divided by its volume in ml.
EVEN = DOSE * 2 ** (-HOUR / HALF_LIFE) / (1000 * WEIGHT)
START = 1 / EVEN


def pet(**changed: object) -> Dataset:
    """One slice, one hour after the injection, in Bq/ml."""
    dataset = slices(positions(even(1)), modality="PT", rescale=(0.5, 0.0))[0]
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = PositronEmissionTomographyImageStorage
    dataset.Units, dataset.CorrectedImage = "BQML", ["DECY", "ATTN", "SCAT"]
    dataset.DecayCorrection, dataset.PatientWeight = "START", "70"
    dataset.SeriesDate = dataset.AcquisitionDate = "20200101"
    dataset.SeriesTime, dataset.AcquisitionTime = "120000", "120500.0"
    injection = Dataset()
    injection.RadiopharmaceuticalStartTime = "110000.00"
    injection.RadionuclideTotalDose, injection.RadionuclideHalfLife = "370000000", "6586.2"
    dataset.RadiopharmaceuticalInformationSequence = [injection]
    for name, value in changed.items():
        place = injection if name.startswith("Radio") else dataset
        if value is None:
            delattr(place, name)
        else:
            setattr(place, name, value)
    return dataset


def volume(folder: Path, change: Callable[[Dataset], object] = lambda dataset: None) -> Path:
    """Eight slices, each rescaled in its own way, as PET is."""
    for number, place in enumerate(positions(even())):
        stored = pet()
        made = slices(place[np.newaxis], modality="PT", rescale=(0.25 + number / 16, 0.0))[0]
        for name in ("PixelData", "RescaleSlope", "RescaleIntercept", "ImagePositionPatient"):
            setattr(stored, name, getattr(made, name))
        stored.InstanceNumber = number + 1
        change(stored)
        phantom.save(stored, folder / f"{number}")
    return folder
