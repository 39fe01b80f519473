"""What an archive was unpacked to stays as long as its series, and never longer."""

from __future__ import annotations

import gc
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - its usual name

from napari_d24fad.errors import Cancelled, Code, StudyError
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.files.scratch import ScratchFolder
from napari_d24fad.studies.study import open_study
from napari_d24fad.studies.volumes import summary
from tests.studies import phantom
from tests.studies.test_volumes import four_dimensional


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    files = phantom.write_series(tmp_path / "plain", phantom.slice_datasets(), name="Doe^Jane {}.dcm".format)
    path = tmp_path / "study.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in files:
            packed.write(file, f"Doe^Jane/{file.name}")
    return path


def test_files_stay_as_long_as_a_series_needs_them(temporary: Path, archive: Path) -> None:
    seen: list[float] = []
    study = open_study(archive, progress=lambda fraction, step: seen.append(fraction))
    assert seen == sorted(seen)
    assert seen[-1] == 1
    (folder,) = temporary.iterdir()
    assert folder.stat().st_mode & 0o077 == 0
    assert not [path for path in folder.rglob("*") if "Doe" in str(path)]
    (series,) = study.series
    del study
    phantom.assert_world_linear(series.load())
    del series
    gc.collect()
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("suffix", [".mhd", ".nhdr"])
def test_a_header_and_the_voxels_that_it_names(temporary: Path, tmp_path: Path, suffix: str) -> None:
    made = tmp_path / "made"
    made.mkdir()
    values = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    image = sitk.GetImageFromArray(values)
    image.SetOrigin((1.0, 2.0, 3.0))
    sitk.WriteImage(image, made / f"Doe Jane{suffix}")
    packed = tmp_path / "study.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(2):  # of one name in two folders
            for file in made.iterdir():
                archive.write(file, f"{number}/{file.name}")
    study = open_study(packed)
    assert study.problems == ()
    assert len(study.series) == 2
    for series in study.series:
        np.testing.assert_array_equal(series.load().voxels, values)
    assert not [path for path in temporary.rglob("*") if "Doe" in str(path)]


def test_voxels_that_are_not_in_the_archive_are_not_looked_for_elsewhere(
    temporary: Path, tmp_path: Path
) -> None:
    header = "NDims = 3\nDimSize = 5 4 3\nElementType = MET_SHORT\nElementDataFile = {}\n"
    packed = tmp_path / "study.zip"
    for number, name in enumerate(("voxels.raw", "../1/voxels.raw", "/etc/hostname")):
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("0/v.mhd", header.format(name))
            archive.writestr("1/voxels.raw", bytes(120))
        with pytest.raises(StudyError) as caught:
            open_study(packed)
        assert caught.value.code is Code.NO_IMAGES
        assert ("is not beside it" if number == 0 else "not in its own folder") in caught.value.detail


def test_weightings_beside_a_file(temporary: Path, tmp_path: Path) -> None:
    made = four_dimensional(tmp_path / "Doe Jane.nii.gz", 3)
    packed = tmp_path / "study.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(made, "a/Doe Jane.nii.gz")
        archive.writestr("a/Doe Jane.bval", "0 1000 2000")
    study = open_study(packed)
    assert summary(study.rows[0]) == "3 volumes: b = 0, 1000, 2000"
    assert study.problems == ()


def test_a_cancelled_unpacking_leaves_nothing(temporary: Path, archive: Path) -> None:
    cancel = CancelToken()
    with pytest.raises(Cancelled):
        open_study(archive, progress=lambda fraction, step: cancel.cancel(), cancel=cancel)
    assert list(temporary.iterdir()) == []


def test_a_full_disk_leaves_nothing(temporary: Path, archive: Path) -> None:
    resource = pytest.importorskip("resource", reason="only POSIX limits the size of files")
    code = "\n".join(
        [
            "import resource, signal, sys, tempfile",
            "from napari_d24fad.studies.study import open_study",
            "tempfile.tempdir = sys.argv[2]",
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)",
            f"resource.setrlimit(resource.RLIMIT_FSIZE, (500, {resource.RLIM_INFINITY}))",
            "open_study(sys.argv[1])",
        ]
    )
    process = subprocess.run(
        [sys.executable, "-c", code, archive, temporary], capture_output=True, text=True, check=False
    )
    assert "StudyError: X03" in process.stderr
    assert list(temporary.iterdir()) == []


def test_the_folder_of_a_killed_process_goes_with_the_next_start(temporary: Path) -> None:
    code = "\n".join(
        [
            "import os, signal, sys, tempfile",
            "tempfile.tempdir = sys.argv[1]",
            "from napari_d24fad.studies.files.scratch import ScratchFolder",
            "scratch = ScratchFolder()",
            "(scratch.path / 'pixels').write_bytes(bytes(99))",
            "os.kill(os.getpid(), signal.SIGKILL)",
        ]
    )
    mine = ScratchFolder()
    subprocess.run([sys.executable, "-c", code, temporary], check=False)
    assert len(list(temporary.iterdir())) == 2
    other = ScratchFolder()
    assert set(temporary.iterdir()) == {mine.path, other.path}
    mine.remove()
    other.remove()
    assert list(temporary.iterdir()) == []
