"""The command among others: Ctrl-C, a background job, and a pipe that is closed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nibabel
import numpy as np
import pytest

from napari_d24fad.cli import demo
from tests.cli.conftest import environment, write_nifti


@pytest.mark.skipif(os.name == "nt", reason="no POSIX signals")
def test_ctrl_c_ends_with_130_and_leaves_nothing(tmp_path: Path, scans: Path, model: Path) -> None:
    voxels = nibabel.load(scans / "query.nii.gz").get_fdata().T
    write_nifti(tmp_path / "large.nii.gz", np.repeat(voxels, 30, axis=0))  # long enough to be stopped
    words = ["detect", "large.nii.gz", "--reference", str(scans / "normal"), "--model", str(model)]
    # The tests may run as a background job, where the shell has Ctrl-C ignored, also by what they start.
    listening = "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    listening += "runpy.run_module('napari_d24fad', run_name='__main__', alter_sys=True)"
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", "-c", listening, *words],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    # The list of imports tells when the detection begins.
    for line in process.stderr:
        if line.endswith("napari_d24fad.detection.detector\n"):
            break
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 130, errors
    assert errors.splitlines()[-1] == "Cancelled."
    assert "Traceback" not in errors
    assert output == ""
    assert [path.name for path in tmp_path.iterdir()] == ["large.nii.gz"]


@pytest.mark.parametrize("ignored", [True, False])
def test_a_background_job_that_is_to_ignore_ctrl_c_does(ignored: bool) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN if ignored else signal.default_int_handler)
    try:
        demo._at_ctrl_c(demo._leave)
        expected = signal.SIG_IGN if ignored else demo._leave
        assert signal.getsignal(signal.SIGINT) is expected
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(os.name == "nt", reason="no POSIX pipes")
def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path, scans: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "napari_d24fad", "inspect", str(scans)],
        env=environment(),
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")
