"""Builds a teacher by name."""

from __future__ import annotations

from napari_d24fad.errors import Code, ModelError
from napari_d24fad.network.teachers.architecture import Architecture, teacher_spec
from napari_d24fad.network.teachers.residual import ResidualTeacher
from napari_d24fad.network.teachers.transformer import VisionTransformer


def build_residual(name: str) -> ResidualTeacher:
    """Builds a residual teacher; see `build_teacher`.

    Raises:
        ModelError: MODEL_MISMATCH for an unknown name, or that of another kind of network.
    """
    arch = teacher_spec(name).architecture
    if not isinstance(arch, Architecture):
        raise ModelError(Code.MODEL_MISMATCH, f"{name} is no residual network.")
    return ResidualTeacher(name, arch).eval().requires_grad_(False)


def build_teacher(name: str) -> ResidualTeacher | VisionTransformer:
    """Builds a teacher with random weights, in evaluation mode, without gradients.

    Args:
        name: A key of `architecture.TEACHERS`.

    Raises:
        ModelError: MODEL_MISMATCH for an unknown name.
    """
    arch = teacher_spec(name).architecture
    if isinstance(arch, Architecture):
        return build_residual(name)
    return VisionTransformer(name, arch).eval().requires_grad_(False)
