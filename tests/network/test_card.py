import dataclasses
import json
from typing import Any

import pytest

from napari_d24fad.errors import Code, ModelError
from napari_d24fad.network.card import ModelCard, read_card


def changed(card: ModelCard, **changes: Any) -> str:
    return json.dumps(json.loads(card.to_json()) | changes)


def test_a_card_survives_its_file(card, tmp_path):
    path = tmp_path / "tiny.json"
    path.write_text(card.to_json(), encoding="utf-8")
    assert read_card(path) == card
    assert "Für Prüfungen." in path.read_text(encoding="utf-8")
    assert json.loads(path.read_text(encoding="utf-8"))["format"] == 1


FIELDS = ["format", *(field.name for field in dataclasses.fields(ModelCard))]
LATER = ["seeds", "selection", "intended_use", "confounds", "failures", "teacher_sha256"]
MAY_BE_EMPTY = ["notes", "selection", "intended_use"]
WRONG = [
    (field, value)
    for field in FIELDS
    for value in (None, 3.5, {}, [[]], "", True, "\x1b[2J")
    if [field, value] != ["normalise", True] and not (field in MAY_BE_EMPTY and value == "")
]


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_a_field_of_another_type_is_refused(card, field, value):
    with pytest.raises(ModelError) as caught:
        ModelCard.from_json(changed(card, **{field: value}))
    assert caught.value.code is Code.MODEL_CORRUPT


def test_a_card_of_before_there_were_all_fields_is_read(card):
    raw = json.loads(card.to_json())
    assert ModelCard.from_json(json.dumps({key: raw[key] for key in raw if key not in LATER})) == card
    full = dataclasses.replace(card, seeds=(1, 2), confounds=("Colour.",), failures=("Small lesions.",))
    assert ModelCard.from_json(full.to_json()) == full


@pytest.mark.parametrize("field", [field for field in FIELDS if field not in LATER])
def test_a_missing_field_is_named(card, field):
    raw = json.loads(card.to_json())
    del raw[field]
    with pytest.raises(ModelError, match=field):
        ModelCard.from_json(json.dumps(raw))


FIGURE = {"data": "d", "protocol": "p", "metric": "m", "value": 1}


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"colour": "green"},
        {"name": "../tiny"},
        {"name": "a" * 65},
        {"name": "tiny."},
        {"teacher": "resnet50"},
        {"teacher_weights": "imagenet"},  # of the compact teacher
        {"teacher_weights": "radimagenet"},
        {"input_size": 100},
        {"input_size": 0},
        {"input_size": 2048},
        {"scoring": "guess"},
        {"date": "31.01.2025"},
        {"date": "2025-02-30"},
        {"date": "20250131"},
        {"sha256": "0" * 63},
        {"sha256": "G" * 64},
        {"data": [{"name": "x", "terms": "y"}]},
        {"data": [{"name": "x", "terms": "y", "use": "z", "more": ""}]},
        {"data": ["x"]},
        {"recipe": [1]},
        {"figures": [FIGURE | {"value": "high"}]},
        {"figures": [FIGURE | {"value": True}]},
        {"figures": [FIGURE | {"folds": [1, 2]}]},
        {"figures": [FIGURE | {"folds": "\x1b[2J"}]},
        {"figures": [{"value": 1}]},
    ],
    ids=str,
)
def test_a_wrong_value_is_refused(card, changes):
    with pytest.raises(ModelError) as caught:
        ModelCard.from_json(changed(card, **changes))
    assert caught.value.code is Code.MODEL_CORRUPT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{",
        "[" * 100_000,
        '{"format": 1, "format": 1}',
        '{"format": NaN}',
        '{"format": 1e999}',
        '{"format": "\\ud800"}',
        '{"format": ' + "9" * 5000 + "}",
    ],
    ids=lambda text: text[:24],
)
def test_what_is_not_a_json_object_is_refused(text):
    with pytest.raises(ModelError) as caught:
        ModelCard.from_json(text)
    assert caught.value.code is Code.MODEL_CORRUPT


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b" " * (1 << 20) + b"{}", None])
def test_an_unreadable_file_is_refused(tmp_path, content):
    path = tmp_path / "tiny.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        read_card(path)
    assert caught.value.code is Code.MODEL_CORRUPT
    assert str(tmp_path) not in str(caught.value)


def test_a_card_that_could_not_be_read_back_is_not_written(card):
    with pytest.raises(ModelError):
        dataclasses.replace(card, input_size=130).to_json()


def test_a_card_names_the_teachers_weights_only_where_there_are_some(card):
    assert "teacher_sha256" not in json.loads(card.to_json())
    beside = dataclasses.replace(
        card, teacher="dinov2_vits14", teacher_weights="published", input_size=252, teacher_sha256="1" * 64
    )
    assert ModelCard.from_json(beside.to_json()) == beside


@pytest.mark.parametrize(("teacher", "size"), [("compact", 252), ("dinov2_vits14", 256), ("rad_dino", 512)])
def test_a_size_that_the_teacher_cannot_take(card, teacher, size):
    weights = "embedded" if teacher == "compact" else "published"
    wrong = dataclasses.replace(card, teacher=teacher, teacher_weights=weights, input_size=size)
    with pytest.raises(ModelError, match="no multiple of") as caught:
        wrong.to_json()
    assert caught.value.code is Code.MODEL_CORRUPT
