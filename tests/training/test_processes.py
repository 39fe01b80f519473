import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from napari_d24fad.errors import ArgumentError
from napari_d24fad.network.checkpoint import load_model
from napari_d24fad.training.processes import SingleProcess, is_main_process, join_processes

REPOSITORY = Path(__file__).resolve().parents[2]


def test_two_processes_train_together_and_resume_exactly(tmp_path: Path) -> None:
    pytest.importorskip("accelerate", reason="accelerate is not installed")
    done = subprocess.run(
        [
            *[sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"],
            *["-m", "tests.training.several_processes", str(tmp_path)],
        ],
        cwd=REPOSITORY,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    curves = json.loads(done.stdout)
    assert len(curves["whole"]) == 5
    assert curves["broken"] == curves["whole"]
    models = [load_model(tmp_path / f"{name}.safetensors") for name in ("whole", "broken")]
    assert models[0].sha256 == models[1].sha256


def test_one_process_needs_no_launcher_and_no_accelerate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "accelerate", None)
    processes = join_processes("cpu")
    assert isinstance(processes, SingleProcess)
    assert (processes.count, processes.rank, processes.device) == (1, 0, torch.device("cpu"))
    assert is_main_process()
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    assert not is_main_process()
    with pytest.raises(ArgumentError, match="accelerate"):
        join_processes("cpu")
