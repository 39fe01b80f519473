"""A whole walk: find in the archive, retrieve, examine, export, send back, find again, lay over."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from napari_d24fad import cli
from napari_d24fad.archives.dicomweb import WebPeer
from napari_d24fad.archives.found import Wanted
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.segments.files import segmentation_files
from napari_d24fad.studies.segments.fitting import on_scan
from napari_d24fad.studies.segments.segmentation import read_segmentation
from napari_d24fad.studies.study import open_study
from tests.archives.heads import LESION_STUDY, write_head
from tests.archives.orthanc import HTTP_PORT, PASSWORD, USER, Orthanc
from tests.cli.conftest import model  # noqa: F401 - a fixture


def segment_places(segmentation: Dataset) -> set[tuple[float, ...]]:
    """Where the frames of a segmentation lie that hold something, with how much they hold."""
    places = set()
    for frame, pixels in zip(
        segmentation.PerFrameFunctionalGroupsSequence, segmentation.pixel_array, strict=True
    ):
        place = frame.PlanePositionSequence[0].ImagePositionPatient
        places.add((*(round(float(value), 3) for value in place), float(pixels.sum())))
    return places


def of_archive(d24fad: Callable[..., str], model: Path, normal: Iterable[Path]) -> None:  # noqa: F811
    """A query of the archive as a cohort: the study is fetched, and has the result that it has alone."""
    with_model = ("--model", model, "--device", "cpu")
    name = "normal.d24fad-references"
    d24fad("references", "save", "normal", "--reference", *normal, "--model", model, "--out", name)
    query = "archive:pacs?patient=walk-0&date=20261201&modality=MR"
    d24fad("cohort", query, "--references", name, *with_model, "--out", "cohort")
    with Path("cohort", "cohort.csv").open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert float(row["score"]) == json.loads(Path("result", "report.json").read_text())["results"][0]["score"]
    assert len(list(Path("cohort", "studies").rglob("*.dcm"))) > 1
    assert LESION_STUDY not in Path("cohort", "overview.html").read_text()
    written = {path: path.stat().st_mtime_ns for path in Path("cohort").rglob("row.json")}
    d24fad("cohort", query, "--references", name, *with_model, "--out", "cohort", "--resume")
    assert {path: path.stat().st_mtime_ns for path in written} == written, "it was examined again"


def test_from_the_archive_and_back(
    orthanc: Orthanc,
    model: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("D24FAD_PASSWORD_PACS", PASSWORD)
    monkeypatch.delenv("D24FAD_FEATURES_GIB")  # sets of references need kept features
    monkeypatch.chdir(tmp_path)
    orthanc.fill(file for number in range(4) for file in write_head(tmp_path / "made", number))

    def d24fad(*words: str | Path) -> str:
        status = cli.main([str(word) for word in words])
        said = capsys.readouterr()
        assert status == 0, said.err
        return said.out

    d24fad("archives", "add", "pacs", "--url", f"http://127.0.0.1:{HTTP_PORT}/dicom-web", "--user", USER)
    fetched = json.loads(d24fad("fetch", "pacs", "--date", "20261201", "--out", "got", "--json"))["studies"]
    folders = {one["study"]: Path("got", one["folder"]) for one in fetched}
    assert len(folders) == 4
    query = folders.pop(LESION_STUDY)
    d24fad(
        "detect",
        query,
        "--reference",
        *folders.values(),
        "--model",
        model,
        "--device",
        "cpu",
        "--out",
        "result",
    )
    of_archive(d24fad, model, folders.values())
    d24fad("export", "result", "--source", query, "--dicom", "seg,pm,sc", "--out", "objects")
    sent = d24fad("send", "pacs", "objects")
    assert "were read back and are the same" in sent

    peer = WebPeer(orthanc.web, PASSWORD, CancelToken())
    (study,) = peer.studies(Wanted(study=LESION_STUDY))
    series = {one.modality: one for one in peer.series(study.uid)}
    assert {"MR", "SEG"} <= set(series)
    pictures = [one for one in peer.series(study.uid) if one.modality not in ("MR", "SEG")]
    assert any(peer.preview(one)[:2] == b"\xff\xd8" for one in pictures), "no picture is rendered"

    d24fad("fetch", "pacs", "--study", LESION_STUDY, "--out", "again")
    back = [dcmread(file) for file in Path("again").rglob("*.dcm")]
    (segmentation,) = [one for one in back if one.Modality == "SEG"]
    written = dcmread(Path("objects", "segmentation.dcm"))
    assert segment_places(segmentation) == segment_places(written)
    source = {
        tuple(round(float(v), 3) for v in one.ImagePositionPatient) for one in back if one.Modality == "MR"
    }
    assert {place[:3] for place in segment_places(segmentation)} <= source

    # and laid over the source that came with it: the voxels that were exported
    (file,) = segmentation_files([Path("again")])
    (source_again,) = [one for one in open_study("again").series if one.outline.modality == "MR"]
    (before,) = open_study(query).series
    (laid,) = on_scan(read_segmentation(file), source_again.outline)
    (exported,) = on_scan(read_segmentation(Path("objects", "segmentation.dcm")), before.outline)
    np.testing.assert_array_equal(laid, exported)
    assert (laid > 0).sum() == sum(place[3] for place in segment_places(segmentation)) > 0
