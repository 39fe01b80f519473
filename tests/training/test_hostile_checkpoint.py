"""What a checkpoint of training says of itself may be anything; it is refused by code."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
import torch

from napari_d24fad.errors import Code, TrainingError
from napari_d24fad.training.processes import SingleProcess
from napari_d24fad.training.record import CHECKPOINT_SUFFIX, TrainingRecord


@pytest.mark.parametrize(
    "training",
    ["[" * 100_000, "[]", "7", '{"schema": 1}', "9" * 5000],
    ids=["deep", "a list", "a number", "a part", "long"],
)
def test_a_bad_checkpoint_is_refused(tmp_path: Path, training: str) -> None:
    out = tmp_path / "m.safetensors"
    tensor = {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}
    header = json.dumps({"a": tensor, "__metadata__": {"training": training}}).encode()
    content = struct.pack("<Q", len(header)) + header + bytes(16)
    out.with_suffix(CHECKPOINT_SUFFIX).write_bytes(content)
    with pytest.raises(TrainingError) as caught:
        TrainingRecord(out, {}, SingleProcess(torch.device("cpu"))).resume()
    assert caught.value.code is Code.CANNOT_RESUME
