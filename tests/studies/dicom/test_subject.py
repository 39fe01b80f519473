from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from napari_d24fad.studies.dicom.subject import body_part, patient_key
from napari_d24fad.studies.study import open_study
from tests.studies.phantom import assert_world_linear, enhanced_dataset, save


def header(**values: str) -> Dataset:
    made = Dataset()
    for name, value in values.items():
        setattr(made, name, value)
    return made


def region(meaning: str) -> Dataset:
    """A header that states its part of the body as a code, as newer objects do."""
    made = header()
    made.AnatomicRegionSequence = [header(CodeValue="1", CodingSchemeDesignator="SCT", CodeMeaning=meaning)]
    return made


def test_keys_tell_patients_and_issuers_apart() -> None:
    named = header(PatientID="17")
    assert patient_key(named) == patient_key(header(PatientID="17", PatientName="other"))
    others = [
        header(PatientID="18"),
        header(PatientID="17", IssuerOfPatientID="B"),
        header(PatientID="17\nB"),
    ]
    assert len({patient_key(named), *map(patient_key, others)}) == 4
    assert patient_key(header(PatientName="A")) == ""


def test_a_key_cannot_be_found_by_trying_all_ids_and_differs_in_every_run() -> None:
    key = patient_key(header(PatientID="17"))
    assert key not in {
        hashlib.sha256(f"{n}{rest}".encode()).hexdigest() for n in range(100) for rest in ("", "\n")
    }
    code = (
        "from pydicom.dataset import Dataset\n"
        "from napari_d24fad.studies.dicom.subject import patient_key\n"
        "one = Dataset(); one.PatientID = '17'; print(patient_key(one))"
    )
    elsewhere = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert len(elsewhere.stdout.strip()) == len(key)
    assert elsewhere.stdout.strip() != key


@pytest.mark.parametrize(
    ("stated", "part"),
    [
        (header(BodyPartExamined="HEAD"), "HEAD"),
        (header(BodyPartExamined="TSPINE"), "TSPINE"),
        (region("Thoracic spine"), "TSPINE"),
        (region("Chest"), "CHEST"),
        (header(), ""),
        (header(BodyPartExamined=""), ""),
    ],
)
def test_the_part_of_the_body_is_comparable_between_both_attributes(stated: Dataset, part: str) -> None:
    assert body_part(stated) == part


def test_a_part_in_both_attributes_is_taken_from_the_defined_term() -> None:
    both = region("Brain")
    both.BodyPartExamined = "HEAD"
    assert body_part(both) == "HEAD"


def test_a_region_that_is_no_sequence_is_not_stated() -> None:
    made = header()
    made.add_new(0x00082218, "LO", "not a sequence")
    assert body_part(made) == ""


def test_enhanced_files_state_it_for_all_frames(tmp_path: Path) -> None:
    dataset = enhanced_dataset()
    dataset.SharedFunctionalGroupsSequence[0].FrameAnatomySequence = [region("Knee")]
    save(dataset, tmp_path / "enhanced.dcm")
    (series,) = open_study(tmp_path).series
    assert series.identity.body_part == "KNEE"
    assert_world_linear(series.load())
