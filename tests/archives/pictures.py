"""Writes the pictures of docs/pictures: results of the sample study as programs of others show them.

    python -m tests.archives.pictures

Needs Orthanc, dcmqi, and the right to make a network namespace.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
import requests
import SimpleITK
from PIL import Image
from pydicom import dcmread

from napari_d24fad import cli
from napari_d24fad.sample.study import SampleStudy, write_sample_study
from tests.archives.namespace import own_network
from tests.archives.orthanc import HTTP_PORT, PASSWORD, USER, Orthanc

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
_SIZE = 360
Pixels = npt.NDArray[np.float64]


def main() -> None:
    """Examines the sample study, sends its results to Orthanc and has both programs draw them."""
    PICTURES.mkdir(exist_ok=True)
    with own_network(), tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        study = write_sample_study(folder / "study")
        objects = _examine(study, folder)
        server = Orthanc(folder / "orthanc")
        server.start()
        try:
            server.fill([*sorted(study.query.iterdir()), *sorted(objects.iterdir())])
            _by_orthanc(objects)
        finally:
            server.stop()
        _by_dcmqi(study, objects, folder)


def _examine(study: SampleStudy, folder: Path) -> Path:
    references = [str(one) for one in study.references]
    result, objects = str(folder / "result"), folder / "objects"
    for words in (
        ["detect", str(study.query), "--reference", *references, "--out", result],
        ["export", result, "--source", str(study.query), "--dicom", "seg,pm,sc", "--out", str(objects)],
    ):
        if cli.main(words):
            raise SystemExit("The sample study could not be examined.")
    return objects


def _by_orthanc(objects: Path) -> None:
    """What Orthanc renders of a key slice, and what it says of the first frames of segmentation and map."""
    for name, file in (("sc", "key_slice_01.dcm"), ("seg", "segmentation.dcm"), ("pm", "map.dcm")):
        dataset = dcmread(objects / file)
        address = (
            f"http://127.0.0.1:{HTTP_PORT}/dicom-web/studies/{dataset.StudyInstanceUID}/series/"
            f"{dataset.SeriesInstanceUID}/instances/{dataset.SOPInstanceUID}/frames/1/rendered"
        )
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(address, headers={"Accept": "image/png"}, auth=(USER, PASSWORD))
        print(f"Orthanc, {file}: status {answer.status_code}")
        if answer.ok:
            with Image.open(BytesIO(answer.content)) as picture:
                _save(picture.convert("RGB"), PICTURES / f"orthanc-{name}.png")


def _save(picture: Image.Image, path: Path) -> None:
    picture.thumbnail((_SIZE * 5 // 4, _SIZE * 5 // 4))
    picture.convert("RGB").quantize(256).save(path, optimize=True)  # below 100 kB


def _by_dcmqi(study: SampleStudy, objects: Path, folder: Path) -> None:
    """The fullest slice of the segmentation, and the map there, as dcmqi reads them, over the scan."""
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(study.query)))
    source = reader.Execute()
    read = {}
    for program, name in (("segimage2itkimage", "segmentation.dcm"), ("paramap2itkimage", "map.dcm")):
        out = folder / program
        out.mkdir()
        words = [
            Path(sys.executable).with_name(program),
            "--inputDICOM",
            objects / name,
            "--outputDirectory",
            out,
        ]
        subprocess.run(list(map(str, words)), check=True, capture_output=True)
        nearest = SimpleITK.sitkNearestNeighbor
        found = [
            SimpleITK.GetArrayFromImage(
                SimpleITK.Resample(
                    SimpleITK.ReadImage(str(one)), source, SimpleITK.Transform(), nearest, -1.0
                )
            ).astype(float)
            for one in sorted(out.glob("*.nrrd"))
        ]
        read[name] = np.max(found, axis=0)
    at = int(np.argmax((read["segmentation.dcm"] > 0).sum(axis=(1, 2))))
    under = SimpleITK.GetArrayFromImage(source)[at].astype(float)
    grey = np.repeat(_scaled(under, *np.percentile(under, (1, 99.5)))[..., None], 3, axis=-1)
    inside = read["segmentation.dcm"][at] > 0
    red = np.where(inside[..., None], 0.55 * grey + 0.45 * np.array([1.0, 0.1, 0.1]), grey)
    values = read["map.dcm"][at]
    known = values > values.min()
    warm = _scaled(values, *np.percentile(values[known], (50, 99.9)))
    heat = np.stack([warm, 0.6 * warm**2, np.zeros_like(warm)], axis=-1)
    over = np.where(known[..., None], (1 - 0.7 * warm[..., None]) * grey + 0.7 * warm[..., None] * heat, grey)
    for name, pixels in (("seg", red), ("pm", over)):
        whole = Image.fromarray((255 * np.clip(pixels, 0, 1)).astype(np.uint8))
        spacing = source.GetSpacing()
        size = round(_SIZE * spacing[0] * pixels.shape[1] / (spacing[1] * pixels.shape[0]))
        _save(whole.resize((size, _SIZE), Image.Resampling.NEAREST), PICTURES / f"dcmqi-{name}.png")


def _scaled(values: Pixels, low: float, high: float) -> Pixels:
    return np.clip((values - low) / (high - low), 0, 1)


if __name__ == "__main__":
    main()
