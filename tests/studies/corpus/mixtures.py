"""Several volumes in one series, copies, other objects, and many series in one folder."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import (
    RLELossless,
    SecondaryCaptureImageStorage,
)

from napari_d24fad.errors import Code
from tests.studies import phantom
from tests.studies.corpus.build import GRID, changed, even, positions, slices, volume, written
from tests.studies.corpus.case import Case, Picture, Refused, Volume

_SPLIT = (Code.SPLIT_SERIES,)
_PATIENTS, _SERIES = 4, 63  # times eight slices: 2016 files


def _part(name: str, orientation: Sequence[float] = phantom.AXIAL, **options: object) -> Volume:
    return volume(orientation, problems=_SPLIT, name=f"Phantom, {name}", **options)  # type: ignore[arg-type]


def _at_one_place(
    name: str, change: Callable[[Dataset, int], object], first: str, second: str, *, order: str = "shuffled"
) -> Case:
    """Two volumes at the same places, told apart by what ``change`` sets for volume 0 and 1."""

    def make() -> list[Dataset]:
        datasets = []
        for turn in range(2):
            for dataset in slices(positions(even()), rescale=(1.0, 0.0)):
                dataset.InstanceNumber = len(datasets) + 1
                dataset.RescaleSlope = "1"
                change(dataset, turn)
                datasets.append(dataset)
        return datasets

    return Case(name, written(make, order=order), (_part(first), _part(second)))


def _set(name: str, *values: object) -> Callable[[Dataset, int], None]:
    return lambda dataset, turn: setattr(dataset, name, values[turn])


def _siemens(dataset: Dataset, turn: int) -> None:
    block = dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    block.add_new(0x0C, "IS", str(500 * turn))


def _alternating(dataset: Dataset, turn: int) -> None:
    dataset.InstanceNumber = 2 * ((dataset.InstanceNumber - 1) % GRID[0]) + turn + 1


def _same_number(dataset: Dataset, turn: int) -> None:
    dataset.InstanceNumber = 1


def _indistinguishable() -> list[Dataset]:
    datasets = [*slices(positions(even())), *slices(positions(even()))]
    for dataset in datasets:
        dataset.InstanceNumber = 1
    return datasets


def _scout(orientation: Sequence[float] = phantom.CORONAL) -> list[Dataset]:
    datasets = slices(positions(even(1), orientation), orientation)
    for dataset in datasets:
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    return datasets


def _with_localizer() -> list[Dataset]:
    return [*slices(positions(even())), *_scout()]


def _three_planes() -> list[Dataset]:
    planes = (phantom.AXIAL, phantom.CORONAL, phantom.SAGITTAL)
    return [one for plane in planes for one in slices(positions(even(), plane), plane)]


def _two_matrices() -> list[Dataset]:
    return [*slices(positions(even())), *slices(positions(even()), shape=(16, 14))]


def _two_frames_of_reference() -> list[Dataset]:
    datasets = [*slices(positions(even())), *slices(positions(np.add(even(), 32.0)))]
    for dataset in datasets[GRID[0] :]:
        dataset.FrameOfReferenceUID = "2.25.4003"
    return datasets


_DOSE = np.random.default_rng(4).integers(0, 255, (12, 10, 3), dtype=np.uint8)


def _with_dose_picture() -> list[Dataset]:
    picture = phantom.image_dataset(
        _DOSE,
        sop_class=SecondaryCaptureImageStorage,
        modality="OT",
        series_uid=slices(positions([0]))[0].SeriesInstanceUID,
    )
    picture.SeriesDescription = "Phantom"
    return [*slices(positions(even())), picture]


def _first_and(folder: Path, datasets: Sequence[Dataset], again: Sequence[Dataset]) -> None:
    phantom.write_series(folder, datasets, name="first{:02d}".format)
    phantom.write_series(folder, again, name="second{:02d}".format)


def _copied(folder: Path) -> None:
    datasets = slices(positions(even()))
    _first_and(folder, datasets, datasets)


def _recompressed(folder: Path) -> None:
    datasets = slices(positions(even()))
    again = copy.deepcopy(datasets)
    for dataset in again:
        dataset.compress(RLELossless, generate_instance_uid=False)
    _first_and(folder, datasets, again)


def _conflicting(folder: Path) -> None:
    datasets = slices(positions(even()))
    (again,) = copy.deepcopy(datasets[2:3])
    pixels = np.frombuffer(again.PixelData, np.int16).copy()
    pixels[40] += 30
    again.PixelData = pixels.tobytes()
    _first_and(folder, datasets, [again])


def _one_uid(dataset: Dataset, index: int) -> None:
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = "2.25.5"


def _two_patients(folder: Path) -> None:
    others = slices(positions(even(), origin=(5, 6, 7)))
    for dataset in others:
        dataset.PatientID = "another"
    _first_and(folder, slices(positions(even())), others)


def _many(folder: Path) -> None:
    """Thousands of files of several patients without sub-folders, by changing one file."""
    places = positions(even(8))
    for slice_number, dataset in enumerate(slices(places)):
        dataset.PatientID = "PATIENT-000"
        dataset.SeriesInstanceUID = "2.25.9000000000"
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = (
            f"2.25.9000000000.{slice_number}"
        )
        template = phantom.save(dataset, folder / "template").read_bytes()
        for patient in range(_PATIENTS):
            for series in range(_SERIES):
                content = template.replace(b"PATIENT-000", b"PATIENT-%03d" % patient)
                content = content.replace(b"9000000000", b"90000%02d%03d" % (patient, series))
                (
                    folder / f"{(series * 31 + slice_number * 7) % 97:02d}-{patient}-{series}-{slice_number}"
                ).write_bytes(content)
    (folder / "template").unlink()


CASES = (
    _at_one_place("two echoes", _set("EchoNumbers", 1, 2), "echo 1", "echo 2"),
    _at_one_place("two echo times", _set("EchoTime", "4.6", "2.3"), "echo time 2.3", "echo time 4.6"),
    _at_one_place("two b-values", _set("DiffusionBValue", 1000.0, 0.0), "b 0", "b 1000"),
    _at_one_place("two b-values of Siemens", _siemens, "b 0", "b 500"),
    _at_one_place("two time points", _set("TemporalPositionIdentifier", 1, 2), "time 1", "time 2"),
    _at_one_place(
        "two trigger times", _set("TriggerTime", "15", "815"), "trigger time 15", "trigger time 815"
    ),
    _at_one_place(
        "magnitude and phase",
        _set("ImageType", ["ORIGINAL", "PRIMARY", "M"], ["ORIGINAL", "PRIMARY", "P"]),
        "type M",
        "type P",
    ),
    _at_one_place("two kernels", _set("ConvolutionKernel", "B30", "B70"), "kernel B30", "kernel B70"),
    _at_one_place("two volumes numbered one after the other", lambda *_: None, "volume 1", "volume 2"),
    _at_one_place("two volumes numbered by turns", _alternating, "volume 1", "volume 2"),
    Case(
        "two volumes that nothing tells apart",
        written(_indistinguishable),
        (Refused(Code.MIXED_SERIES, "nothing tells them apart"),),
        guess=True,
    ),
    Case(
        "a localizer inside the series",
        written(_with_localizer, order="forward"),
        (
            _part("axial"),
            _part("localizer, coronal", phantom.CORONAL, places=positions(even(1), phantom.CORONAL)),
        ),
    ),
    Case(
        "three planes in one series",
        written(_three_planes, order="forward"),
        (_part("axial"), _part("coronal", phantom.CORONAL), _part("sagittal", phantom.SAGITTAL)),
    ),
    Case(
        "mixed matrix sizes",
        written(_two_matrices, order="forward"),
        (_part("12 x 10"), _part("16 x 14", grid=(8, 16, 14))),
    ),
    Case(
        "two frames of reference",
        written(_two_frames_of_reference, order="forward"),
        (_part("part 1"), _part("part 2", places=positions(np.add(even(), 32.0)))),
    ),
    Case(
        "a colour picture inside the series",
        written(_with_dose_picture, order="forward"),
        (_part("MR, axial, 1.5 mm pixels"), Picture(_DOSE, (*_SPLIT, Code.BURNED_IN))),
    ),
    Case("exact duplicates", _copied, (volume(problems=(Code.DUPLICATE_INSTANCE,)),)),
    Case("copies in another compression", _recompressed, (volume(problems=(Code.DUPLICATE_INSTANCE,)),)),
    Case(
        "same UID with other pixels", _conflicting, (Refused(Code.CONFLICTING_COPIES),), elsewhere=(volume(),)
    ),
    Case("one SOP Instance UID for all slices", written(changed(_one_uid)), (volume(),)),
    Case(
        "two patients with the same series UID",
        _two_patients,
        (volume(), volume(places=positions(even(), origin=(5, 6, 7)))),
    ),
    Case(
        "2016 files of four patients in one folder",
        _many,
        (volume(),) * (_PATIENTS * _SERIES),
        every=36,
        compared=False,
    ),
)
