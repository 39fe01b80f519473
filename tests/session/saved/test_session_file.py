"""Sessions: everything comes back, nothing is opened without asking, nothing is lost."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from napari_d24fad.errors import Code, D24fadError
from napari_d24fad.session.saved.case import Case, Marked
from napari_d24fad.session.saved.file import SUFFIX
from napari_d24fad.session.saved.reopening import open_scans, with_pixels
from napari_d24fad.session.saved.scans import NamedSeries
from napari_d24fad.session.saved.session_file import read_session, save_session
from napari_d24fad.settings import CACHE_VARIABLE
from napari_d24fad.studies.nifti.series import NiftiSeries
from napari_d24fad.studies.study import open_study
from tests.posix import needs_fork
from tests.session.saved.cases import make_case
from tests.studies.corpus import CASES


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return make_case(tmp_path / "scans")


@pytest.fixture
def path(tmp_path: Path, case: Case) -> Path:
    saved = tmp_path / "work" / f"day{SUFFIX}"
    save_session([case], saved)
    return saved


def same(one: object, other: object) -> bool:
    """Whether two dataclasses hold the same, arrays and NaN included; scans are compared by their labels."""
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and one.dtype == other.dtype and np.array_equal(
            one, other, equal_nan=one.dtype.kind == "f"
        )  # fmt: skip
    if isinstance(one, tuple | list):
        return isinstance(other, tuple) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one == other
    if hasattr(one, "__dataclass_fields__"):
        if type(one) is not type(other):
            return False
        return all(same(getattr(one, each.name), getattr(other, each.name)) for each in fields(one))
    return one == other or (one != one and other != other)


def refused(path: Path) -> Code:
    with pytest.raises(D24fadError) as error:
        read_session(path)
    return error.value.code


def test_everything_comes_back_without_opening_a_scan(
    path: Path, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(path.parent.parent / "scans")
    session = read_session(path)
    (back,) = session.cases
    assert case.examination is not None
    assert back.examination is not None
    assert same(case.examination.anomaly, back.examination.anomaly)
    assert back.examination.limits == case.examination.limits
    assert same(case.findings, back.findings)
    assert same(case.view, back.view)
    before, after = case.request, back.request
    assert [each.label for each in after.references] == [each.label for each in before.references]
    assert after.query.label == before.query.label
    for name in ("model", "device", "shares", "scoring", "direction", "ct_window"):
        assert getattr(after, name) == getattr(before, name)
    assert np.array_equal(after.regions[0].read(), before.regions[0].read())
    assert (after.abnormal[0].kind, after.abnormal[0].lesion) == ("mass", (2, 3))
    assert after.abnormal[0].series is after.references[2]
    assert session.is_own
    with pytest.raises(D24fadError, match="R06"):
        after.query.load()


def test_scans_are_found_again_and_read(path: Path, case: Case) -> None:
    opened = open_scans(read_session(path))
    assert opened.problems == ()
    (back,) = opened.cases
    assert all(isinstance(each, NiftiSeries) for each in (back.request.query, *back.request.references))
    assert back.request.regions[0].series is back.request.query
    assert back.request.abnormal[0].series is opened.marked.abnormal[0]
    read, problems = with_pixels(back)
    assert problems == ()
    assert read.examination is not None
    assert case.examination is not None
    assert np.array_equal(read.examination.scan.voxels, case.examination.scan.voxels)


def test_a_scan_that_changed_moved_or_went_is_told(path: Path) -> None:
    scans = path.parent.parent / "scans"
    one, two, three = (scans / f"reference-{number}" / "scan.nii.gz" for number in (1, 2, 3))
    content = three.read_bytes()
    three.write_bytes(content)  # copied again: the same, at another time
    shutil.copy(scans / "query" / "scan.nii.gz", one)
    two.unlink()
    opened = open_scans(read_session(path))
    assert [problem.code for problem in opened.problems] == [Code.SCAN_CHANGED, Code.SCAN_MISSING]
    assert str(scans) not in " ".join(map(str, opened.problems))
    (back,) = opened.cases
    missing = back.request.references[1]
    assert isinstance(missing, NamedSeries)
    with pytest.raises(D24fadError, match="R03"):
        missing.load()
    assert back.examination is not None
    assert np.isfinite(back.examination.anomaly.values).any()
    # Nothing is lost by saving what was found, and what comes back can be found again.
    save_session(opened.cases, path)
    two.write_bytes(content)
    assert [each.code for each in open_scans(read_session(path)).problems] == [Code.SCAN_CHANGED]


def test_scans_that_moved_with_the_session_are_found(path: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.move(path.parent.parent / "scans", elsewhere / "scans")
    shutil.move(path.parent, elsewhere / "work")
    opened = open_scans(read_session(elsewhere / "work" / path.name))
    assert {problem.code for problem in opened.problems} == {Code.SCAN_MOVED}
    assert isinstance(opened.cases[0].request.query, NiftiSeries)


def test_paths_of_a_session_that_was_sent_are_not_even_looked_at(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "another user"))
    touched: list[str] = []
    look = os.stat

    def watching(place, *args, **settings):
        touched.append(os.fspath(place) if not isinstance(place, int) else "")
        return look(place, *args, **settings)

    monkeypatch.setattr(os, "stat", watching)
    session = read_session(path)
    assert touched, "the watch must see something"
    assert not any("scans" in place for place in touched)
    assert not session.is_own
    assert sorted(Path(study.path).parent.name for study in session.studies) == [
        "query",
        "reference-1",
        "reference-2",
        "reference-3",
    ]
    # Saved as it is, it stays somebody else's.
    save_session(session.cases, tmp_path / "again")
    assert not read_session(tmp_path / "again").is_own
    save_session(open_scans(session).cases, tmp_path / "again")
    assert read_session(tmp_path / "again").is_own


def test_a_path_that_somebody_changed_is_not_this_users_own(path: Path) -> None:
    assert read_session(path).is_own
    edit(path, lambda said: json.loads(json.dumps(said).replace("scan.nii.gz", "evil.nii.gz")))
    assert not read_session(path).is_own


def edit(path: Path, change) -> None:
    with safetensors.safe_open(path, framework="np") as file:
        text, arrays = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    changed = {"session": json.dumps(change(json.loads(text["session"])))}
    path.write_bytes(safetensors.numpy.save(arrays, changed))


def test_a_broken_session_and_a_newer_one_are_told(path: Path, tmp_path: Path) -> None:
    whole = path.read_bytes()
    broken = tmp_path / "broken"
    broken.write_bytes(whole[:-7])
    assert refused(broken) is Code.SESSION_BROKEN
    flipped = bytearray(whole)
    flipped[-40] ^= 1
    broken.write_bytes(flipped)
    assert refused(broken) is Code.SESSION_BROKEN
    for content in (b"", b"\xff" * 64, (2**40).to_bytes(8, "little") + b"{}", b"PK\x03\x04" * 9):
        broken.write_bytes(content)
        assert refused(broken) is Code.SESSION_BROKEN
    assert refused(tmp_path / "nothing") is Code.PATH_MISSING
    assert refused(tmp_path) is Code.SESSION_BROKEN
    shutil.copy(path, broken)
    edit(broken, lambda said: said | {"schema": "d24fad-session/2"})
    assert refused(broken) is Code.SESSION_NEWER
    edit(broken, lambda said: said | {"schema": "something/1"})
    assert refused(broken) is Code.SESSION_BROKEN


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["cases"][0].update(query=9),
        lambda d: d["cases"][0].update(normal=[0]),
        lambda d: d["cases"][0]["result"].update(slice_axis=1),
        lambda d: d["cases"][0]["result"]["regions"][0].update(peak_index=[0, 99, 0]),
        lambda d: d["cases"][0]["result"]["warnings"][0].update(code="Z99"),
        lambda d: d["cases"][0]["findings"]["listed"][0]["mask"].update(corner=[9, 0, 0]),
        lambda d: d["cases"][0]["findings"]["listed"][0].update(slice_index=10),
        lambda d: d["cases"][0]["findings"]["listed"][0].update(verdict="maybe"),
        lambda d: d["cases"][0]["findings"].update(next_number=1),
        lambda d: d["cases"][0]["drawings"][0].update(array="case 0 slice_scores"),
        lambda d: d["studies"][0]["scan"].update(grid=[2**30, 2**30, 2**30]),
        lambda d: d["studies"][0]["scan"].update(affine=[[0, 0, 0, 0]] * 4),
        lambda d: d["studies"][0].pop("scan"),
        lambda d: d["cases"].append([]),
    ],
)
def test_what_makes_no_sense_is_refused(path: Path, change) -> None:
    def changed(said: dict[str, Any]) -> dict[str, Any]:
        change(said["document"])
        return said

    edit(path, changed)
    assert refused(path) is Code.SESSION_BROKEN


def test_what_a_later_version_added_is_ignored(path: Path) -> None:
    def changed(said: dict[str, Any]) -> dict[str, Any]:
        said["document"]["cases"][0]["result"]["novelty"] = said["novelty"] = [1]
        return said

    edit(path, changed)
    assert len(read_session(path).cases) == 1


@needs_fork
def test_a_full_disk_and_a_folder_that_takes_no_files_leave_the_old_session(
    path: Path, case: Case, tmp_path: Path
) -> None:
    before = path.read_bytes()
    child = os.fork()
    if child == 0:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (60, 60))
        try:
            save_session([replace(case, findings=type(case.findings)())], path)
        except D24fadError as error:
            os._exit(3 if error.code is Code.CANNOT_WRITE else 4)
        os._exit(5)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    (tmp_path / "file").write_text("")
    with pytest.raises(D24fadError, match="X01"):
        save_session([case], tmp_path / "file" / "session")


def test_marks_without_a_case_and_scans_in_no_file_are_kept(path: Path, case: Case) -> None:
    normal = case.request.references
    save_session([], path, marked=Marked(normal[:1], normal[2:]))
    session = read_session(path)
    assert [study.mark for study in session.studies] == ["normal", "abnormal"]
    assert len(session.marked.normal) == len(session.marked.abnormal) == 1
    opened = open_scans(session)
    assert opened.problems == ()
    assert opened.marked.normal[0].label == normal[0].label


@pytest.mark.parametrize(
    "name", ["a localizer inside the series", "mosaics of three times", "one slice with an empty position"]
)
def test_series_of_dicom_are_found_as_they_were_split(tmp_path: Path, name: str) -> None:
    next(case for case in CASES if case.name == name).write(tmp_path / "scans")
    found = [each.remedy or each for each in open_study(tmp_path / "scans").series]
    usable = tuple(each for each in found if each.refusal is None)
    assert len(usable) > 1
    save_session([], tmp_path / "day", marked=Marked(usable))
    opened = open_scans(read_session(tmp_path / "day"))
    assert opened.problems == ()
    assert [each.fingerprint() for each in opened.marked.normal] == [each.fingerprint() for each in usable]


def test_equal_sessions_make_equal_files(path: Path, case: Case) -> None:
    before = path.read_bytes()
    save_session([case], path)
    assert path.read_bytes() == before


def test_a_session_that_nobody_asked_for_is_private(path: Path, case: Case) -> None:
    save_session([case], path, private=True)
    if os.name == "posix":
        assert path.stat().st_mode & 0o077 == 0
