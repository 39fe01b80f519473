"""Every kind of file that the tool writes, in two versions, and what is seen of it afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path

import numpy as np
import torch

from napari_d24fad import cli
from napari_d24fad.atomic import check_writable
from napari_d24fad.detection.result import AnomalyMap
from napari_d24fad.export.nifti import save_nifti
from napari_d24fad.export.overlay import save_png
from napari_d24fad.export.pages.entry import CaseEntry
from napari_d24fad.export.pages.writing import save_pages
from napari_d24fad.export.report import ReportEntry, save_report
from napari_d24fad.export.results import save_results
from napari_d24fad.export.tiff import save_tiff
from napari_d24fad.findings.findings import Findings
from napari_d24fad.findings.making import findings_of
from napari_d24fad.network.checkpoint import save_model
from napari_d24fad.network.tensors import write_tensors
from napari_d24fad.network.zoo import find_model
from napari_d24fad.session.feature_cache import FeatureCache
from napari_d24fad.session.saved.session_file import read_session, save_session
from tests.cli.conftest import write_nifti
from tests.detection.subjects import head, random_model
from tests.heads import anomaly_of
from tests.heads import head as small_head
from tests.session.saved.cases import named_case


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of writing.

    Attributes:
        write: Writes a version, 0 or 1, to a folder.
        look: What the next start of the tool does before it reads or writes there; None where
            files are good at any moment.
        silent: Whether a disk that takes nothing is no error: it can be computed again.
    """

    write: Callable[[Path, int], object]
    look: Callable[[Path], object] | None = None
    silent: bool = False


def _anomaly(version: int) -> AnomalyMap:
    anomaly = anomaly_of(small_head(version))
    return replace(anomaly, values=anomaly.values + np.float32(version), score=float(version))


def _examination(version: int) -> ReportEntry:
    return ReportEntry(
        small_head(version), "MR", _anomaly(version), ("Reference 1", "Reference 2", "Reference 3")
    )


def _checkpoint(folder: Path, version: int) -> None:
    tensors = {"weights": torch.full((300, 300), float(version))}
    write_tensors(tensors, folder / "model.checkpoint", {"training": json.dumps({"step": version})})


def _features(folder: Path, version: int) -> None:
    cache = FeatureCache(folder, 2**30)
    cache.put("ab" * 32, {"features": torch.full((300, 300), float(version))}, {"version": version})


def _model(folder: Path, version: int) -> None:
    made = random_model(version)
    save_model(made.network, made.card, folder / "model.safetensors")


def _run(folder: Path, version: int) -> None:
    """A whole run of the command, from NIfTI files that lie beside the folder."""
    place = folder.parent / "scans"
    if not place.exists():
        place.mkdir()
        for number in range(4):
            write_nifti(place / f"{number}.nii", head(number, lesion=number < 2).voxels)
        made = random_model()
        save_model(made.network, made.card, place / "random.safetensors")
    references = [place / f"{number}.nii" for number in range(3 - version, 4)]
    words = ["detect", place / "0.nii", "--reference", place / "1.nii", *references]
    words += ["--model", place / "random.safetensors", "--device", "cpu", "--out", folder]
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        status = cli.main([str(word) for word in words])
    if status:
        raise SystemExit(status)


def _session(folder: Path, version: int) -> None:
    save_session([named_case(small_head(version), _anomaly(version))], folder / "day.d24fad")


def _pages(folder: Path, version: int) -> None:
    entry = _examination(version)
    findings = Findings.of(findings_of(entry.scan, entry.anomaly))
    save_pages(folder, [CaseEntry(entry, findings)], may_replace=True)


KINDS = {
    "report": Kind(lambda folder, version: save_report({"score": [version] * 9000}, folder / "report.json")),
    "overlay": Kind(
        lambda folder, version: save_png(
            np.random.default_rng(version).integers(0, 256, (200, 200, 3), np.uint8), folder / "overlay.png"
        )
    ),
    "nifti": Kind(lambda folder, version: save_nifti(_anomaly(version), folder / "map.nii.gz")),
    "tiff": Kind(lambda folder, version: save_tiff(_anomaly(version), folder / "map.tiff")),
    "results": Kind(
        lambda folder, version: save_results(folder, [_examination(version)], replace_others=True),
        check_writable,
    ),
    "model": Kind(_model, lambda folder: find_model(folder / "model.safetensors")),
    "checkpoint": Kind(_checkpoint),
    "session": Kind(_session, lambda folder: read_session(folder / "day.d24fad")),
    "pages": Kind(_pages, check_writable),
    "features": Kind(_features, silent=True),
    "run": Kind(_run, check_writable),
}


def seen(folder: Path) -> dict[str, bytes]:
    """Returns the files that a user sees; of reports not how long the run took."""
    contents = {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}
    if "report.json" in contents:
        report = json.loads(contents["report.json"])
        for result in report.get("results", ()):
            result.pop("seconds")
        contents["report.json"] = json.dumps(report).encode()
    return contents


def hidden(folder: Path) -> list[str]:
    """Returns what lies there that no user should ever find."""
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))
