"""What the card of a newly trained model says of how it came about."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

from napari_d24fad.errors import ArgumentError, Code, ModelError
from napari_d24fad.network.card import DataSource, ModelCard, can_name_a_model
from napari_d24fad.network.teacher_weights import installed_sha256
from napari_d24fad.network.teachers.catalogue import published_for
from napari_d24fad.network.zoo import WEIGHTS_SUFFIX
from napari_d24fad.training.about import NOT_STATED
from napari_d24fad.training.data.tasks import Task
from napari_d24fad.training.recipe import Recipe
from napari_d24fad.training.selection import Selection

_LOOKED_AT = (
    DataSource(
        "17 photographs that scikit-image, scikit-learn and matplotlib install",
        "stated by those packages",
        "distillation",
    ),
    DataSource("36 procedural tasks of 12 images", "made by this program", "distillation"),
    DataSource(
        "ImageNet ResNet-18, stages 1 to 3, whose features the teacher was distilled from",
        "BSD-3-Clause (torchvision)",
        "distillation",
    ),
)
"""What every distillation looks at besides the tasks; see `distil_sources`."""

PROCEDURAL = "procedural "
"""What the name of a task begins with that was made, not read."""


def first_card(recipe: Recipe, out: Path, tasks: Sequence[Task], held_back: Sequence[Task]) -> ModelCard:
    """Makes the card before the training, so that one that cannot be written costs no hours.

    Args:
        recipe: What is trained, on what.
        out: The model file.
        tasks: What is trained on.
        held_back: What the weights are chosen by.

    Raises:
        ArgumentError: BAD_ARGUMENT if the file has a name that a model cannot have, or what the
            recipe says of the model does not fit a card.
    """
    about = recipe.about
    name = out.name.removesuffix(WEIGHTS_SUFFIX)
    if not can_name_a_model(name):
        detail = (
            "A model is named after its file: at most 64 letters, digits, dots, dashes and underscores, "
            "a letter or digit first and last."
        )
        raise ArgumentError(Code.BAD_ARGUMENT, detail)
    card = ModelCard(
        name=name,
        title=about.title or f"{recipe.teacher} student trained on {len(tasks)} tasks",
        teacher=recipe.teacher,
        teacher_weights=_origin(recipe.teacher),
        normalise=recipe.training.normalise or recipe.teacher == "compact",
        input_size=recipe.training.input_size,
        scoring="matched",
        data=_sources(recipe, tasks, held_back),
        recipe=(recipe.command,) if recipe.command else (),
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        figures=(),
        licence=about.licence,
        sha256="0" * 64,
        seeds=(recipe.training.seed,),
        intended_use=about.intended_use,
        confounds=about.confounds,
        failures=about.failures,
        # Others may be installed where it is used one day: their checksum is not always published.
        teacher_sha256=_weights_of(recipe.teacher),
    )
    try:
        card.to_json()
    except ModelError as error:
        raise ArgumentError(Code.BAD_ARGUMENT, error.detail) from error
    return card


def _origin(teacher: str) -> str:
    published = published_for(teacher)
    if published is None:
        return "embedded"
    return "published" if published.asks else "imagenet"


def _weights_of(teacher: str) -> str:
    return (installed_sha256(teacher) or "") if _origin(teacher) == "published" else ""


def selection_sentence(selection: Selection | None, held_back: Sequence[Task]) -> str:
    """Says what the weights were chosen by."""
    if selection is None or selection.best_review is None:
        return "None: the weights are those after the last step."
    step, auroc = selection.best_review
    return (
        f"Weights after step {step}, of {len(selection.reviews)} compared by image AUROC (here {auroc:.3f}) "
        f"on synthetic anomalies in normal images of {', '.join(task.name for task in held_back)}, "
        "which were not trained on."
    )


def _sources(recipe: Recipe, tasks: Sequence[Task], held_back: Sequence[Task]) -> tuple[DataSource, ...]:
    """Names what was looked at; the terms of images are their owner's to state."""
    use = "distillation and training" if recipe.distil_from else "training"
    terms = recipe.about.terms
    sources: list[DataSource] = []
    for group, doing in ((tasks, use), (held_back, "selection of weights")):
        sources += [
            DataSource(
                f"{task.name}: normal images ({len(task.images)})", terms.get(task.name, NOT_STATED), doing
            )
            for task in group
            if PROCEDURAL not in task.name
        ]
        if made := sum(PROCEDURAL in task.name for task in group):
            used = doing.removeprefix("distillation and ")  # distillation has its own, see _LOOKED_AT
            sources.append(DataSource(f"{made} procedural tasks", "made by this program", used))
    return tuple(sources) + (_LOOKED_AT if recipe.distil_from else ())
