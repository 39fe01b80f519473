"""Teachers of the published kinds that take no time: 4 blocks of 64 channels, trained on 5 x 5 places."""

from __future__ import annotations

import pytest

from napari_d24fad.network.teachers.architecture import TEACHERS, Architecture, TeacherSpec, Transformer


def make_teachers_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts small networks under some of the published names."""
    residual = Architecture("bottleneck", (1, 2, 1, 1), width=8)
    small = {"radimagenet_resnet50": TeacherSpec(residual, (0.5,) * 3, (0.5,) * 3)}
    for name in ("dinov2_vits14", "dinov2_vits14_reg4", "rad_dino"):
        known = TEACHERS[name]
        registers = 4 if name.endswith("reg4") else 0
        width = 96 if name == "rad_dino" else 64
        arch = Transformer(width, 4, registers, depth=4, scales=(1, 2, 3), grid=5)
        small[name] = TeacherSpec(arch, known.mean, known.deviation, input_size=84)
    for name, spec in small.items():
        monkeypatch.setitem(TEACHERS, name, spec)
