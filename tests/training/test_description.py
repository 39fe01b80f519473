"""What the card says that examinations depend on."""

from pathlib import Path

import pytest

from napari_d24fad.errors import ArgumentError
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


@pytest.mark.parametrize("name", ["my model", "model.", "m" * 65])
def test_a_file_that_cannot_name_a_model_is_refused_in_one_sentence(name: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        first_card(Recipe(None), Path(f"{name}.safetensors"), (), ())
    assert refused.value.detail.startswith("A model is named after its file: ")
    assert first_card(Recipe(None), Path("m-y_1.0.safetensors"), (), ()).name == "m-y_1.0"
