"""Made-up volumes with a set of normal ones, as work for `tests.cohort.scaling`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_d24fad.cohort.work import SessionWork, file_sha256
from napari_d24fad.session.request import Request
from napari_d24fad.session.saved.reference_sets import save_reference_set
from napari_d24fad.studies.study import open_study
from tests.cli.conftest import write_nifti
from tests.detection.subjects import head

_REFERENCES = 3
_REPEATS = 2


def volume_work(folder: Path, count: int) -> tuple[SessionWork, list[Path]]:
    """Writes volumes of 24 slices and a set of references; returns the work and where the volumes are."""
    places = []
    for number in range(_REFERENCES + count):
        voxels = np.repeat(head(number).voxels, _REPEATS, axis=0)
        places.append(folder / f"{number}.nii.gz")
        write_nifti(places[-1], voxels)
    references = [open_study(place).series[0] for place in places[:_REFERENCES]]
    path = folder / "volumes.d24fad-references"
    save_reference_set("volumes", Request(references[0], tuple(references), "compact", "cpu"), path)
    work = SessionWork(str(path), file_sha256(str(path)), device="cpu")
    return work, places[_REFERENCES:]
