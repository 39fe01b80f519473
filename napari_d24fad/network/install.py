"""Takes a user's model file into the tool, or says what is wrong with one."""

from __future__ import annotations

import shutil
from pathlib import Path

from napari_d24fad.atomic import atomic_folder
from napari_d24fad.errors import ArgumentError, Code, ModelError
from napari_d24fad.network.card import ModelCard
from napari_d24fad.network.checkpoint import read_checked
from napari_d24fad.network.files import is_file
from napari_d24fad.network.teacher_weights import import_weights
from napari_d24fad.network.teachers.catalogue import CATALOGUE, PublishedWeights
from napari_d24fad.network.zoo import (
    CARD_SUFFIX,
    WEIGHTS_SUFFIX,
    ModelFiles,
    find_model,
    is_embedded,
    read_pair,
)
from napari_d24fad.settings import models_folder


def verify(name_or_path: str | Path) -> ModelCard:
    """Reads all of a model file: card, checksum, every weight's name, shape and value.

    Teacher weights that are installed apart are not part of the file and need not be there.

    Args:
        name_or_path: See `zoo.find_model`.

    Raises:
        ModelError: MODEL_UNKNOWN, MODEL_CORRUPT, CHECKSUM_MISMATCH or MODEL_MISMATCH.
    """
    files = find_model(name_or_path)
    read_checked(files)
    return files.card


def import_model(path: Path) -> ModelCard:
    """Copies a model into the user's models folder, under the name on its card.

    A model of the same name that was imported before is replaced.

    Args:
        path: Its safetensors file or its card; the other lies beside it.

    Raises:
        ArgumentError: BAD_ARGUMENT if an embedded model has this name.
        ModelError: As `verify`.
        ExportError: CANNOT_WRITE; then nothing was changed.
    """
    source = read_pair(path)
    card = source.card
    if is_embedded(card.name):
        raise ArgumentError(Code.BAD_ARGUMENT, "A model that comes with the tool has this name.")
    with atomic_folder(models_folder()) as new:
        weights = new / f"{card.name}{WEIGHTS_SUFFIX}"
        weights.with_suffix(CARD_SUFFIX).write_text(card.to_json(), encoding="utf-8")
        shutil.copyfile(source.weights, weights)
        read_checked(ModelFiles(card, weights))
    return card


def import_file(
    path: Path,
    teacher: str | None = None,
    *,
    accepted: bool = False,
    catalogue: tuple[PublishedWeights, ...] = CATALOGUE,
) -> str:
    """Imports whatever kind of file this is: a model, or a teacher's published weights.

    Args:
        path: The file.
        teacher: The teacher that published weights are for; see `teacher_weights.import_weights`.
        accepted: Whether their licence was accepted.
        catalogue: What is published.

    Returns:
        The name of the model or teacher.

    Raises:
        ArgumentError: See `import_model`.
        ModelError: See `import_model` and `teacher_weights.import_weights`.
    """
    if teacher is None and path.suffix in (WEIGHTS_SUFFIX, CARD_SUFFIX):
        return import_model(path).name
    if not is_file(path):
        raise ModelError(Code.MODEL_UNKNOWN, "There is no such file.")
    return import_weights(path, teacher, accepted=accepted, catalogue=catalogue)
