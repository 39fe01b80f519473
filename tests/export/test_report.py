"""The report: strict, complete as documented, and without identity."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_d24fad.detection.references.regions import find_regions
from napari_d24fad.detection.result import ExaminedRegion, ExampleEvidence, MapBeside, MapChannel, Patch
from napari_d24fad.errors import Code, ExportError
from napari_d24fad.export.report import Refused, ReportEntry, as_json, build_report, save_report
from napari_d24fad.studies.scan import Problem, SeriesIdentity
from tests.export.maps import affine_of, make_map, make_scan

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "formats" / "report-schema.md"
GRID = (4, 3, 2)
LABELS = ("Reference 1", "Reference 2")
EVIDENCE = ExampleEvidence(
    0.5,
    1.5,
    0.5,
    (True, False),
    1,
    2.5,
    ("", "mass"),
    Patch((1, 0, 0), (3, 1, 1)),
    Patch((0, 0, 0), (0, 2, 1)),
)


def entry(**identity: str) -> ReportEntry:
    affine = affine_of(signs=(-1, 1, 1))
    scan = make_scan(
        np.arange(24.0).reshape(GRID),
        affine,
        modality="CT",
        identity=SeriesIdentity(**identity),
        problems=(Problem(Code.FILE_SKIPPED),),
    )
    scores = np.array([0.1, np.nan, 3.0, 2.0])
    values = np.ones(GRID, np.float32)
    values[1:3, 0, 1] = 2
    anomaly = make_map(values, affine, slice_scores=scores)
    regions = find_regions(anomaly.values, scan, 1.25, 1, anomaly.reference_scores)
    channels = (MapChannel("asymmetry", 1, "brighter than the other side", 2.0, "brighter"),)
    region = ExaminedRegion("drawn on this scan", 12.3, 0.25, ("drawn on this scan", "carried by alignment"))
    volume = MapBeside("volume", 1.5, 0.25, anomaly.level_one_region, regions)
    anomaly = replace(anomaly, regions=regions, plan="head CT", channels=channels, region=region)
    anomaly = replace(anomaly, beside=(volume,), examples=EVIDENCE)
    known = ("Abnormal example 1: CT", "Abnormal example 2: CT")
    return ReportEntry(scan, "CT axial", anomaly, LABELS, files=("a.png",), example_labels=known)


def keys_of(value: Any, path: str = "") -> Iterator[str]:
    """Every path to a leaf, with ``[]`` for the steps into lists."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from keys_of(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from keys_of(inner, path + "[]")
    else:
        yield path


