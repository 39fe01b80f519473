from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_d24fad.detection.references.pairing import check_pairing, same_pixels
from napari_d24fad.errors import Code, PairingError
from napari_d24fad.studies.scan import Photometric, Problem, Scan, SeriesIdentity
from napari_d24fad.studies.study import open_study
from tests.detection.subjects import head
from tests.studies.phantom import slice_datasets, write_series


def colour(scan: Scan) -> Scan:
    return replace(scan, voxels=np.stack([scan.voxels] * 3, -1), photometric=Photometric.COLOUR)


def sagittal(scan: Scan) -> Scan:
    return replace(scan, affine=scan.affine[[2, 1, 0, 3]])


def single(scan: Scan) -> Scan:
    return replace(scan, voxels=scan.voxels[5:6])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda scan: replace(scan, modality="CT"), Code.MODALITY_MISMATCH),
        (sagittal, Code.PLANE_MISMATCH),
        (colour, Code.COLOUR_MISMATCH),
        (single, Code.DIMENSION_MISMATCH),
    ],
)
def test_wrong_pairings_are_refused(change: Callable[[Scan], Scan], code: Code) -> None:
    references = [head(1), head(2)]
    with pytest.raises(PairingError) as refusal:
        check_pairing(change(head(0)), references)
    assert refusal.value.code is code
    with pytest.raises(PairingError) as refusal:
        check_pairing(head(0), [head(1), change(head(2))])
    assert refusal.value.code is code


def test_single_slices_of_other_planes_are_refused() -> None:
    with pytest.raises(PairingError) as refusal:
        check_pairing(single(head(0)), [sagittal(single(head(1))), single(head(2))])
    assert refusal.value.code is Code.PLANE_MISMATCH


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_references(count: int) -> None:
    with pytest.raises(PairingError) as refusal:
        check_pairing(head(0), [head(n) for n in range(1, 1 + count)])
    assert refusal.value.code is Code.TOO_FEW_REFERENCES


def test_the_query_and_duplicates_are_found_by_content() -> None:
    with pytest.raises(PairingError) as refusal:
        check_pairing(head(0), [head(1), replace(head(0), identity=SeriesIdentity("other"))])
    assert refusal.value.code is Code.QUERY_IS_REFERENCE
    with pytest.raises(PairingError) as refusal:
        check_pairing(head(0), [head(1), head(1)])
    assert refusal.value.code is Code.DUPLICATE_REFERENCE


def test_ct_is_never_mixed_with_an_unknown_modality() -> None:
    with pytest.raises(PairingError) as refusal:
        check_pairing(head(0, modality="CT"), [head(1, modality=""), head(2, modality="")])
    assert refusal.value.code is Code.MODALITY_MISMATCH


def scaled(scan: Scan, *factors: float) -> Scan:
    return replace(scan, affine=scan.affine @ np.diag([*factors, 1.0]))


def stored_as_nifti(scan: Scan) -> Scan:
    """The same scan with its array axes reversed, as NIfTI stores them."""
    affine = scan.affine[:, [2, 1, 0, 3]]
    return replace(scan, voxels=scan.voxels.transpose(2, 1, 0), affine=affine, slice_axis=2)


def of(scan: Scan, patient: str = "", part: str = "") -> Scan:
    return replace(scan, identity=SeriesIdentity(patient_key=patient, body_part=part))


@pytest.mark.parametrize(
    ("query", "references", "expected"),
    [
        (head(0), [head(1), head(2)], []),
        (head(0), [head(1), replace(head(2), modality="")], [Problem(Code.MODALITY_UNSTATED)]),
        (
            head(0),
            [replace(head(1), affine=np.eye(4), has_geometry=False), head(2)],
            [Problem(Code.POSITION_UNSTATED)],
        ),
        (
            head(0),
            [head(n) for n in range(1, 10)],
            [Problem(Code.MANY_REFERENCES, "There are 9.")],
        ),
        # Slices twice as far apart pass; more does not, in either direction.
        (head(0), [head(1), scaled(head(2), 2, 1, 1)], []),
        (
            head(0),
            [scaled(head(1), 2.1, 1, 1), scaled(head(2), 0.4, 1, 1)],
            [Problem(Code.SPACING_MISMATCH, "References 1 and 2.")],
        ),
        # Pixels count as well, even where the distance of the slices, which is longer, is the same.
        (
            head(0),
            [head(1), scaled(head(2), 1, 2.1, 2.1)],
            [Problem(Code.SPACING_MISMATCH, "Reference 2.")],
        ),
        (head(0), [head(1), stored_as_nifti(head(2))], []),
        (single(head(0)), [single(head(1)), scaled(single(head(2)), 9, 1, 1)], []),
        (of(head(0), part="HEAD"), [of(head(1), part="HEAD"), head(2)], []),
        (
            of(head(0), part="HEAD"),
            [of(head(1), part="KNEE"), of(head(2), part="HEAD"), of(head(3), part="CHEST")],
            [Problem(Code.BODY_PART_MISMATCH, "References 1 and 3.")],
        ),
        (of(head(0), "x"), [of(head(1), "y"), head(2)], []),
        (
            of(head(0), "x"),
            [of(head(n), "x") for n in (1, 2, 3)],
            [Problem(Code.SAME_PATIENT, "References 1, 2 and 3.")],
        ),
    ],
)
def test_what_is_doubtful_is_said_with_its_code(
    query: Scan, references: list[Scan], expected: list[Problem]
) -> None:
    assert list(check_pairing(query, references)) == expected


def test_scans_that_differ_are_told_apart_without_reading_them_whole() -> None:
    """Eight references are compared 28 times. Comparing these scans whole would take 73 GiB."""
    first = np.broadcast_to(np.float32(0), (300_000, 512, 512))  # takes no memory itself
    second = np.broadcast_to(np.float32(1), (300_000, 512, 512))
    scans = [Scan(voxels, np.eye(4), modality="CT") for voxels in (first, second)]
    assert not same_pixels(*scans)


def test_padding_does_not_hide_a_copy() -> None:
    padded = np.array(head(0).voxels, np.float32)
    padded[:, :3] = np.nan
    assert same_pixels(replace(head(0), voxels=padded), replace(head(0), voxels=padded.copy()))
    changed = padded.copy()
    changed[-1, -1, -1] += 1
    assert not same_pixels(replace(head(0), voxels=padded), replace(head(0), voxels=changed))


def test_patient_body_part_and_contrast_come_from_the_files(tmp_path: Path) -> None:
    scans = []
    for number, (patient, part) in enumerate([("A", "HEAD"), ("A", "HEAD"), ("B", "KNEE")]):
        datasets = slice_datasets(origin=(10.0 * number, 0, 0))
        for dataset in datasets:
            dataset.PatientID, dataset.BodyPartExamined = patient, part
            dataset.ContrastBolusAgent = "Iohexol" if number == 2 else "NONE"
        write_series(tmp_path / str(number), datasets)
        scans.append(open_study(tmp_path / str(number)).series[0].load())
    assert check_pairing(scans[0], scans[1:]) == (
        Problem(Code.BODY_PART_MISMATCH, "Reference 2."),
        Problem(Code.AGENT_MISMATCH, "Reference 2."),
        Problem(Code.SAME_PATIENT, "Reference 1."),
    )
