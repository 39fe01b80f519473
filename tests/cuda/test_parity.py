"""A graphics card computes what the CPU computes, within what the order of sums and TF32 change."""

from __future__ import annotations

import os
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_d24fad.detection.detector import Detector
from napari_d24fad.network.d24fad import build_network
from napari_d24fad.network.rounding import rounding, whole_float32
from napari_d24fad.training import features, student
from napari_d24fad.training.data.procedural import procedural_tasks
from napari_d24fad.training.options import TrainingOptions
from tests.detection.subjects import head, random_model

EXACT, ROUNDED = 1e-3, 2e-2
"""Relative tolerances: of float32 sums in another order, and where TF32 or half precision come in."""


def close(found: np.ndarray, expected: np.ndarray, tolerance: float) -> None:
    scale = float(np.nanmean(np.abs(expected)))
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    assert float(np.nanmean(np.abs(found - expected))) < tolerance * scale
    assert float(np.nanmax(np.abs(found - expected))) < 10 * tolerance * float(np.nanmax(np.abs(expected)))


@pytest.mark.parametrize(("scoring", "tolerance"), [("paper", EXACT), ("matched", ROUNDED)])
def test_features(device: str, scoring: str, tolerance: float) -> None:
    expected = Detector(random_model(), "cpu", scoring).encode_scan(head(0)).encoded.features
    found = Detector(random_model(), device, scoring).encode_scan(head(0)).encoded.features
    for one, other in zip(found, expected, strict=True):
        assert one.device.type == device
        close(one.cpu().float().numpy(), other.float().numpy(), tolerance)


@pytest.mark.parametrize("is_volume", [True, False])
@pytest.mark.parametrize(("scoring", "tolerance"), [("paper", EXACT), ("matched", ROUNDED)])
def test_maps_and_scores(device: str, scoring: str, tolerance: float, is_volume: bool) -> None:
    grid = (12, 40, 36) if is_volume else (1, 40, 36)
    scans = [head(n, grid=grid) for n in range(4)]
    query = head(5, lesion=True, grid=grid)
    expected, found = (
        each.detect(query, each.encode(scans))
        for each in (Detector(random_model(), name, scoring) for name in ("cpu", device))
    )
    close(found.values, expected.values, tolerance)
    assert found.score == pytest.approx(expected.score, rel=10 * tolerance)
    assert found.p_value == expected.p_value
    close(found.reference_slice_scores, expected.reference_slice_scores, tolerance)


def test_training_steps(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In float32, since bfloat16 rounds otherwise on each device."""
    for module in (features, student):
        monkeypatch.setattr(module, "mixed_precision", lambda device: nullcontext())
    options = replace(TrainingOptions(steps=6), groups=2, queries=3, shots=2, side=64)
    tasks = procedural_tasks(2, 8, 72, seed=0)
    curves = []
    for name in ("cpu", device):
        torch.manual_seed(0)
        network = build_network("compact")
        with whole_float32():
            curves.append(
                student.train_student(network, tasks, options, normalise=True, device=torch.device(name))
            )
    assert len(curves[1]) == 6
    assert curves[1] == pytest.approx(curves[0], rel=1e-2)


def test_the_published_scoring_leaves_torchs_switches_as_they_were(device: str) -> None:
    before = rounding(torch.device("cuda")), os.environ.get("NVIDIA_TF32_OVERRIDE")
    detector = Detector(random_model(), device, "paper")
    detector.detect(head(5), detector.encode([head(n) for n in range(3)]))
    assert (rounding(torch.device("cuda")), os.environ.get("NVIDIA_TF32_OVERRIDE")) == before


def test_benchmark(device: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from napari_d24fad.cli import main

    arguments = ["--teacher", "compact", "--size", "64", "--shots", "2", "--repeats", "1", "--device", device]
    assert main(["benchmark", *arguments]) == 0
    assert device in capsys.readouterr().out