def documented() -> set[str]:
    return set(re.findall(r"^\| `([^`]+)` \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE))


def test_the_document_names_every_key_and_no_other() -> None:
    report = build_report([entry(), Refused(2, ExportError(Code.NO_SCRATCH_SPACE))])
    named = {re.sub(r"(beside\[\]\.regions\[\])\..*", r"\1", key) for key in keys_of(report)}
    assert named == documented() - {"results[]", "refused[]"}
    result = report["results"][0]
    assert result["beside"][0]["regions"] == result["regions"]
    assert result["beside"][0]["p_value"] == 0.25
    told = result["examples"]
    assert told["labels"] == ["Abnormal example 1: CT", "Abnormal example 2: CT"]
    assert told["text"].startswith("Examined with 2 abnormal examples: most like example 2 (mass). 1 of 2 ")
    assert (told["place"], told["example_place"]) == ([2, 0, 0], [0, 1, 0])


def test_what_an_image_has_not_is_null_under_the_same_keys() -> None:
    image = ReportEntry(
        make_scan(np.arange(6).reshape(1, 2, 3), modality=""), "image", make_map(np.ones((1, 2, 3))), LABELS
    )
    report = build_report([image])
    known = documented() | {re.sub(r"(\[\])+$", "", key) for key in documented()}
    assert set(keys_of(report)) <= known
    query = report["results"][0]["query"]
    assert [query[key] for key in ("modality", "plane", "spacing_mm", "affine_lps", "window_hu")] == [
        None
    ] * 5


def test_numbers_come_back_exactly_and_nan_as_null(tmp_path: Path) -> None:
    save_report(build_report([entry()]), tmp_path / "report.json")

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    text = (tmp_path / "report.json").read_text(encoding="utf-8")
    result = json.loads(text, parse_constant=refuse)["results"][0]
    assert result["slice_scores"] == [0.1, None, 3.0, 2.0]
    assert result["weights"][1] == [[None] * 3, [None] * 3]
    assert result["weights"][0] == [[0.25, 0.5, 0.75], [0.75, 0.5, 0.25]]
    assert [reference["score"] for reference in result["references"]] == [0.75, 0.1]
    assert [reference["mean_weight"] for reference in result["references"]] == [0.5, 0.5]
    assert result["references"][0]["slice_scores"] == [0.5, None]
    assert np.array_equal(result["query"]["affine_lps"], affine_of(signs=(-1, 1, 1)))


def test_suspicious_slices_are_named_by_index_number_and_position() -> None:
    first = build_report([entry()])["results"][0]["most_suspicious"][0]
    # The highest of four slices that are stored from top to bottom, 1.5 mm apart.
    assert (first["index"], first["number"], first["score"]) == (2, 2, 3.0)
    assert first["position_mm"][2] == 12.75 - 2 * 1.5


def test_what_normal_scans_show_is_reported_with_its_floor() -> None:
    result = build_report([entry()])["results"][0]
    assert result["p_value"] == result["p_floor"] == 1 / 3
    assert result["slice_p_values"] == [0.6666667, None, 0.6666667, 0.6666667]
    assert result["levels_by_rate"] == [{"rate": 0.01, "level": 0.75}, {"rate": 0.05, "level": 0.5}]
    assert [each["flagged"] for each in result["references"]] == [False, True]
    assert [each["reason"] for each in result["references"]] == [None, "Look at it."]


def test_a_region_is_named_by_slice_numbers_and_lies_in_the_patient() -> None:
    (region,) = build_report([entry()])["results"][0]["regions"]
    # Four slices stored from top to bottom, 1.5 mm apart: indices 1 and 2 are numbers 3 and 2.
    assert (region["slice_indices"], region["slices"]) == ([1, 2], [3, 2])
    assert region["volume_mm3"] == pytest.approx(2 * 1.5 * 0.75 * 0.5)
    expected = affine_of(signs=(-1, 1, 1)) @ [1.5, 0, 1, 1]
    assert region["centroid_mm"] == pytest.approx(list(expected[:3]))
    assert region["p_value"] == pytest.approx(1 / 3)


def test_a_scan_of_which_nothing_was_examined_has_no_mean_weights() -> None:
    nothing = replace(entry(), anomaly=make_map(np.ones(GRID), slice_scores=np.full(4, np.nan)))
    result = build_report([nothing])["results"][0]
    assert result["most_suspicious"] == []
    assert [reference["mean_weight"] for reference in result["references"]] == [None, None]


def test_the_shares_above_the_levels_count_what_was_examined() -> None:
    values = np.full(GRID, 0.5)
    values[0] = np.nan
    values[1, 0] = 1.0, 1.5  # the normal level is 1, that of one region 1.25
    result = build_report([replace(entry(), anomaly=make_map(values))])["results"][0]
    assert result["above_normal"] == pytest.approx(2 / 18)
    assert result["above_one_region"] == pytest.approx(1 / 18)
    result = build_report([replace(entry(), anomaly=make_map(values * np.nan))])["results"][0]
    assert result["above_normal"] is None
    assert result["above_one_region"] is None


def test_nothing_of_the_identity_is_told() -> None:
    words = {
        "description": "DOE^JANE 1970-01-01",
        "series_uid": "1.2.3.4",
        "study_uid": "1.2.3",
        "frame_of_reference_uid": "1.2.3.5",
        "patient_key": "c0ffee",
    }
    text = as_json(build_report([entry(**words)]))
    assert [word for word in words.values() if word in text] == []


def test_nan_is_refused_rather_than_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        save_report({"score": float("nan")}, tmp_path / "report.json")
    assert list(tmp_path.iterdir()) == []


def test_a_report_where_no_folder_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportError, match="X01"):
        save_report({}, tmp_path / "file" / "report.json")
