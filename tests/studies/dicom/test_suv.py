"""PET in SUV: an analytic phantom by the formula of QIBA, what vendors write, and what does not allow it."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import EnhancedPETImageStorage

from napari_d24fad.errors import Code
from napari_d24fad.studies.dicom.header import read_instance
from napari_d24fad.studies.dicom.suv import NoSuvError, suv_factor
from napari_d24fad.studies.files.bounded import BoundedFile
from napari_d24fad.studies.study import open_study
from tests.studies import phantom
from tests.studies.corpus.build import even, positions
from tests.studies.corpus.multiframe import enhanced
from tests.studies.dicom.made_pet import DOSE, EVEN, HALF_LIFE, START, WEIGHT, pet, volume

ADMIN = 1000 * WEIGHT / DOSE


def philips(**private: float) -> Dataset:
    dataset = pet(Units="CNTS")
    block = dataset.private_block(0x7053, "Philips PET Private Group", create=True)
    for name, value in private.items():
        block.add_new({"suv": 0x00, "activity": 0x09}[name], "DS", f"{value:.8g}")
    return dataset


def ge(stated: str) -> Dataset:
    """A series that was made anew a day after its scan."""
    dataset = pet(SeriesDate="20200102")
    dataset.private_block(0x0009, "GEMS_PETD_01", create=True).add_new(0x0D, "DT", stated)
    return dataset


def later(**changed: object) -> Dataset:
    """As `ge`, by a vendor that tells the moment of the frame only."""
    return pet(SeriesDate="20200102", **changed)


def mean_activity(seconds: float) -> float:
    """After how much of a frame its activity is the mean of it, found by trying."""
    decay = math.log(2) / HALF_LIFE
    mean = np.exp(-decay * (np.arange(100_000) + 0.5) * seconds / 100_000).mean()
    return float(-math.log(mean) / decay)


def factor_of(*made: Dataset, folder: Path) -> float:
    """The factor of a series, read from its files."""
    paths = [phantom.save(dataset, folder / str(number)) for number, dataset in enumerate(made)]
    return suv_factor([read_instance(path).pet or Dataset() for path in paths])


def test_water_that_holds_the_whole_dose_has_an_suv_of_one(tmp_path: Path) -> None:
    assert factor_of(pet(), folder=tmp_path) * EVEN == pytest.approx(1, rel=1e-9)


@pytest.mark.parametrize(
    ("make", "factor"),
    [
        (pet, START),
        (lambda: pet(DecayCorrection="ADMIN"), ADMIN),
        (lambda: pet(DecayCorrection="ADMIN", RadiopharmaceuticalStartTime=None), ADMIN),
        (lambda: pet(Units="GML", SUVType="BW", CorrectedImage=None, PatientWeight=None), 1.0),
        (lambda: pet(Units="GML"), 1.0),
        (lambda: philips(suv=0.000321, activity=1.5), 0.000321),
        (lambda: philips(suv=0, activity=1.5), 1.5 * START),
        (lambda: philips(activity=1.5), 1.5 * START),
        # Injected before midnight, scanned after it: the header states the time only.
        (
            lambda: pet(SeriesTime="003000", AcquisitionTime="003100", RadiopharmaceuticalStartTime="233000"),
            START,
        ),
        (
            lambda: pet(
                SeriesTime="003000",
                AcquisitionTime="003100",
                RadiopharmaceuticalStartDateTime="20191231233000.000000",
            ),
            START,
        ),
        # The acquisition of the first bed begins after midnight, the series before it.
        (
            lambda: pet(
                SeriesTime="235900",
                AcquisitionDate="20200102",
                AcquisitionTime="000100",
                RadiopharmaceuticalStartTime="225900",
            ),
            START,
        ),
        (lambda: pet(RadiopharmaceuticalStartDateTime="20200101110000"), START),
        (
            lambda: pet(
                RadiopharmaceuticalStartDateTime="20200101100000.0+0000", TimezoneOffsetFromUTC="+0100"
            ),
            START,
        ),
        (lambda: ge("20200101120000.00"), START),
        (
            lambda: later(
                AcquisitionTime="121000",
                FrameReferenceTime=f"{1000 * (600 + mean_activity(180)):.6f}",
                ActualFrameDuration="180000",
            ),
            START,
        ),
        (lambda: pet(CorrectedImage=["DECAY", "ATTN"]), START),
    ],
)
def test_what_vendors_write(tmp_path: Path, make: Callable[[], Dataset], factor: float) -> None:
    assert factor_of(make(), folder=tmp_path) == pytest.approx(factor, rel=1e-6)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: pet(DecayCorrection="NONE"), "decay"),
        (lambda: pet(CorrectedImage=["ATTN"]), "decay"),
        (lambda: pet(CorrectedImage=["DECY"]), "attenuation"),
        (lambda: pet(PatientWeight=None), "weight of the patient is not stated"),
        (lambda: pet(PatientWeight="0"), "weight of the patient is not stated"),
        (lambda: pet(PatientWeight="70000"), "weight of the patient is not plausible"),
        (lambda: pet(RadionuclideTotalDose=None), "dose is not stated"),
        (lambda: pet(RadionuclideTotalDose="370"), "dose is not plausible"),  # MBq
        (lambda: pet(RadionuclideHalfLife=None), "half-life is not stated"),
        (lambda: pet(RadiopharmaceuticalStartTime=None), "time of injection is not stated"),
        (lambda: pet(RadiopharmaceuticalStartDateTime="20200101123000"), "contradict"),
        (lambda: pet(RadiopharmaceuticalStartDateTime="20180101110000"), "contradict"),
        (lambda: pet(RadiopharmaceuticalStartDateTime="20200101110000+0100"), "time zone"),
        (lambda: pet(RadionuclideHalfLife="282240"), "day of injection"),  # Zr-89
        (lambda: pet(AcquisitionTime=None), "time of acquisition"),
        (later, "made after the scan"),
        (lambda: pet(Units="GML", SUVType="LBM"), "body weight"),
        (lambda: pet(Units="CNTS"), "counts"),
        (lambda: philips(suv=0), "counts"),
        (lambda: pet(Units="PROPCPS"), "neither"),
        (lambda: pet(Units=None), "unit of its values is not stated"),
    ],
)
def test_what_does_not_allow_it(tmp_path: Path, make: Callable[[], Dataset], says: str) -> None:
    with pytest.raises(NoSuvError, match=says):
        factor_of(make(), folder=tmp_path)


def test_the_first_acquisition_of_all_slices_decides_which_time_counts(tmp_path: Path) -> None:
    """Beds were scanned from the feet up; the series was made anew between the first and the last bed."""
    first, last = "120000", "121000"
    moment = f"{1000 * mean_activity(180):.6f}"
    beds = [
        pet(
            SeriesTime="120700",
            AcquisitionTime=time,
            FrameReferenceTime=moment,
            ActualFrameDuration="180000",
        )
        for time in (last, first)
    ]
    assert factor_of(*beds, folder=tmp_path) == pytest.approx(START, rel=1e-6)


def test_slices_that_contradict_each_other_allow_none(tmp_path: Path) -> None:
    with pytest.raises(NoSuvError, match="different"):
        factor_of(pet(), pet(PatientWeight="71"), folder=tmp_path)


def test_a_file_is_opened_once_for_its_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, opened = volume(tmp_path), []
    real = BoundedFile.__init__

    def counting(self: BoundedFile, path: Path, allowed: int) -> None:
        opened.append(path)
        real(self, path, allowed)

    monkeypatch.setattr(BoundedFile, "__init__", counting)
    (series,) = open_study(folder).series
    assert series.outline.unit == "SUV"
    assert len(opened) == len(set(opened)) == 8


def enhanced_pet(unit: str = "Bq/ml", *, factor: float = 1.0, moment: str = "20200101120000") -> Dataset:
    """Eight frames in one file, each rescaled in its own way, with their unit in a real-world mapping."""
    dataset = enhanced(positions(even()), rescale=lambda index: (0.25 + index / 16, 0.0))
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = EnhancedPETImageStorage
    dataset.Modality, dataset.PatientWeight = "PT", "70"
    dataset.DecayCorrected = dataset.AttenuationCorrected = "YES"
    dataset.DecayCorrectionDateTime = moment
    injection = Dataset()
    injection.RadiopharmaceuticalStartDateTime = "20200101110000"
    injection.RadionuclideTotalDose, injection.RadionuclideHalfLife = "370000000", "6586.2"
    dataset.RadiopharmaceuticalInformationSequence = [injection]
    for group in dataset.PerFrameFunctionalGroupsSequence:
        mapping, code = Dataset(), Dataset()
        rescale = group.PixelValueTransformationSequence[0]
        mapping.RealWorldValueSlope = float(rescale.RescaleSlope) * factor
        mapping.RealWorldValueIntercept = float(rescale.RescaleIntercept)
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = unit, "UCUM", unit
        mapping.MeasurementUnitsCodeSequence = [code]
        group.RealWorldValueMappingSequence = [mapping]
    return dataset


@pytest.mark.parametrize(("unit", "factor"), [("Bq/ml", START), ("{SUVbw}g/ml", 1.0)])
def test_an_enhanced_file_is_read_in_suv(tmp_path: Path, unit: str, factor: float) -> None:
    (series,) = open_study(phantom.save(enhanced_pet(unit), tmp_path / "1")).series
    scan = series.load()
    assert (scan.unit, scan.problems) == ("SUV", ())
    expected = phantom.values_on(np.asarray(scan.affine), scan.grid) * factor
    np.testing.assert_allclose(scan.voxels, expected, atol=0.4 * factor)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: enhanced_pet("1"), "neither Bq/ml nor SUV"),
        (lambda: enhanced_pet(factor=2.0), "unit of its values is not stated"),
        (lambda: enhanced_pet(moment="20200101100000"), "contradict"),
    ],
)
def test_an_enhanced_file_says_why_not(tmp_path: Path, make: Callable[[], Dataset], says: str) -> None:
    (series,) = open_study(phantom.save(make(), tmp_path / "1")).series
    (problem,) = series.problems
    assert problem.code is Code.NOT_IN_SUV
    assert says in problem.detail
