"""Devices that are not there, or fail while they compute. What CUDA would raise is raised here on the CPU."""

from __future__ import annotations

import pytest
import torch

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.encoding.devices import available_devices, choose_device, device_faults
from napari_d24fad.errors import Code, D24fadError, ModelError
from tests.detection.subjects import head, random_model

LOST = "CUDA error: an illegal memory access was encountered"


class Failing(torch.nn.Module):
    """A teacher whose device fails."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def forward(self, images: torch.Tensor) -> None:
        raise self.error


def encode_on(error: Exception) -> None:
    detector = Detector(random_model(), "cpu", precision="exact")
    detector.network.teacher = Failing(error)  # type: ignore[assignment]  # stands in for a device
    with device_faults():
        detector.encode_scan(head(0))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RuntimeError(LOST), Code.DEVICE_LOST),
        (getattr(torch, "AcceleratorError", RuntimeError)(LOST), Code.DEVICE_LOST),
        (torch.OutOfMemoryError(), Code.OUT_OF_MEMORY),
    ],
)
def test_a_device_that_fails_is_told_with_its_code(error: Exception, code: Code) -> None:
    with pytest.raises(ModelError) as refused:
        encode_on(error)
    assert refused.value.code is code


def test_other_errors_are_not_taken_for_a_lost_device() -> None:
    with pytest.raises(RuntimeError, match="shapes"):
        encode_on(RuntimeError("shapes do not match"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_cuda_the_cpu_is_taken_and_cuda_refused() -> None:
    assert [device.name for device in available_devices()] == ["cpu"]
    assert choose_device("auto") == torch.device("cpu")
    for name in ("cuda", "cuda:1", "tpu"):
        with pytest.raises(D24fadError) as refused:
            choose_device(name)
        assert refused.value.code is Code.DEVICE_UNAVAILABLE
