from __future__ import annotations

import pytest
import torch

from napari_d24fad.detection.scoring.matched import FOR_IMAGES
from napari_d24fad.detection.scoring.paper import PaperScoring
from napari_d24fad.errors import Code, ModelError
from napari_d24fad.network.d24fad import build_network
from napari_d24fad.network.inference import for_inference
from napari_d24fad.network.teachers.architecture import TEACHERS, TeacherSpec, Transformer

SMALL = Transformer(64, 4, depth=4, scales=(1, 2, 3), grid=5)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TEACHERS, "dinov2_vits14", TeacherSpec(SMALL, input_size=84))


@torch.inference_mode()
def test_it_re_creates_all_three_maps_with_their_signs() -> None:
    torch.manual_seed(0)
    network = build_network("dinov2_vits14")
    seen = network.teacher(torch.rand(2, 3, 84, 84))
    found = network.student(seen.embedding)
    assert [each.shape for each in found] == [each.shape for each in seen.scales] == [(2, 64, 6, 6)] * 3
    assert all((each < 0).any() for each in found)
    coarse, middle = network.student.coarser(seen.embedding)
    assert torch.equal(middle, found[1])
    assert torch.equal(coarse, found[2])


@torch.inference_mode()
def test_it_cannot_pass_everything_through() -> None:
    """All that it knows of a place goes through an eighth of the channels."""
    network = build_network("dinov2_vits14")
    student = network.student
    features = student.narrow(torch.randn(3, 64, 4, 4))
    assert features.shape == (3, 8, 4, 4)


@pytest.mark.parametrize("student", [True, False])
@pytest.mark.parametrize("name", ["dinov2_vits14", "resnet18"])
@torch.inference_mode()
def test_what_is_made_fast_computes_the_same(name: str, student: bool) -> None:
    torch.manual_seed(0)
    network = build_network(name, student=student)
    images = torch.rand(2, 3, 224, 224)
    expected = FOR_IMAGES.encode(network, images)
    fast = for_inference(network, "float32")
    found = FOR_IMAGES.encode(fast, images.contiguous(memory_format=torch.channels_last))
    assert len(found) == (6 if student else 2)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one.float(), other.float(), atol=5e-3, rtol=5e-3)


@torch.inference_mode()
def test_a_teacher_alone_keeps_what_it_would_keep_beside_a_student() -> None:
    torch.manual_seed(0)
    both = build_network("dinov2_vits14")
    alone = build_network("dinov2_vits14", student=False)
    alone.teacher.load_state_dict(both.teacher.state_dict())
    images = torch.rand(2, 3, 84, 84)
    kept = FOR_IMAGES.encode(both, images)
    assert all(map(torch.equal, FOR_IMAGES.encode(alone, images), kept[:2]))
    assert not alone.has_student
    assert {name.split(".")[0] for name in alone.state_dict()} == {"teacher"}


def test_the_published_scoring_needs_a_student() -> None:
    with pytest.raises(ModelError) as caught:
        PaperScoring().encode(build_network("dinov2_vits14", student=False), torch.rand(1, 3, 84, 84))
    assert caught.value.code is Code.NO_STUDENT
