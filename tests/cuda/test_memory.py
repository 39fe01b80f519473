"""Memory of a graphics card: what does not fit is halved or spilled, and all of it is given back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.encoding import store
from napari_d24fad.detection.encoding.devices import upload
from napari_d24fad.evaluation.measure import EncodedTask
from napari_d24fad.progress import CancelToken, silent
from napari_d24fad.session.request import Request
from napari_d24fad.session.session import DetectionSession
from napari_d24fad.studies.study import open_study
from tests.detection.subjects import head, random_model
from tests.evaluation.test_measure import write_task
from tests.heads import write_study

LARGE = (40, 40, 36)


@pytest.fixture
def cap(gpu: torch.device) -> Iterator[object]:
    """Lets this process have so many bytes more than it holds now."""

    def more(count: int) -> None:
        torch.cuda.empty_cache()
        total = torch.cuda.get_device_properties(gpu).total_memory
        torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + count) / total)

    yield more
    torch.cuda.set_per_process_memory_fraction(1.0)


def test_batches_halve_where_the_card_is_full(gpu: torch.device, cap) -> None:
    detector = Detector(random_model(input_size=512), "cuda")
    held = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    expected = detector.encode_scan(head(0, grid=LARGE))
    whole = detector._batch
    peak = torch.cuda.max_memory_allocated() - held
    kept = [feature.cpu() for feature in expected.encoded.features]
    del expected
    cap(peak // 2)
    found = detector.encode_scan(head(0, grid=LARGE))
    assert detector._batch < whole
    for one, other in zip(found.encoded.features, kept, strict=True):
        scale = float(other.float().abs().mean())
        assert float((one.cpu().float() - other.float()).abs().mean()) < 2e-2 * scale


@pytest.mark.usefixtures("gpu")
def test_features_past_the_budget_leave_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    detector = Detector(random_model(), "cuda")
    scans, query = [head(n) for n in range(3)], head(4)
    expected = detector.detect(query, detector.encode(scans))
    monkeypatch.setattr(store, "MEMORY_BUDGET", 0)
    encoded = detector.encode_scan(query)
    assert {feature.device.type for feature in encoded.encoded.features} == {"cpu"}
    found = detector.examine(encoded, detector.encode(scans))
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-2)


@pytest.mark.usefixtures("gpu")
def test_an_evaluation_keeps_no_scan_on_the_card(tmp_path: Path) -> None:
    detector = Detector(random_model(), "cuda")
    task = write_task(tmp_path, 48)
    held = torch.cuda.memory_allocated()
    encoded = EncodedTask(detector, task, silent, CancelToken())
    every = [feature for scan in encoded.scans for feature in scan.encoded.features]
    assert {feature.device.type for feature in every} == {"cpu"}
    assert torch.cuda.memory_allocated() - held < sum(feature.nbytes for feature in every) / len(task.scans)


@pytest.mark.usefixtures("gpu")
def test_memory_comes_back_when_a_session_lets_go(tmp_path: Path) -> None:
    folder = write_study(tmp_path, slices=slice(4, 7))
    query, *references = (
        open_study(folder / name).series[0] for name in ("query", "reference-1", "reference-2")
    )
    before = torch.cuda.memory_allocated(), torch.cuda.memory_reserved()
    session = DetectionSession()
    examination = session.run(Request(query, tuple(references), "compact", "cuda"), silent, CancelToken())
    assert examination.anomaly.device.startswith("cuda:0 (")
    assert torch.cuda.memory_allocated() > before[0]
    session.release()
    assert torch.cuda.memory_allocated() <= before[0] + 2**20
    assert torch.cuda.memory_reserved() <= before[1] + 2**25  # what cuBLAS and cuDNN keep to work in


def test_uploads(gpu: torch.device) -> None:
    tensor = torch.rand(4, 5, 6, 7).to(memory_format=torch.channels_last)
    there = upload(tensor, gpu)
    assert there.stride() == tensor.stride()
    assert torch.equal(there.cpu(), tensor)
    again = upload(there, gpu)
    assert again.data_ptr() == there.data_ptr()
