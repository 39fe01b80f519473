from __future__ import annotations

import pytest
import torch

from napari_d24fad.benchmark.images import ENGINE, FLOOR, PUBLISHED, measure_images, published_maps
from napari_d24fad.benchmark.operations import operations
from napari_d24fad.detection.references.null import smooth
from napari_d24fad.network.d24fad import D24FAD, build_network
from napari_d24fad.network.losses import distance_maps
from napari_d24fad.progress import CancelToken, silent
from tests.detection.subjects import random_model


@pytest.fixture(scope="module")
def network() -> D24FAD:
    return random_model().network


@torch.inference_mode()
def test_published_loop_is_the_papers_formula(network: D24FAD) -> None:
    """w = softmax_k(<z_q, phi(z_k)> / sqrt(C)), written out for one query and one scale after the other."""
    images = torch.rand(5, 3, 64, 64, generator=torch.Generator().manual_seed(3))
    maps = published_maps(network, images[:2], images[2:])
    features = network.student(network.teacher(images).embedding)
    for query in range(2):
        weighted = []
        for scale, feature in enumerate(features, start=1):
            phi = network.weighting.get_submodule(f"proj_in{scale}")(feature[2:])
            products = (feature[query].double() * phi.double()).sum(dim=(1, 2, 3))
            weights = (products / feature.shape[1] ** 0.5).softmax(dim=0).float()
            weighted.append((weights[:, None, None, None] * feature[2:]).sum(dim=0, keepdim=True))
        own = [feature[query : query + 1] for feature in features]
        expected = smooth(distance_maps(own, weighted, 64).sum(dim=1), 4 / 128)
        torch.testing.assert_close(maps[query : query + 1], expected, atol=1e-4, rtol=0)


def test_every_way_is_measured_and_the_engine_agrees(network: D24FAD) -> None:
    measured = measure_images(network, 64, (2, 3), 1, torch.device("cpu"), silent, CancelToken())
    ways = {(each.name, each.precision, each.shots) for each in measured}
    assert ways == {
        *((PUBLISHED, "exact", shots) for shots in (2, 3)),
        *((FLOOR, precision, 0) for precision in ("exact", "float32", "bfloat16")),
        *((ENGINE, p, shots) for p in ("exact", "float32", "bfloat16") for shots in (2, 3)),
    }
    assert all(each.seconds > 0 for each in measured)
    for each in measured:
        assert (each.first is None) == (each.name == FLOOR)
        if each.name == ENGINE and each.precision != "bfloat16":
            assert each.difference is not None
            assert each.difference < 1e-4
            assert each.same_order


def test_the_loop_encodes_k_times_batch_and_the_engine_each_image_once(
    network: D24FAD, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts, not seconds: what the ratio of the two comes from."""
    counted: dict[str, int] = {"images": 0}
    encode = network.teacher.forward

    def counting(images: torch.Tensor):
        counted["images"] += len(images)
        return encode(images)

    monkeypatch.setattr(network.teacher, "forward", counting)
    published_maps(network, torch.rand(4, 3, 64, 64), torch.rand(3, 3, 64, 64))
    assert counted["images"] == 4 + 3 * 4


def test_operations_are_those_of_the_literature() -> None:
    """13.0 GFLOP for WideResNet-50-2 and 1.96 for ResNet-18 with their students at 128 px."""
    for teacher, gflop in (("resnet18", 1.96), ("wide_resnet50_2", 13.0)):
        assert operations(build_network(teacher), 128) / 1e9 == pytest.approx(gflop, rel=0.01)
