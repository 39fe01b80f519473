"""Reference sets: on another machine the same result, without the scans."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from napari_d24fad import cli
from napari_d24fad.errors import D24fadError
from napari_d24fad.session.request import Request
from napari_d24fad.session.saved.reference_sets import (
    find_reference_set,
    list_reference_sets,
    open_reference_set,
    save_reference_set,
)
from napari_d24fad.session.saved.session_file import save_session
from napari_d24fad.session.scripting import Session
from napari_d24fad.settings import CACHE_VARIABLE, FEATURES_LIMIT_VARIABLE
from napari_d24fad.studies.study import open_study


def test_a_set_gives_the_same_result_without_its_scans(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    model: Path,
    scans: Path,
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "one"))
    monkeypatch.setenv(FEATURES_LIMIT_VARIABLE, "1")
    shutil.copytree(scans / "normal", tmp_path / "normal")
    words = ["--reference", str(tmp_path / "normal"), "--model", str(model), "--device", "cpu"]
    assert cli.main(["references", "save", "normal heads, 3 scans", *words]) == 0
    (listed,) = list_reference_sets()
    assert listed.name == "normal heads, 3 scans"
    assert [label.partition(",")[0] for label in listed.labels] == ["NIfTI axial 12 x 40 x 36"] * 3
    capsys.readouterr()
    assert cli.main(["references", "list"]) == 0
    assert "normal heads, 3 scans" in capsys.readouterr().out
    query = open_study(scans / "query.nii.gz").series[0]
    session = Session(str(model), "cpu")
    expected = session.examine(query, open_study(tmp_path / "normal").series).anomaly
    shutil.rmtree(tmp_path / "normal")
    sent = shutil.copy(find_reference_set(listed.name), tmp_path / "sent.d24fad-references")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "another machine"))
    assert list_reference_sets() == ()
    references = open_reference_set(Path(sent))
    with pytest.raises(D24fadError, match="R03"):
        references[0].load()
    out = tmp_path / "out"
    asked = ["detect", str(scans / "query.nii.gz"), "--reference-set", str(sent), *words[2:]]
    assert cli.main([*asked, "--out", str(out)]) == 0
    (result,) = json.loads((out / "report.json").read_text(encoding="utf-8"))["results"]
    assert (result["score"], result["p_value"]) == (expected.score, expected.p_value)
    values = open_study(out / "anomaly.nii.gz").series[0].load().voxels
    assert np.array_equal(values, expected.values, equal_nan=True)


def test_images_lie_in_the_set_as_they_are(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    model: Path,
    scans: Path,
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "one"))
    normal = open_study(scans / "colour").series
    request = Request(normal[0], normal, str(model), "cpu")
    path = save_reference_set("images", request, tmp_path / "images.d24fad-references")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "another machine"))
    for before, after in zip(normal, open_reference_set(path), strict=True):
        assert np.array_equal(before.load().voxels, after.load().voxels)
        assert np.array_equal(before.thumbnail(), after.thumbnail())
        assert after.load().has_pixels


def test_what_is_no_set_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    save_session([], tmp_path / "day.d24fad-references")
    with pytest.raises(D24fadError, match="R01"):
        open_reference_set(tmp_path / "day.d24fad-references")
    with pytest.raises(D24fadError, match="A01"):
        find_reference_set("nothing")
