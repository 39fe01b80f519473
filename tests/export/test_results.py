"""A folder of results: the right files under the right names, all or none."""

from __future__ import annotations

import gc
import json
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_d24fad.errors import Code, ExportError, StudyError
from napari_d24fad.export.report import Refused, ReportEntry
from napari_d24fad.export.results import check_replaceable, save_results
from tests.export.maps import affine_of, make_map, make_scan

GRID = (2, 6, 5)
LABELS = ("Reference 1", "Reference 2")


def volume() -> ReportEntry:
    voxels = np.arange(60.0).reshape(GRID)
    return ReportEntry(make_scan(voxels, affine_of()), "MR", make_map(voxels, affine_of()), LABELS)


def image() -> ReportEntry:
    voxels = np.arange(30.0).reshape(1, 6, 5)
    return ReportEntry(make_scan(voxels), "image", make_map(voxels), LABELS)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_one_volume(tmp_path: Path) -> None:
    report = save_results(tmp_path / "out", [volume()])
    assert names(tmp_path / "out") == ["anomaly.nii.gz", "overlay.png", "report.json"]
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == json.loads(json.dumps(report))
    assert report["results"][0]["files"] == ["anomaly.nii.gz", "overlay.png"]
    values = nib.load(tmp_path / "out" / "anomaly.nii.gz").get_fdata()
    np.testing.assert_array_equal(values, volume().anomaly.values.T)
    with Image.open(tmp_path / "out" / "overlay.png") as picture:
        assert min(picture.size) > 480


def test_images_are_named_after_themselves_even_twice(tmp_path: Path) -> None:
    report = save_results(tmp_path, [image(), image(), image()], names=["knee", "knee", "hip"])
    stems = ("hip_", "knee_", "knee_2_")
    expected = {f"{stem}{kind}" for stem in stems for kind in ("anomaly.tiff", "overlay.png")}
    assert set(names(tmp_path)) == expected | {"report.json"}
    assert [result["files"][0] for result in report["results"]] == [
        "knee_anomaly.tiff",
        "knee_2_anomaly.tiff",
        "hip_anomaly.tiff",
    ]
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "hip_anomaly.tiff"), image().anomaly.values[0])


def test_several_volumes_are_kept_apart(tmp_path: Path) -> None:
    save_results(tmp_path, [volume(), volume()], names=["one", "two"])
    assert {"one_anomaly.nii.gz", "two_anomaly.nii.gz"} <= set(names(tmp_path))


def test_a_scan_of_which_nothing_was_examined_has_no_picture(tmp_path: Path) -> None:
    nothing = make_map(np.full(GRID, np.nan), affine_of(), slice_scores=np.full(2, np.nan))
    save_results(tmp_path, [replace(volume(), anomaly=nothing)])
    assert names(tmp_path) == ["anomaly.nii.gz", "report.json"]


def test_a_report_that_cannot_be_placed_takes_the_maps_with_it(tmp_path: Path) -> None:
    (tmp_path / "report.json").mkdir()
    with pytest.raises(ExportError, match="X01"):
        save_results(tmp_path, [volume()])
    assert names(tmp_path) == ["report.json"]


def test_entries_are_written_while_the_next_is_computed_and_none_is_kept(tmp_path: Path) -> None:
    made: list[weakref.ref[np.ndarray]] = []

    def computed() -> Iterator[ReportEntry | Refused]:
        for at in range(4):
            gc.collect()
            assert sum(each() is not None for each in made) <= 1
            if at == 2:
                yield Refused(3, StudyError(Code.TRUNCATED))
            else:
                entry = volume()
                made.append(weakref.ref(entry.anomaly.values))
                yield entry
                del entry

    report = save_results(tmp_path, computed(), names=["one", "two", "three", "four"])
    assert [result["files"][0][:4] for result in report["results"]] == ["one_", "two_", "four"]
    assert report["refused"] == [{"query": 3, "code": "S05", "text": str(StudyError(Code.TRUNCATED))}]


def test_results_of_another_scan_are_not_replaced(tmp_path: Path) -> None:
    save_results(tmp_path, [volume()])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    shifted = affine_of()
    shifted[0, 3] += 1
    other = replace(volume(), scan=replace(volume().scan, affine=shifted))
    again = replace(volume(), label="examined with other references")
    with pytest.raises(ExportError, match="X04"):
        save_results(tmp_path, [other])
    with pytest.raises(ExportError, match="X04"):
        check_replaceable(tmp_path, [other.scan])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert save_results(tmp_path, [again])["results"][0]["query"]["label"] == again.label
    save_results(tmp_path, [other], replace_others=True)
    save_results(tmp_path, [other])


@pytest.mark.parametrize("report", [None, "no report", "[]", '{"results": [{"files": ["overlay.png"]}]}'])
def test_a_file_of_unknown_origin_is_not_replaced(tmp_path: Path, report: str | None) -> None:
    (tmp_path / "overlay.png").write_bytes(b"the user's own")
    if report is not None:
        (tmp_path / "report.json").write_text(report)
    with pytest.raises(ExportError, match="X04"):
        save_results(tmp_path, [volume()])
    assert (tmp_path / "overlay.png").read_bytes() == b"the user's own"
    (tmp_path / "overlay.png").unlink()
    (tmp_path / "report.json").unlink(missing_ok=True)
    (tmp_path / "notes.txt").write_text("in nobody's way")
    save_results(tmp_path, [volume()])


def test_a_report_of_several_is_not_replaced_by_one_of_them(tmp_path: Path) -> None:
    entries = [image(), replace(image(), scan=replace(image().scan, voxels=image().scan.voxels + 1))]
    save_results(tmp_path, entries, names=["knee", "hip"])
    save_results(tmp_path, entries, names=["knee", "hip"])
    with pytest.raises(ExportError, match="X04"):
        save_results(tmp_path, entries[:1], names=["knee"])
    with pytest.raises(ExportError, match="X04"):
        save_results(tmp_path, entries, names=["hip", "knee"])


def test_nothing_to_export(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="X02"):
        save_results(tmp_path / "out", [])
    assert names(tmp_path) == []
