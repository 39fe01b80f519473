"""Images among other objects, and discs with a directory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.fileset import FileSet
from pydicom.uid import (
    BasicTextSRStorage,
    EncapsulatedPDFStorage,
    GrayscaleSoftcopyPresentationStateStorage,
    KeyObjectSelectionDocumentStorage,
    RTStructureSetStorage,
)

from napari_d24fad.errors import Code
from tests.studies import phantom
from tests.studies.corpus.build import even, positions, slices, volume
from tests.studies.corpus.case import Case


def _other(sop_class: str, modality: str) -> Dataset:
    dataset = phantom.image_dataset(np.zeros((4, 4), np.int16), sop_class=sop_class, modality=modality)
    for name in ("Rows", "Columns", "PixelData", "PhotometricInterpretation"):
        delattr(dataset, name)
    return dataset


_OTHERS = {
    BasicTextSRStorage: "SR",
    RTStructureSetStorage: "RTSTRUCT",
    EncapsulatedPDFStorage: "DOC",
    GrayscaleSoftcopyPresentationStateStorage: "PR",
    KeyObjectSelectionDocumentStorage: "KO",
}


def _among_other_objects(folder: Path) -> None:
    phantom.write_series(folder, slices(positions(even())))
    for sop_class, modality in _OTHERS.items():
        phantom.save(_other(sop_class, modality), folder / f"{modality}.dcm")


def _disc(folder: Path, opened: str = "DICOMDIR") -> Path:
    files = FileSet()
    for dataset in slices(positions(even())):
        dataset.PatientName = "Phantom"
        dataset.StudyDate, dataset.StudyTime, dataset.StudyID = "20260101", "120000", "1"
        dataset.AccessionNumber = ""
        files.add(dataset)
    files.write(folder)
    files._stage["t"].cleanup()  # pydicom leaves it to the garbage collector, which warns
    return folder / opened


def _incomplete_disc(folder: Path) -> Path:
    opened = _disc(folder)
    sorted(path for path in folder.rglob("*") if path.is_file() and path != opened)[0].unlink()
    return opened


def _others_only(folder: Path) -> Path:
    return phantom.save(_other(BasicTextSRStorage, "SR"), folder / "sr")


CASES = (
    Case(
        "SR, RTSTRUCT, PDF, presentation state and key objects beside images",
        _among_other_objects,
        (volume(),),
        problems=(Code.FILE_SKIPPED,) * len(_OTHERS),
    ),
    Case("a report alone", _others_only, refused=Code.NOT_AN_IMAGE),
    Case("DICOMDIR", _disc, (volume(),)),
    Case(
        "the folder of a DICOMDIR",
        lambda folder: _disc(folder).parent,
        (volume(),),
    ),
    Case(
        "DICOMDIR that lists a file that is not there",
        _incomplete_disc,
        (volume(places=positions(even())[1:]),),
        problems=(Code.PATH_MISSING,),
    ),
)
