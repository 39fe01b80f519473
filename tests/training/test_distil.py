from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from napari_d24fad.errors import Cancelled, Code, ModelError
from napari_d24fad.network.teachers.build import build_residual
from napari_d24fad.network.teachers.residual import ResidualTeacher
from napari_d24fad.progress import CancelToken
from napari_d24fad.training.data.procedural import procedural_tasks
from napari_d24fad.training.data.views import Source
from napari_d24fad.training.distil import DistilOptions, distil, read_folded_teacher


def lively_teacher() -> ResidualTeacher:
    """A teacher whose BatchNorm statistics are not the identity."""
    torch.manual_seed(0)
    teacher = build_residual("resnet18")
    for module in teacher.modules():
        if isinstance(module, nn.BatchNorm2d):
            for values in (module.running_var, module.weight):
                assert values is not None
                values.uniform_(0.5, 1.5)
            assert module.running_mean is not None
            module.running_mean.normal_(0, 0.2)
            module.bias.normal_(0, 0.2)
    return teacher


def fold(teacher: ResidualTeacher) -> dict[str, np.ndarray]:
    """Folds BatchNorm by torch's own fusion, stages 1 to 3."""
    folded = {}
    modules = dict(teacher.named_modules())
    for name, module in modules.items():
        if not isinstance(module, nn.Conv2d) or name.startswith("layer4"):
            continue
        norm = f"{name[:-1]}1" if name.endswith("downsample.0") else name.replace("conv", "bn")
        fused = nn.utils.fuse_conv_bn_eval(module, modules[norm])  # type: ignore[type-var]  # a BatchNorm2d
        assert fused.bias is not None
        folded[f"{name}.weight"] = fused.weight.numpy()
        folded[f"{name}.bias"] = fused.bias.numpy()
    return folded


def test_folded_weights_compute_what_the_network_did(tmp_path: Path) -> None:
    teacher = lively_teacher()
    np.savez(tmp_path / "folded.npz", **fold(teacher))  # type: ignore[arg-type]  # numpy's stub
    read = read_folded_teacher(tmp_path / "folded.npz")
    images = torch.rand(2, 3, 64, 64)
    for ours, theirs in zip(read(images).scales, teacher(images).scales, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def test_damaged_and_foreign_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("not an archive")
    np.save(tmp_path / "array.npy", np.zeros(3))
    np.savez(tmp_path / "whole.npz", **{"conv1.weight": np.zeros(1000)})
    (tmp_path / "cut.npz").write_bytes((tmp_path / "whole.npz").read_bytes()[:3000])
    for name in ("text.npz", "array.npy", "cut.npz"):
        with pytest.raises(ModelError) as refusal:
            read_folded_teacher(tmp_path / name)
        assert refusal.value.code is Code.MODEL_CORRUPT
    incomplete = fold(lively_teacher())
    del incomplete["layer2.0.conv1.weight"]  # would stay random
    for arrays in ({"conv1.weight": np.zeros((2, 2))}, {"bias": np.zeros(3)}, {}, incomplete):
        np.savez(tmp_path / "other.npz", **arrays)  # type: ignore[arg-type]  # numpy's stub
        with pytest.raises(ModelError) as refusal:
            read_folded_teacher(tmp_path / "other.npz")
        assert refusal.value.code is Code.MODEL_MISMATCH


def test_the_small_teacher_comes_to_agree_with_the_large() -> None:
    losses: list[float] = []
    sources = [
        Source([image.float() / 255 for image in task.images], 24, (0.4, 1.0), 1, general=number == 0)
        for number, task in enumerate(procedural_tasks(2, 8, 96, seed=0))
    ]
    options = DistilOptions(steps=40, batch=16, side=64, rate=3e-3)
    small = distil(
        lively_teacher(),
        sources,
        options,
        lambda fraction, step: losses.append(float(step.split()[6].rstrip(","))) if "loss" in step else None,
    )
    assert len(losses) == 40
    assert sum(losses[-4:]) < 0.8 * sum(losses[:4])
    assert not small.training
    assert small(torch.rand(1, 3, 64, 64)).embedding.shape == (1, 256, 2, 2)
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        distil(lively_teacher(), sources, options, cancel=token)
