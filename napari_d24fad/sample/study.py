"""The sample study: synthetic head scans as DICOM files, one with a lesion that is known exactly."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_d24fad.errors import Code, ExportError
from napari_d24fad.progress import CancelToken, Progress, part, silent
from napari_d24fad.sample.anatomy import Lesion, scan_head
from napari_d24fad.sample.files import SeriesLabel, write_mask, write_series
from napari_d24fad.sample.head import average_head
from napari_d24fad.sample.subject import Subject, Triple, draw_subject

N_REFERENCES = 5
_MASK_NAME = "lesion.nii.gz"
# Deep white matter, right or left by sign; LPS mm in the average head.
_LESION_SITES: tuple[Triple, ...] = (
    (27.0, 4.0, 34.0),
    (-27.0, 6.0, 34.0),
    (29.0, -26.0, 24.0),
    (-28.0, 36.0, 32.0),
)


@dataclass(frozen=True, slots=True)
class SampleStudy:
    """Where a sample study lies and what is known about it.

    Attributes:
        folder: Holds all of it.
        query: Folder of the DICOM series with the lesion.
        references: Folders of normal series of other subjects.
        lesion_mask: NIfTI file: 1 in the lesion without its oedema; the grid of the query.
        lesion_centre_mm: Centre of the lesion in the query, LPS.
    """

    folder: Path
    query: Path
    references: tuple[Path, ...]
    lesion_mask: Path
    lesion_centre_mm: Triple


def write_sample_study(
    folder: Path, *, seed: int = 0, progress: Progress = silent, cancel: CancelToken | None = None
) -> SampleStudy:
    """Writes a sample study; takes a few seconds and no network.

    The same seed gives the same files. A sample study that already lies in the folder is replaced.

    Args:
        folder: Where to; made if missing.
        seed: Chooses the subjects and the lesion.
        progress: Told after each slice.
        cancel: Stops the work; nothing is left of it.

    Returns:
        Where the files are.

    Raises:
        ExportError: If the folder cannot be written to, or holds files of other origin by the same names.
        StudyError: If the average head is not installed.
        Cancelled: If ``cancel`` asked for it.
    """
    cancel = cancel or CancelToken()
    progress(0.0, "Preparing the average head")
    head = average_head(cancel)
    query = draw_subject((seed, 0))
    lesion = _draw_lesion(seed, query)
    study = SampleStudy(
        folder=folder,
        query=folder / "query",
        references=tuple(folder / f"reference-{number}" for number in range(1, N_REFERENCES + 1)),
        lesion_mask=folder / _MASK_NAME,
        lesion_centre_mm=lesion.centre_mm,
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".part-") as temporary:
            complete = Path(temporary)
            for index, target in enumerate((study.query, *study.references)):
                share = part(progress, (index + 1) / (N_REFERENCES + 2), (index + 2) / (N_REFERENCES + 2))
                subject = draw_subject((seed, index))
                pixels, mask = scan_head(head, subject, lesion if index == 0 else None, cancel=cancel)
                if index == 0:
                    write_mask(complete / _MASK_NAME, mask, subject)
                label = SeriesLabel(number=index + 1, key=f"{seed} {index}")
                (complete / target.name).mkdir()
                write_series(complete / target.name, pixels, subject, label, progress=share, cancel=cancel)
            _replace(complete, study)
    except OSError as error:
        raise ExportError(Code.CANNOT_WRITE, f"{error.strerror}." if error.strerror else "") from None
    return study


def _draw_lesion(seed: int, subject: Subject) -> Lesion:
    """Returns a lesion in the white matter of one hemisphere."""
    rng = np.random.default_rng((seed, 1000))
    site = np.array(_LESION_SITES[int(rng.integers(len(_LESION_SITES)))]) + rng.uniform(-3, 3, 3)
    x, y, z, _ = (round(float(value), 2) for value in np.linalg.inv(subject.to_average) @ (*site, 1.0))
    return Lesion((x, y, z), radius_mm=float(rng.uniform(10.0, 11.0)), push_mm=float(rng.uniform(3.0, 4.0)))


def _replace(complete: Path, study: SampleStudy) -> None:
    """Puts a complete study in its place, removing an earlier one.

    Raises:
        ExportError: If something else than sample series lies there; nothing is removed then.
    """
    series = (study.query, *study.references)
    for target in series:
        if target.exists() and not _is_sample_series(target):
            raise ExportError(Code.CANNOT_WRITE, "Files of other origin are in the way of the sample study.")
    for target in series:
        shutil.rmtree(target, ignore_errors=True)
        (complete / target.name).replace(target)
    (complete / _MASK_NAME).replace(study.lesion_mask)


def _is_sample_series(folder: Path) -> bool:
    return folder.is_dir() and all(file.match("IM[0-9][0-9][0-9][0-9].dcm") for file in folder.iterdir())
