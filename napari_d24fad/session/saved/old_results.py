"""Opens results that were saved without a session: the map beside its ``report.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_d24fad.atomic import recover
from napari_d24fad.detection.references.reference_check import ReferenceCheck
from napari_d24fad.detection.references.regions import Region
from napari_d24fad.detection.result import AnomalyMap, ExaminedRegion, MapBeside
from napari_d24fad.errors import Code, D24fadError, SessionError, StudyError
from napari_d24fad.export.colours import anomaly_limits
from napari_d24fad.export.report import SCHEMA
from napari_d24fad.session.request import Examination, Request
from napari_d24fad.session.saved.case import Case
from napari_d24fad.session.saved.document import SavedProblem, SavedScan, SavedStudy
from napari_d24fad.session.saved.scans import named_series, outline_of, problems_of
from napari_d24fad.studies.files.bounded import is_file
from napari_d24fad.studies.scan import Photometric, Scan

REPORT_NAME = "report.json"
_OLDEST = 3
_MOST_BYTES = 2**28


def read_results(folder: Path) -> tuple[Case, ...]:
    """Returns what ``detect`` or the viewer saved to a folder; each region becomes a finding.

    Scans are named by their labels, and hold no pixels: a report tells of no path. Calibration and channels
    are not in it, so that p-values of single places, and of what is marked by hand, are not known.

    Args:
        folder: With ``report.json`` and the maps that it names.

    Raises:
        StudyError: ``PATH_MISSING``, ``PATH_UNREADABLE``; a map cannot be read.
        SessionError: ``SESSION_BROKEN``, if it is something else or damaged; ``SESSION_NEWER``.
    """
    recover(folder)
    try:
        report = json.loads(_text(folder / REPORT_NAME))
        name, _, number = str(report["schema"]).partition("/")
        if name != SCHEMA.partition("/")[0] or int(number) < _OLDEST:
            raise SessionError(Code.SESSION_BROKEN)
        if int(number) > int(SCHEMA.partition("/")[2]):
            raise SessionError(Code.SESSION_NEWER)
        return tuple(_case(folder, result) for result in report["results"])
    except (LookupError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise SessionError(Code.SESSION_BROKEN) from error


def _text(path: Path) -> str:
    try:
        if not path.exists():
            raise StudyError(Code.PATH_MISSING)
        if not is_file(path) or path.stat().st_size > _MOST_BYTES:
            raise SessionError(Code.SESSION_BROKEN)
        return path.read_text(encoding="utf-8")
    except OSError:
        raise StudyError(Code.PATH_UNREADABLE) from None


def _case(folder: Path, result: Mapping[str, Any]) -> Case:
    query = result["query"]
    saved = _saved(query)
    scan = outline_of(saved)
    labels = [str(query["label"]), *(str(each["label"]) for each in result["references"])]
    studies = [SavedStudy(saved, label=label) for label in labels]
    series = [named_series(each, folder.absolute(), is_foreign=False) for each in studies]
    window = query["window_hu"]
    request = Request(
        query=series[0],
        references=tuple(series[1:]),
        model=str(result["model"]["name"]),
        device="auto",
        ct_window=None if window is None else (float(window[0]), float(window[1])),
        scoring=str(result["scoring"]),
        direction=result["direction"],
    )
    anomaly = _anomaly(folder, result, scan)
    return Case.of(Examination(request, scan, anomaly, anomaly_limits(anomaly)))


def _saved(query: Mapping[str, Any]) -> SavedScan:
    spacing = query["spacing_mm"]
    affine = query["affine_lps"]
    if affine is None:  # sides are not known, and maybe no lengths
        affine = np.diag([*(spacing or (1.0, 1.0, 1.0)), 1.0]).tolist()
    grid = [int(size) for size in query["grid"]]
    rows = [(float(a), float(b), float(c), float(d)) for a, b, c, d in affine]
    return SavedScan(
        grid=(grid[0], grid[1], grid[2]),
        affine=(rows[0], rows[1], rows[2], rows[3]),
        modality=str(query["modality"] or ""),
        photometric=Photometric(query["photometric"]),
        has_geometry=spacing is not None,
        sides_known=bool(query["sides_known"]),
        slice_axis=int(query["slice_axis"]),
        problems=_problems(query["problems"]),
    )


def _anomaly(folder: Path, result: Mapping[str, Any], scan: Scan) -> AnomalyMap:
    references: Sequence[Mapping[str, Any]] = result["references"]
    region = result["examined_region"]
    return AnomalyMap(
        values=_map(folder, str(result["files"][0]), scan),
        affine=np.array(scan.affine),
        slice_axis=scan.slice_axis,
        score=_number(result["score"]),
        slice_scores=_row(result["slice_scores"], scan.n_slices),
        weights=_weights(result["weights"], scan.n_slices, len(references)),
        normal_level=_number(result["normal_level"]),
        reference_scores=_row([each["score"] for each in references], len(references)),
        reference_slice_scores=_rows([each["slice_scores"] for each in references]),
        scoring=str(result["scoring"]),
        model_name=str(result["model"]["name"]),
        model_sha256=str(result["model"]["sha256"]),
        device=str(result["device"]),
        seconds=float(result["seconds"]),
        warnings=problems_of(_problems(result["warnings"])),
        p_value=_number(result["p_value"]),
        p_floor=_number(result["p_floor"]),
        slice_p_values=_row(result["slice_p_values"], scan.n_slices),
        level_one_region=_number(result["level_one_region"]),
        levels_by_rate={float(each["rate"]): _number(each["level"]) for each in result["levels_by_rate"]},
        regions=tuple(_region(each, scan) for each in result["regions"]),
        reference_checks=tuple(
            ReferenceCheck(at, _number(each["outlier"]), bool(each["flagged"]), str(each["reason"] or ""))
            for at, each in enumerate(references)
        ),
        direction=str(result["direction"] or ""),
        anatomy=str(result["anatomy"] or ""),
        plan=str(result["plan"] or ""),
        region=None
        if region["text"] is None
        else ExaminedRegion(region["how"], region["volume_ml"], region["share"], tuple(region["references"])),
        beside=tuple(
            MapBeside(
                str(each["plan"]),
                _number(each["score"]),
                _number(each["p_value"]),
                _number(each["level_one_region"]),
                tuple(_region(own, scan) for own in each["regions"]),
            )
            for each in result["beside"]
        ),
    )


def _map(folder: Path, name: str, scan: Scan) -> npt.NDArray[np.float32]:
    if name in ("", ".", "..") or Path(name).name != name or "\\" in name:
        raise ValueError("A map lies in the folder of its report.")
    path = folder / name
    if not is_file(path):
        raise StudyError(Code.PATH_MISSING, "A map that the report names is not there.")
    if path.suffix == ".tiff":
        return _of_tiff(path, scan)
    from napari_d24fad.studies.study import open_study  # slow to import

    (series,) = open_study(path).series
    values = series.load().voxels
    if values.shape != scan.grid:
        raise ValueError("The map does not fit the scan.")
    return np.asarray(values, np.float32)


def _of_tiff(path: Path, scan: Scan) -> npt.NDArray[np.float32]:
    import tifffile  # slow to import

    try:
        with tifffile.TiffFile(path) as file:
            pages = np.moveaxis(np.empty(scan.grid, np.bool_), scan.slice_axis, 0).shape
            stored = file.series[0].shape
            if tuple(stored) not in (pages, pages[1:]):  # before memory is taken
                raise ValueError("The map does not fit the scan.")
            values = file.asarray().reshape(pages)
    except (OSError, tifffile.TiffFileError) as error:
        raise D24fadError(Code.SESSION_BROKEN) from error
    return np.moveaxis(values, 0, scan.slice_axis).astype(np.float32)


def _region(told: Mapping[str, Any], scan: Scan) -> Region:
    peak, slices = tuple(map(int, told["peak_index"])), tuple(map(int, told["slice_indices"]))
    inside = all(0 <= at < size for at, size in zip(peak, scan.grid, strict=True))
    if not inside or not all(0 <= at < scan.n_slices for at in slices):
        raise ValueError("A region lies outside of the scan.")
    return Region(
        number=int(told["number"]),
        slices=(slices[0], slices[1]),
        n_voxels=int(told["n_voxels"]),
        volume_mm3=told["volume_mm3"],
        area_mm2=told["area_mm2"],
        extent_mm=_triple(told["extent_mm"]),
        peak=_number(told["peak"]),
        mean=_number(told["mean"]),
        p_value=_number(told["p_value"]),
        peak_index=(peak[0], peak[1], peak[2]),
        centroid_index=_triple(told["centroid_index"]) or (0.0, 0.0, 0.0),
        centroid_mm=_triple(told["centroid_mm"]),
        meaning=str(told["meaning"] or ""),
        direction=str(told["direction"] or ""),
        channel=str(told["channel"] or ""),
        amount=told["amount"],
        unit=str(told["unit"] or ""),
        spreads=told["spreads"],
    )


def _problems(told: Sequence[Mapping[str, Any]]) -> tuple[SavedProblem, ...]:
    """Returns problems; their sentences hold code and meaning, of which the detail is what is left."""
    meanings = {code.code: f"{code.code}: {code.meaning}" for code in Code}
    return tuple(
        SavedProblem(str(each["code"]), str(each["text"]).removeprefix(meanings[each["code"]]).strip())
        for each in told
    )


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _row(values: Sequence[float | None], length: int) -> npt.NDArray[np.float32]:
    if len(values) != length:
        raise ValueError("The report does not fit the scan.")
    return np.array([_number(value) for value in values], np.float32)


def _rows(values: Sequence[Sequence[float | None]]) -> npt.NDArray[np.float32]:
    longest = max((len(row) for row in values), default=0)
    padded = [[*map(_number, row), *[float("nan")] * (longest - len(row))] for row in values]
    return np.array(padded, np.float32).reshape(len(values), longest)


def _weights(values: Sequence[Any], slices: int, references: int) -> npt.NDArray[np.float32]:
    found = np.array([[[_number(each) for each in row] for row in plane] for plane in values], np.float32)
    if found.ndim != 3 or found.shape[:2] != (slices, references):
        raise ValueError("The report does not fit the scan.")
    return found


def _triple(values: Sequence[float] | None) -> tuple[float, float, float] | None:
    return None if values is None else (float(values[0]), float(values[1]), float(values[2]))
