"""A network as a model file and back: weights as safetensors, their card beside them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

from napari_d24fad.atomic import atomic_folder
from napari_d24fad.errors import Code, ModelError
from napari_d24fad.network.card import ModelCard
from napari_d24fad.network.d24fad import D24FAD, build_network
from napari_d24fad.network.files import sha256_of
from napari_d24fad.network.layout import Stored
from napari_d24fad.network.teacher_weights import installed_sha256, load_weights
from napari_d24fad.network.tensors import Tensors, read_tensors, write_tensors
from napari_d24fad.network.zoo import CARD_SUFFIX, WEIGHTS_SUFFIX, ModelFiles, find_model

# How many batches training saw: BatchNorm counts them, and nothing here reads the count.
_COUNTER = "num_batches_tracked"
_Kind = TypeVar("_Kind")


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model ready to examine slices.

    Attributes:
        card: What it is.
        network: In evaluation mode, float32, without gradients.
        sha256: SHA-256 of the safetensors file.
        teacher_sha256: Of the file of the teacher's weights where that is installed apart; else empty.
    """

    card: ModelCard
    network: D24FAD = field(repr=False)
    sha256: str
    teacher_sha256: str = ""


def load_model(name_or_path: str | Path, map_location: str | torch.device = "cpu") -> LoadedModel:
    """Loads a model after checking its file against its card.

    Args:
        name_or_path: See `zoo.find_model`.
        map_location: The device to put the network on.

    Raises:
        ModelError: MODEL_UNKNOWN, MODEL_CORRUPT, CHECKSUM_MISMATCH, MODEL_MISMATCH, WEIGHTS_MISSING
            if the published teacher weights are not installed, TEACHER_CHANGED if others are than
            those that the student was trained beside, DEVICE_UNAVAILABLE.
    """
    files = find_model(name_or_path)
    card, teacher_sha256 = files.card, ""
    state = read_checked(files)
    if card.teacher_weights != "embedded":
        if not files.is_teacher:
            state |= {f"teacher.{name}": tensor for name, tensor in load_weights(card.teacher).items()}
        teacher_sha256 = installed_sha256(card.teacher) or ""
        if card.teacher_sha256 not in ("", teacher_sha256):
            raise ModelError(Code.TEACHER_CHANGED, f"The teacher is {card.teacher}.")
    network = _assemble(card.teacher, state, student=not files.is_teacher)
    try:
        network = network.to(map_location)
    except (RuntimeError, AssertionError) as error:  # what torch raises depends on how it was built
        raise ModelError(Code.DEVICE_UNAVAILABLE) from error
    return LoadedModel(card, network, card.sha256, teacher_sha256)


def save_model(network: D24FAD, card: ModelCard, path: Path, *, half: bool = False) -> ModelCard:
    """Writes a network and its card as ``NAME.safetensors`` and ``NAME.json``.

    Args:
        network: Its teacher is stored only if the card says ``"embedded"``.
        card: ``name`` and ``sha256`` are replaced by what is written.
        path: The safetensors file to write.
        half: Whether convolution weights are stored as float16, to halve the file.

    Returns:
        The card as written.

    Raises:
        ModelError: MODEL_CORRUPT if the card breaks its format or a weight is not a finite
            number; MODEL_MISMATCH if the network is not what the card says.
        ExportError: CANNOT_WRITE.
    """
    parts = _stored_parts(card)
    state = {name: tensor for name, tensor in network.state_dict().items() if name.startswith(parts)}
    return save_state(state, card, path, half=half)


def save_state(state: Mapping[str, Tensor], card: ModelCard, path: Path, *, half: bool = False) -> ModelCard:
    """Writes named weights and their card; see `save_model`."""
    state = _without_counters(state)
    _expect_fit(state, card)
    if half:
        # Normalisation statistics stay float32: they are small, and a large variance overflows float16.
        state = {name: tensor.half() if tensor.ndim > 1 else tensor for name, tensor in state.items()}
    weights = path if path.suffix == WEIGHTS_SUFFIX else path.with_name(path.name + WEIGHTS_SUFFIX)
    card = dataclasses.replace(card, name=weights.stem, sha256="0" * 64)
    card.to_json()  # refuses a bad card before anything is written
    with atomic_folder(weights.parent) as new:
        write_tensors(state, new / weights.name)
        card = dataclasses.replace(card, sha256=sha256_of(new / weights.name))
        (new / weights.with_suffix(CARD_SUFFIX).name).write_text(card.to_json(), encoding="utf-8")
    return card


def read_checked(files: ModelFiles) -> Tensors:
    """Reads the weights of a model file that are its own.

    Returns:
        By state-dict name, without BatchNorm's counters; without the teacher if that is installed apart.

    Raises:
        ModelError: CHECKSUM_MISMATCH if the file is not the one its card describes; MODEL_CORRUPT;
            MODEL_MISMATCH if names or shapes are not those of the architecture.
    """
    if files.is_teacher:
        weights = load_weights(files.card.teacher)
        return {f"teacher.{name}": tensor for name, tensor in weights.items()}
    if sha256_of(files.weights) != files.card.sha256:
        raise ModelError(Code.CHECKSUM_MISMATCH)

    def check(layout: Mapping[str, Stored]) -> None:
        _expect_fit(_without_counters(layout), files.card)

    return _without_counters(read_tensors(files.weights, check))


def _without_counters(state: Mapping[str, _Kind]) -> dict[str, _Kind]:
    return {name: tensor for name, tensor in state.items() if not name.endswith(_COUNTER)}


def _stored_parts(card: ModelCard) -> tuple[str, ...]:
    own = ("student.", "weighting.")
    return ("teacher.", *own) if card.teacher_weights == "embedded" else own


def _empty_network(teacher: str, *, student: bool = True) -> D24FAD:
    """Builds a network without memory for its weights: names and shapes only."""
    with torch.device("meta"):
        return build_network(teacher, student=student)


def _expect_fit(state: Mapping[str, Tensor] | Mapping[str, Stored], card: ModelCard) -> None:
    parts = _stored_parts(card)
    shapes = {
        name: tuple(tensor.shape)
        for name, tensor in _empty_network(card.teacher).state_dict().items()
        if name.startswith(parts) and not name.endswith(_COUNTER)
    }
    found = {name: tuple(tensor.shape) for name, tensor in state.items()}
    if found != shapes:
        wrong = sum(found.get(name) != shape for name, shape in shapes.items())
        extra = len(found.keys() - shapes.keys())
        detail = f"{wrong} of {len(shapes)} weights are missing or of another shape, {extra} are unknown."
        raise ModelError(Code.MODEL_MISMATCH, detail)
    if not all(_is_floating(tensor) for tensor in state.values()):
        raise ModelError(Code.MODEL_MISMATCH, "Weights are not floating-point numbers.")


def _is_floating(tensor: Tensor | Stored) -> bool:
    return tensor.is_floating_point if isinstance(tensor, Stored) else tensor.is_floating_point()


def _assemble(teacher: str, state: Tensors, *, student: bool = True) -> D24FAD:
    network = _empty_network(teacher, student=student)
    counters = {name: torch.tensor(0) for name in network.state_dict() if name.endswith(_COUNTER)}
    try:
        network.load_state_dict({**state, **counters}, strict=True, assign=True)
    except RuntimeError as error:
        raise ModelError(Code.MODEL_MISMATCH, "The teacher's weights are of another architecture.") from error
    return network.eval().requires_grad_(False)
