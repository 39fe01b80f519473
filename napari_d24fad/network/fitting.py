"""Whether weights of others are those of a teacher: every name and shape, told before they are installed."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from napari_d24fad.errors import Code, ModelError
from napari_d24fad.network.teachers.architecture import TEACHERS, teacher_spec
from napari_d24fad.network.teachers.build import build_teacher
from napari_d24fad.network.teachers.naming import own_names
from napari_d24fad.network.tensors import Tensors

_COUNTER = "num_batches_tracked"
Shapes = dict[str, tuple[int, ...]]


def fitted(weights: Tensors, teacher: str) -> Tensors:
    """Renames published weights to a teacher's names, and refuses those that are not this teacher's.

    Args:
        weights: As published, under any of the names that `own_names` knows.
        teacher: What they are to be for.

    Returns:
        All of the teacher's weights and no others, float32.

    Raises:
        ModelError: TEACHER_MISMATCH if they are another teacher's, MODEL_MISMATCH if they are nobody's.
    """
    found = own_names(weights, teacher_spec(teacher).architecture)
    wanted = shapes_of(teacher)
    own = {name: tuple(tensor.shape) for name, tensor in found.items()}
    if own == wanted:
        if not all(tensor.is_floating_point() for tensor in found.values()):
            raise ModelError(Code.MODEL_MISMATCH, "Weights are not floating-point numbers.")
        return {name: tensor.float().contiguous() for name, tensor in found.items()}
    others = [name for name in TEACHERS if name != teacher and _fits(weights, name)]
    if others:
        detail = f"They have the names and shapes of {' or '.join(others)}, not of {teacher}."
        raise ModelError(Code.TEACHER_MISMATCH, detail)
    raise ModelError(Code.MODEL_MISMATCH, difference(own, wanted))


def shapes_of(teacher: str) -> Shapes:
    """Returns the shape of each of a teacher's weights by name, without BatchNorm's counters."""
    with torch.device("meta"):
        state = build_teacher(teacher).state_dict()
    return {name: tuple(tensor.shape) for name, tensor in state.items() if not name.endswith(_COUNTER)}


def difference(found: Mapping[str, tuple[int, ...]], wanted: Mapping[str, tuple[int, ...]]) -> str:
    """Says how weights differ from those wanted, without the names, which are the file's."""
    wrong = sum(found.get(name) != shape for name, shape in wanted.items())
    extra = len(found.keys() - wanted.keys())
    return f"{wrong} of {len(wanted)} weights are missing or of another shape, {extra} are unknown."


def _fits(weights: Tensors, teacher: str) -> bool:
    found = own_names(weights, teacher_spec(teacher).architecture)
    return {name: tuple(tensor.shape) for name, tensor in found.items()} == shapes_of(teacher)
