"""What the card says that examinations depend on."""

from pathlib import Path

import pytest

from napari_d24fad.training.description import first_card
from napari_d24fad.training.options import TrainingOptions
from napari_d24fad.training.recipe import Recipe


@pytest.mark.parametrize("teacher", ["compact", "resnet18", "wide_resnet50_2"])
def test_only_the_published_recipe_shows_an_imagenet_teacher_what_it_was_not_trained_on(teacher: str) -> None:
    out = Path("mine.safetensors")
    ours = first_card(Recipe(None, teacher), out, (), ())
    published = first_card(Recipe(None, teacher, training=TrainingOptions.published()), out, (), ())
    assert ours.normalise
    assert published.normalise == (teacher == "compact")
