"""Teachers without a student as models: their features are matched, nothing was trained for it."""

from __future__ import annotations

from napari_d24fad.network.card import DataSource, ModelCard
from napari_d24fad.network.teacher_weights import installed_sha256
from napari_d24fad.network.teachers.architecture import teacher_spec
from napari_d24fad.network.teachers.catalogue import CATALOGUE, PublishedWeights

NAMES = tuple(entry.teacher for entry in CATALOGUE)
"""What such models are asked for by: the names of the teachers."""


def installed_teachers() -> tuple[ModelCard, ...]:
    """Returns a card of each teacher whose weights are installed."""
    known = ((entry, installed_sha256(entry.teacher)) for entry in CATALOGUE)
    return tuple(_card(entry, sha256) for entry, sha256 in known if sha256 is not None)


def teacher_card(name: str) -> ModelCard | None:
    """Returns the card of a teacher whose weights are installed; None otherwise."""
    return next((card for card in installed_teachers() if card.name == name), None)


def _card(published: PublishedWeights, sha256: str) -> ModelCard:
    name = published.teacher
    return ModelCard(
        name=name,
        title=f"{published.title} alone, without a student",
        teacher=name,
        teacher_weights="published" if published.asks else "imagenet",
        normalise=True,
        input_size=teacher_spec(name).input_size,
        scoring="matched",
        data=(DataSource(published.data, "as its publisher states", "training of the teacher"),),
        recipe=(f"d24fad models {'download' if published.file else 'import'}",),
        date="",
        figures=(),
        licence=published.licence,
        notes=f"How good it is was not measured here; d24fad evaluate DATA --model {name} measures it.",
        sha256=sha256,
        intended_use="Research use only.",
    )
