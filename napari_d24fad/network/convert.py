"""Makes a model file of a checkpoint published by the paper's authors."""

from __future__ import annotations

import datetime
from pathlib import Path

from napari_d24fad.errors import Code, ModelError
from napari_d24fad.network.card import ModelCard
from napari_d24fad.network.checkpoint import save_state
from napari_d24fad.network.files import sha256_of
from napari_d24fad.network.teachers.architecture import teacher_spec
from napari_d24fad.network.tensors import Tensors, named_tensors, read_pickled

_TEACHERS = ("resnet18", "wide_resnet50_2")
"""What checkpoints are published for; their channels differ."""

_PARTS = {"decoder": "student", "weight": "weighting"}
"""Published name of each state dict, and its name here. The names inside are the same."""


def convert(source: Path, target: Path) -> ModelCard:
    """Converts ``{"decoder": state_dict, "weight": state_dict}`` to safetensors and a card.

    Which teacher the checkpoint belongs to follows from the shapes of its weights. The result
    asks for the teacher's ImageNet weights, which published checkpoints do not hold, and feeds
    it as the published implementation does: 128 × 128, without ImageNet mean and deviation.

    Args:
        source: The ``.pth`` file; opened as data only, code inside is never run.
        target: The ``.safetensors`` file to write; its stem becomes the model's name.

    Returns:
        The card written beside it.

    Raises:
        ModelError: MODEL_CORRUPT if it is not such a checkpoint; MODEL_MISMATCH if its weights
            fit no teacher with published weights.
        ExportError: CANNOT_WRITE.
    """
    sha256 = sha256_of(source)
    content = read_pickled(source)
    if not content.keys() >= _PARTS.keys():
        raise ModelError(Code.MODEL_CORRUPT, "A published checkpoint holds a decoder and a weight part.")
    state = {
        f"{part}.{name}": tensor
        for published, part in _PARTS.items()
        for name, tensor in named_tensors(content[published]).items()
    }
    return save_state(state, _card(_teacher_of(state), sha256), target)


def _teacher_of(state: Tensors) -> str:
    """Tells the teacher by the channels of the scales, which the weighting keeps as they are."""
    names = [f"weighting.proj_in{scale}.weight" for scale in (1, 2, 3)]
    channels = tuple(state[name].shape[0] for name in names if name in state and state[name].ndim)
    for teacher in _TEACHERS:
        if channels == teacher_spec(teacher).architecture.channels:
            return teacher
    raise ModelError(Code.MODEL_MISMATCH, "Its weights fit none of the published architectures.")


def _card(teacher: str, source_sha256: str) -> ModelCard:
    return ModelCard(
        name="converted",
        title=f"Converted D2-4FAD checkpoint for {teacher}",
        teacher=teacher,
        teacher_weights="imagenet",
        normalise=False,
        input_size=128,
        scoring="paper",
        data=(),
        recipe=("d24fad models convert",),
        date=datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        figures=(),
        licence="As stated by the publisher of the checkpoint.",
        notes=f"SHA-256 of the checkpoint: {source_sha256}",
    )
