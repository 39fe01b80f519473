"""The network computes what the paper's published implementation computes, number for number."""

import zlib
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_d24fad.network.d24fad import build_network
from napari_d24fad.network.losses import distance_loss, distance_maps
from napari_d24fad.network.weighting import combine

VECTORS = Path(__file__).parent / "data" / "d24fad_vectors.npz"
ATOL = 1e-4


def fill(module: torch.nn.Module, prefix: str) -> None:
    """Gives every tensor the deterministic values that the vectors were computed with."""
    state = module.state_dict()
    for name, tensor in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        r = np.random.default_rng(zlib.crc32(f"{prefix}.{name}".encode()))
        shape = tuple(tensor.shape)
        if name.endswith("running_var"):
            values = 0.5 + r.random(shape)
        elif name.endswith("running_mean"):
            values = 0.1 * r.standard_normal(shape)
        elif tensor.ndim == 4:
            c = 0.1 if prefix == "weight" else 1.0
            values = r.standard_normal(shape) * np.sqrt(c / np.prod(shape[1:]))
        elif name.endswith(".bias"):
            values = 0.05 * r.standard_normal(shape)
        else:
            values = 0.8 + 0.4 * r.random(shape)
        state[name] = torch.from_numpy(np.asarray(values, dtype=np.float32))
    module.load_state_dict(state)


@pytest.mark.parametrize("name", ["resnet18", "wide_resnet50_2"])
@torch.inference_mode()
def test_every_published_array(name: str) -> None:
    with np.load(VECTORS) as archive:
        vectors = dict(archive)
    query = torch.from_numpy(vectors["query"].astype(np.float32))
    support = torch.from_numpy(vectors["support"].astype(np.float32))
    network = build_network(name)
    fill(network.teacher, "encoder")
    fill(network.student, "decoder")
    fill(network.weighting, "weight")

    teacher = network.teacher(query)
    student = network.student(teacher.embedding)
    supports = network.student(network.teacher(support).embedding)
    projected = network.weighting.project(supports)
    logits = [network.weighting.logits(q, p) for q, p in zip(student, projected, strict=True)]
    weights = [scale.softmax(dim=1) for scale in logits]
    weighted = [combine(w, s) for w, s in zip(weights, supports, strict=True)]

    computed = {
        "ssd_map": distance_maps(student, weighted, 128).sum(dim=1)[:, ::2, ::2],
        "tsd_map": distance_maps(teacher.scales, student, 128).sum(dim=1)[:, ::2, ::2],
        "ssd_loss": distance_loss(student, weighted),
        "tsd_loss": distance_loss(teacher.scales, student),
    }
    for scale in range(3):
        for key, features in (("teacher", teacher.scales), ("student", student), ("weighted", weighted)):
            computed[f"{key}{scale}"] = features[scale][:, ::8, ::4, ::4]
        computed[f"logits{scale}"] = logits[scale]
        computed[f"weights{scale}"] = weights[scale]

    expected = {key.split("/")[1]: value for key, value in vectors.items() if key.startswith(f"{name}/")}
    assert computed.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_allclose(computed[key].numpy(), value, atol=ATOL, rtol=0, err_msg=key)
