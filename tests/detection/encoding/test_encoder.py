from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_d24fad.detection.detector import Detector
from napari_d24fad.errors import Code, D24fadError
from napari_d24fad.network.rounding import rounding
from tests.detection.subjects import head, random_model


@pytest.mark.parametrize("scoring", ["paper", "matched"])
def test_precisions_agree(scoring: str) -> None:
    exact = Detector(random_model(), "cpu", scoring, precision="exact").encode_scan(head(0))
    for precision, tolerance in (("float32", 1e-3), ("bfloat16", 0.1)):
        other = Detector(random_model(), "cpu", scoring, precision=precision).encode_scan(head(0))
        for expected, found in zip(exact.encoded.features, other.encoded.features, strict=True):
            scale = float(expected.float().abs().mean())
            assert float((found.float() - expected.float()).abs().mean()) < tolerance * scale


def test_precision_is_exact_where_the_paper_is_repeated() -> None:
    assert Detector(random_model(), "cpu", "paper").precision == "exact"
    assert Detector(random_model(), "cpu", "matched").precision == "float32"
    with pytest.raises(D24fadError) as refused:
        Detector(random_model(), "cpu", precision="int3")  # type: ignore[arg-type]  # what a user may type
    assert refused.value.code is Code.BAD_ARGUMENT


class Rounding(torch.nn.Module):
    """A teacher that notes how CUDA may round while it runs."""

    def __init__(self, teacher: torch.nn.Module) -> None:
        super().__init__()
        self.teacher = teacher
        self.rounding: list[str] = []

    def forward(self, images: torch.Tensor):
        self.rounding.append(rounding(torch.device("cuda")))
        return self.teacher(images)


def test_the_published_scoring_is_not_rounded_to_tf32() -> None:
    before = rounding(torch.device("cuda"))
    detector = Detector(random_model(), "cpu", "paper")
    teacher = Rounding(detector.network.teacher)
    detector.network.teacher = teacher  # type: ignore[assignment]  # watches
    detector.encode_scan(head(0))
    assert teacher.rounding
    assert not any("tf32" in each or "True" in each for each in teacher.rounding)
    assert rounding(torch.device("cuda")) == before


class OutOfMemory(torch.nn.Module):
    """A teacher for which more than so many images are too many."""

    def __init__(self, teacher: torch.nn.Module, most: int) -> None:
        super().__init__()
        self.teacher, self.most = teacher, most
        self.batches: list[int] = []

    def forward(self, images: torch.Tensor):
        self.batches.append(len(images))
        if len(images) > self.most:
            raise torch.OutOfMemoryError
        return self.teacher(images)


def test_batches_halve_where_memory_is_short() -> None:
    plain = Detector(random_model(), "cpu", precision="exact")
    expected = plain.encode_scan(head(0))
    short = Detector(random_model(), "cpu", precision="exact")
    teacher = OutOfMemory(short.network.teacher, most=1)
    short.network.teacher = teacher  # type: ignore[assignment]  # stands in for a small device
    found = short.encode_scan(head(0))
    assert teacher.batches[:4] == [4, 2, 1, 1]
    assert set(teacher.batches[4:]) == {2, 1}
    assert teacher.batches.count(4) == 1  # the size that failed is not tried again
    for one, other in zip(expected.encoded.features, found.encoded.features, strict=True):
        np.testing.assert_allclose(one.float(), other.float(), rtol=2e-3, atol=1e-3)
    teacher.most = 0
    with pytest.raises(D24fadError) as refused:
        short.encode_scan(head(1))
    assert refused.value.code is Code.OUT_OF_MEMORY


def test_mirror_images_are_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    detector = Detector(random_model(), "cpu")
    images = [detector.encode_scan(head(n, grid=(1, 40, 36))) for n in range(1, 4)]
    seen: list[int] = []
    encode = detector._fast.teacher.forward
    monkeypatch.setattr(
        detector._fast.teacher, "forward", lambda batch: seen.append(len(batch)) or encode(batch)
    )
    detector.reference_set(images)
    assert seen == [1, 1, 1]
    detector.reference_set(images[:2])
    assert seen == [1, 1, 1]


def test_references_let_their_pixels_go() -> None:
    detector = Detector(random_model(), "cpu")
    references = detector.encode([head(n) for n in range(1, 4)])
    for encoded in references.encoded:
        assert encoded.scan.voxels.strides == (0, 0, 0)
        assert len(encoded.scan.content_hash()) == 64
    # What the network saw stays, and copies are still found.
    seen = detector.inputs(references.encoded[0].prepared, [6])
    full = detector.inputs(detector.prepare(head(1)), [6])
    assert float((seen - full).abs().max()) < 0.5 / 255 / 0.22
    with pytest.raises(D24fadError) as refused:
        detector.detect(head(2), references)
    assert refused.value.code is Code.QUERY_IS_REFERENCE
