import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from napari_d24fad.detection.pairing import check_pairing, same_pixels
from napari_d24fad.errors import Code, PairingError
from napari_d24fad.studies.scan import Photometric, Scan, SeriesIdentity

from .subjects import head


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


def test_what_is_doubtful_is_said() -> None:
    assert check_pairing(head(0), [head(1), head(2)]) == ()
    assert "modality" in check_pairing(head(0), [head(1), head(2, modality="")])[0]
    patient = SeriesIdentity(patient_key="x")
    same = check_pairing(replace(head(0), identity=patient), [head(1), replace(head(2), identity=patient)])
    assert "same patient" in same[0]
    coarse = replace(head(2), affine=head(2).affine @ np.diag([3.0, 1, 1, 1]))
    assert "coarse" in check_pairing(head(0), [head(1), coarse])[0]
    assert "9 references" in check_pairing(head(0), [head(n) for n in range(1, 10)])[0]


def test_scans_that_differ_are_told_apart_without_reading_them_whole() -> None:
    """Two CTs of 300 slices cost milliseconds; eight references are compared 28 times."""
    first = np.broadcast_to(np.float32(0), (3000, 512, 512))  # takes no memory, but time to read
    second = np.broadcast_to(np.float32(1), (3000, 512, 512))
    scans = [Scan(voxels, np.eye(4), modality="CT") for voxels in (first, second)]
    started = time.perf_counter()
    assert not same_pixels(*scans)
    assert time.perf_counter() - started < 0.2


def test_padding_does_not_hide_a_copy() -> None:
    padded = np.array(head(0).voxels, np.float32)
    padded[:, :3] = np.nan
    assert same_pixels(replace(head(0), voxels=padded), replace(head(0), voxels=padded.copy()))
    changed = padded.copy()
    changed[-1, -1, -1] += 1
    assert not same_pixels(replace(head(0), voxels=padded), replace(head(0), voxels=changed))
