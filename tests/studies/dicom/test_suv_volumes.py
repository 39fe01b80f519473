"""PET volumes in SUV through the reader: shown, examined, and told why not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from napari_d24fad.detection.encoding.intensity import SUV_WINDOW, window_of
from napari_d24fad.detection.references.pairing import check_pairing
from napari_d24fad.errors import Code, PairingError
from napari_d24fad.export.windows import windows_text
from napari_d24fad.studies.study import open_study
from tests.studies import phantom
from tests.studies.dicom.made_pet import START, volume


def test_a_volume_is_read_shown_and_examined_in_suv(tmp_path: Path) -> None:
    (series,) = open_study(volume(tmp_path / "a")).series
    assert series.label == "PT axial 8 x 12 x 10, 4.0 x 1.5 x 0.8 mm, SUV"
    scan = series.load()
    assert scan.unit == "SUV"
    assert scan.problems == ()
    expected = phantom.values_on(np.asarray(scan.affine), scan.grid) * START
    np.testing.assert_allclose(scan.voxels, expected, atol=0.4 * START)
    window = window_of(scan)
    assert (window.low, window.high) == SUV_WINDOW
    anomaly = SimpleNamespace(scoring="matched")
    assert windows_text(scan, anomaly, [(0, 80)]) == "examined in 0 to 10 SUV"


def test_a_volume_that_cannot_be_says_why_and_does_not_mix_with_others(tmp_path: Path) -> None:
    (series,) = open_study(volume(tmp_path / "a", lambda dataset: delattr(dataset, "PatientWeight"))).series
    scan = series.load()
    assert scan.unit == ""
    (problem,) = scan.problems
    assert problem.code is Code.NOT_IN_SUV
    assert "weight of the patient is not stated" in problem.detail
    np.testing.assert_allclose(scan.voxels, phantom.values_on(np.asarray(scan.affine), scan.grid), atol=0.4)
    references = []
    for number in range(2):
        folder = volume(
            tmp_path / f"r{number}",
            lambda dataset, number=number: setattr(dataset, "PatientWeight", 60 + number),
        )
        references.append(open_study(folder).series[0].load())
    with pytest.raises(PairingError) as caught:
        check_pairing(scan, references)
    assert caught.value.code is Code.MODALITY_MISMATCH
    assert "SUV" in caught.value.detail
