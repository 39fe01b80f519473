"""Devices that are not there, or fail while they compute. What CUDA would raise is raised here on the CPU."""

from __future__ import annotations

import pytest
import torch

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.encoding.devices import (
    available_devices,
    choose_device,
    device_faults,
    passed_over,
    upload,
)
from napari_d24fad.errors import Code, D24fadError, ModelError
from tests.detection.subjects import head, random_model

LOST = "CUDA error: an illegal memory access was encountered"
Accelerator = getattr(torch, "AcceleratorError", RuntimeError)
NO_MEMORY = (
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    Accelerator("CUDA error: out of memory"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: not enough memory: you tried to"),
)
"""What torch raises, by its sources, where memory is short."""


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
        (Accelerator(LOST), Code.DEVICE_LOST),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), Code.DEVICE_LOST),
        *((error, Code.OUT_OF_MEMORY) for error in NO_MEMORY),
    ],
)
def test_a_device_that_fails_is_told_with_its_code(error: Exception, code: Code) -> None:
    with pytest.raises(ModelError) as refused:
        encode_on(error)
    assert refused.value.code is code


@pytest.mark.parametrize("error", NO_MEMORY, ids=str)
def test_batches_halve_whatever_was_short_of_memory(error: RuntimeError) -> None:
    plain = Detector(random_model(), "cpu", precision="exact")
    teacher = plain.network.teacher
    batches: list[int] = []

    class Short(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> object:
            batches.append(len(images))
            if len(images) > 1:
                raise error
            return teacher(images)

    plain.network.teacher = Short()  # type: ignore[assignment]  # stands in for a small device
    with device_faults():
        found = plain.encode_scan(head(0))
    assert batches[:3] == [4, 2, 1]
    assert len(found.encoded.features[0]) == len(found.indices)


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


class Gpus:
    """What torch tells of graphics cards that are not there.

    Args:
        built: Architectures that this torch was built for.
        capabilities: Of each card.
    """

    def __init__(self, patch: pytest.MonkeyPatch, built: list[str], *capabilities: tuple[int, int]) -> None:
        for name, answer in {
            "is_available": lambda: True,
            "device_count": lambda: len(capabilities),
            "get_arch_list": lambda: built,
            "get_device_capability": lambda index: capabilities[index],
            "get_device_name": lambda index: f"Card {index}",
        }.items():
            patch.setattr(torch.cuda, name, answer)


@pytest.mark.parametrize(
    ("built", "capability", "runs"),
    [
        (["sm_80", "sm_90", "compute_90"], (9, 0), True),
        (["sm_80", "sm_90"], (8, 6), True),  # the same major version, and later
        (["sm_86"], (8, 0), False),  # and not earlier
        (["sm_80", "sm_90"], (7, 5), False),
        (["sm_80", "sm_90"], (12, 0), False),
        (["sm_80", "compute_90"], (12, 0), True),  # the driver translates
        (["sm_80", "compute_90"], (7, 5), False),
        (["sm_90a"], (9, 0), True),
        (["sm_100a"], (10, 3), False),
        (["sm_100f"], (10, 3), True),
        (["sm_120"], (12, 0), True),
        (["gfx942"], (9, 4), False),
        ([], (9, 0), True),  # torch does not tell
    ],
)
def test_a_card_is_taken_if_this_torch_has_programs_for_it(
    monkeypatch: pytest.MonkeyPatch, built: list[str], capability: tuple[int, int], runs: bool
) -> None:
    Gpus(monkeypatch, built, capability)
    assert choose_device("auto") == torch.device("cuda:0" if runs else "cpu")
    assert [device.name for device in available_devices()] == (["cuda:0"] if runs else []) + ["cpu"]
    assert (passed_over("auto") is None) == runs
    assert passed_over("cpu") is None
    if not runs:
        with pytest.raises(ModelError) as refused:
            choose_device("cuda")
        assert refused.value.code is Code.DEVICE_UNAVAILABLE
        assert refused.value.detail.startswith("Card 0 has compute capability")


def test_the_next_card_is_taken_where_the_first_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    Gpus(monkeypatch, ["sm_80"], (6, 1), (8, 9))
    assert choose_device("auto") == torch.device("cuda:1")
    assert passed_over("auto") is None


def test_a_result_tells_once_why_the_card_was_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        Gpus(patch, ["sm_80"], (6, 1))
        detector = Detector(random_model(), "auto")
    references = detector.encode([head(n) for n in range(1, 4)])
    told = [detector.detect(head(4 + n), references).warnings for n in range(2)]
    codes = [[problem.code for problem in problems].count(Code.GPU_UNSUPPORTED) for problems in told]
    assert codes == [1, 0]
    assert "6.1" in next(str(each) for each in told[0] if each.code is Code.GPU_UNSUPPORTED)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_uploads_to_cuda_are_page_locked_and_wait_for_nothing() -> None:
    asked: list[object] = []

    class Watched(torch.Tensor):
        def pin_memory(self) -> Watched:  # type: ignore[override]  # without a device
            asked.append("pinned")
            return self

        def to(self, device: torch.device, *, non_blocking: bool = False) -> Watched:  # type: ignore[override]  # as it is called
            asked.append((device.type, non_blocking))
            return self

    tensor = torch.zeros(2).as_subclass(Watched)
    upload(tensor, torch.device("cuda"))
    assert asked == ["pinned", ("cuda", True)]
    assert upload(torch.ones(2), torch.device("cpu")).tolist() == [1, 1]
    assert upload(torch.ones(2), None).tolist() == [1, 1]
