"""Voxel for voxel the same as dcm2niix, an independent converter, wherever that one is right."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from napari_d24fad.studies.scan import Scan
from napari_d24fad.studies.study import open_study
from tests.studies.corpus import CASES
from tests.studies.corpus.case import Case, Volume
from tests.studies.corpus.judge import comparable, fault
from tests.studies.corpus.readers import Read, dcm2niix

pytest.importorskip("dcm2niix")

# Of what the readers share; others are padded, tilted, refused or split in another way by dcm2niix.
_AT_LEAST = 55


def _volumes(case: Case) -> bool:
    return (
        comparable(case)
        and not case.name.startswith("NIfTI")
        and all(isinstance(one, Volume) and not one.padding for one in case.expected)
    )


def test_same_voxels(tmp_path: Path) -> None:
    compared = set()
    for number, case in enumerate(filter(_volumes, CASES)):
        path = case.write(tmp_path / str(number))
        try:
            found = dcm2niix(path)
        except subprocess.CalledProcessError:  # it says that it cannot
            continue
        for series, expected in zip(open_study(path).series, case.expected, strict=True):
            assert isinstance(expected, Volume)
            for read in found:
                if not expected.slanted and not fault(*read, expected):
                    _assert_same(series.load(), read, expected)
                    compared.add(case.name)
    assert len(compared) >= _AT_LEAST, sorted(compared)


def _assert_same(scan: Scan, read: Read, expected: Volume) -> None:
    values, affine = read
    world = scan.affine[:3, :3] @ np.indices(scan.grid).reshape(3, -1) + scan.affine[:3, 3:]
    index = np.linalg.solve(affine[:3, :3], world - affine[:3, 3:])
    nearest = np.round(index).astype(int)
    assert np.abs(index - nearest).max() < 0.1  # places that were rounded are not rounded alike
    lossy = expected.tolerance > 0.6
    np.testing.assert_allclose(
        np.asarray(scan.voxels).reshape(-1),
        values[tuple(nearest)],
        rtol=1e-6,
        atol=expected.tolerance if lossy else 1e-3,
    )
