"""The model card: what a model is, how it came about and how good it is, as a small JSON file."""

from __future__ import annotations

import dataclasses
import datetime
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from napari_d24fad.network import strict_json as strict
from napari_d24fad.network.architecture import ARCHITECTURES
from napari_d24fad.network.strict_json import fault

FORMAT: Final = 1
"""Version of the card format; raised when a reader of the old one would misread the new one."""

TEACHER_WEIGHTS: Final = ("embedded", "imagenet")
SCORINGS: Final = ("paper", "matched")

Figure = Mapping[str, str | int | float | bool | None]
"""One measured number: ``data``, ``protocol``, ``metric``, ``value``, and whatever else qualifies it."""

_LATER: Final[Mapping[str, object]] = {
    "seeds": [],
    "selection": "",
    "intended_use": "",
    "confounds": [],
    "failures": [],
}

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
_SIZES = range(32, 1025, 32)  # the teacher halves the side five times


@dataclass(frozen=True, slots=True)
class DataSource:
    """Data a model was trained on.

    Attributes:
        name: What it is called, or how it was generated.
        terms: Licence or terms of use, as its source states them.
        use: What it was used for, such as ``"training"``.
    """

    name: str
    terms: str
    use: str


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What is known of a model; stored as ``NAME.json`` beside ``NAME.safetensors``.

    Attributes:
        name: Letters, digits, ``.``, ``_`` and ``-``; also the stem of its files.
        title: One line for people.
        teacher: A key of `architecture.ARCHITECTURES`.
        teacher_weights: ``"embedded"`` if the file holds the teacher too, ``"imagenet"``
            if the teacher is the published ImageNet one, installed apart.
        normalise: Whether inputs get ImageNet mean and standard deviation before the
            teacher. The published implementation does not.
        input_size: Side in pixels of the square that slices are resampled to.
        scoring: ``"paper"`` or ``"matched"``: how maps are scored unless asked otherwise.
        data: What it was trained on.
        recipe: The command lines that made it.
        date: Day it was made, ``YYYY-MM-DD``.
        figures: Measured results, best told with protocol and data.
        licence: Licence of the weights.
        notes: Anything else worth knowing.
        sha256: SHA-256 of the safetensors file; empty until it is saved.
        seeds: Of the training, and of whatever else was drawn.
        selection: What the weights were chosen by among those that the training passed through.
        intended_use: What it is for, and what it is not for.
        confounds: What besides anatomy a figure may have been reached by, one sentence each.
        failures: Where it is known to fail, one sentence each.

    The fields after ``sha256`` came later; cards without them are read as if they were empty.
    """

    name: str
    title: str
    teacher: str
    teacher_weights: str
    normalise: bool
    input_size: int
    scoring: str
    data: tuple[DataSource, ...]
    recipe: tuple[str, ...]
    date: str
    figures: tuple[Figure, ...]
    licence: str
    notes: str = ""
    sha256: str = ""
    seeds: tuple[int, ...] = ()
    selection: str = ""
    intended_use: str = ""
    confounds: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Returns the text of the card file.

        Raises:
            ModelError: MODEL_CORRUPT if the card breaks the format, so that no such file comes to be.
        """
        text = json.dumps({"format": FORMAT, **dataclasses.asdict(self)}, indent=2, ensure_ascii=False)
        ModelCard.from_json(text)
        return text + "\n"

    @classmethod
    def from_json(cls, text: str) -> ModelCard:
        """Reads and checks the text of a card file.

        Raises:
            ModelError: MODEL_CORRUPT with the field at fault.
        """
        raw = {**_LATER, **strict.parse_object(text)}
        if strict.integer(raw, "format") != FORMAT:
            raise fault(f"The card is not of format {FORMAT}.")
        strict.expect_keys(raw, {"format", *(field.name for field in dataclasses.fields(cls))}, "The card")
        return cls(
            name=strict.matching(raw, "name", _NAME),
            title=strict.text(raw, "title"),
            teacher=strict.choice(raw, "teacher", tuple(ARCHITECTURES)),
            teacher_weights=_teacher_weights(raw),
            normalise=strict.flag(raw, "normalise"),
            input_size=_size(raw),
            scoring=strict.choice(raw, "scoring", SCORINGS),
            data=tuple(_data_source(item) for item in strict.items(raw, "data")),
            recipe=_lines(raw, "recipe"),
            date=_day(raw),
            figures=tuple(_figure(item) for item in strict.items(raw, "figures")),
            licence=strict.text(raw, "licence"),
            notes=strict.text(raw, "notes", may_be_empty=True),
            sha256=strict.matching(raw, "sha256", strict.SHA256),
            seeds=tuple(_seed(item) for item in strict.items(raw, "seeds")),
            selection=strict.text(raw, "selection", may_be_empty=True),
            intended_use=strict.text(raw, "intended_use", may_be_empty=True),
            confounds=_lines(raw, "confounds"),
            failures=_lines(raw, "failures"),
        )


def can_name_a_model(text: str) -> bool:
    """Whether a card may give this name to a model."""
    return _NAME.fullmatch(text) is not None


def read_card(path: Path) -> ModelCard:
    """Reads a card file.

    Raises:
        ModelError: MODEL_CORRUPT if there is none, or it is not a valid card.
    """
    return ModelCard.from_json(strict.read_text(path))


def _teacher_weights(raw: Mapping[str, object]) -> str:
    choice = strict.choice(raw, "teacher_weights", TEACHER_WEIGHTS)
    if choice == "imagenet" and raw["teacher"] == "compact":
        raise fault("There are no published ImageNet weights for the compact teacher.")
    return choice


def _size(raw: Mapping[str, object]) -> int:
    value = strict.integer(raw, "input_size")
    if value not in _SIZES:
        raise fault(f"The field input_size is not a multiple of 32 up to {_SIZES[-1]}.")
    return value


def _day(raw: Mapping[str, object]) -> str:
    value = strict.text(raw, "date")
    try:
        if datetime.date.fromisoformat(value).isoformat() == value:
            return value
    except ValueError:
        pass
    raise fault("The field date is not a day as YYYY-MM-DD.")


def _lines(raw: Mapping[str, object], key: str) -> tuple[str, ...]:
    """Returns a field that is a list of texts."""
    return tuple(strict.text({key: item}, key) for item in strict.items(raw, key))


def _seed(item: object) -> int:
    return strict.integer({"seeds": item}, "seeds")


def _data_source(item: object) -> DataSource:
    raw = strict.as_object(item, "An entry of data")
    strict.expect_keys(raw, {"name", "terms", "use"}, "An entry of data")
    return DataSource(strict.text(raw, "name"), strict.text(raw, "terms"), strict.text(raw, "use"))


def _figure(item: object) -> Figure:
    raw = strict.as_object(item, "A figure")
    for key in ("data", "protocol", "metric"):
        strict.text(raw, key)
    value = raw.get("value")
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise fault("The value of a figure is not a number.")
    for key, entry in raw.items():
        if isinstance(entry, int) and not isinstance(entry, bool):
            strict.integer(raw, key)
        elif not isinstance(entry, str | bool | float | None):
            raise fault("A figure holds a list or an object.")
    return raw
