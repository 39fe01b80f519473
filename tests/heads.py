"""Small made-up studies and results that the viewer tests share."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np

from napari_d24fad.detection.references.calibration import RATES, Calibration, conformal_p
from napari_d24fad.detection.references.reference_check import check_outliers
from napari_d24fad.detection.references.regions import find_regions
from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.errors import Code
from napari_d24fad.export.nifti import nifti_affine
from napari_d24fad.studies.scan import Problem, Scan, SeriesIdentity

GRID = (10, 40, 36)
# Array (slice, row, column) to LPS mm: slices run down the patient, so the viewer reverses them.
AFFINE = np.array([[0, 0, 2.2, -40.1], [0, 1.7, 0, -30.3], [-4.1, 0, 0, 61.7], [0, 0, 0, 1]])
LESION = (slice(3, 6), slice(22, 32), slice(22, 32))


def head(seed: int, *, lesion: bool = False) -> Scan:
    """An ellipsoid of tissue with ventricles; subjects differ in size, position and noise."""
    random = np.random.default_rng(seed)
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, size) for size in GRID), indexing="ij")
    size = 0.85 + 0.05 * random.random()
    y, x = (y - 0.04 * random.standard_normal()) / size, (x - 0.04 * random.standard_normal()) / size
    tissue = (z**2 * 0.6 + y**2 + x**2) < 1
    ventricles = ((np.abs(x) - 0.2) ** 2 / 0.02 + y**2 / 0.1 + z**2 / 0.3) < 1
    voxels = 600.0 * tissue - 450 * (tissue & ventricles)
    if lesion:
        voxels[LESION] = 1100
    voxels += 20 * np.abs(random.standard_normal(GRID))
    return Scan(voxels.astype(np.float32), AFFINE, modality="MR")


def chest_ct(seed: int, *, ground_glass: bool = False) -> Scan:
    """A CT of three slices: a wall of soft tissue, and lung in it."""
    scan = head(seed)
    voxels = np.where(scan.voxels[4:7] > 100, 40, -1000) + scan.voxels[4:7] / 20
    voxels[:, 12:28, 9:27] -= 890
    if ground_glass:
        voxels[:, 16:22, 12:20] += 300
    identity = SeriesIdentity(description=f"chest {seed}", body_part="CHEST")
    return replace(scan, voxels=voxels.astype(np.float32), modality="CT", identity=identity)


def write_study(folder: Path, references: int = 3, slices: slice = slice(None)) -> Path:
    """Writes a scan with a lesion and normal ones (or some slices of each) as NIfTI, one folder each."""
    for number in range(references + 1):
        scan = head(number, lesion=number == 0)
        place = folder / ("query" if number == 0 else f"reference-{number}")
        place.mkdir(parents=True)
        image = nibabel.Nifti1Image(np.asarray(scan.voxels[slices]).T, nifti_affine(scan.affine))
        image.header.set_xyzt_units("mm")
        nibabel.save(image, place / "scan.nii.gz")
    return folder


def anomaly_of(scan: Scan) -> AnomalyMap:
    """A result whose map is 3 in the lesion and 0.2 elsewhere; the last slice was not examined.

    In its normal scans a share of 10 ** -v of the pixels reaches the value v.
    """
    values = np.full(scan.grid, 0.2, np.float32)
    values[LESION] = 3.0
    values[-1] = np.nan
    slice_scores = values.max(axis=(1, 2)) + np.linspace(0, 0.1, scan.grid[0], dtype=np.float32)
    scores = np.array([1.1, 0.9, 1.3], np.float32)
    ladder = np.linspace(0, 4, 41)
    calibration = Calibration(ladder, 10.0**-ladder, 1.5, np.array([1.4, 1.2, 1.6], np.float32))
    return AnomalyMap(
        values=values,
        affine=np.array(scan.affine),
        slice_axis=0,
        score=3.05,
        slice_scores=slice_scores,
        weights=np.full((scan.grid[0], 3, 3), 1 / 3, np.float32),
        normal_level=1.0,
        reference_scores=scores,
        reference_slice_scores=np.array([[0.3, 1.1], [0.9, 0.2], [1.3, np.nan]], np.float32),
        scoring="matched",
        model_name="compact",
        model_sha256="0" * 64,
        device="cpu",
        seconds=1.0,
        warnings=(Problem(Code.MODALITY_UNSTATED),),
        p_value=conformal_p(3.05, scores),
        p_floor=0.25,
        slice_p_values=np.where(slice_scores > 1.3, 0.25, 0.75).astype(np.float32),
        level_one_region=calibration.level_one_region,
        levels_by_rate={rate: calibration.level(rate) for rate in RATES},
        regions=find_regions(values, scan, calibration.level_one_region, 4, calibration.peaks),
        reference_checks=check_outliers(scores),
        calibration=calibration,
    )
