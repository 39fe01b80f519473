"""The model card: what a model is, how it came about and how good it is, as a small JSON file."""

from __future__ import annotations

import dataclasses
import datetime
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, ClassVar, Final

from pydantic import AfterValidator, ConfigDict, Field, Strict, StringConstraints, TypeAdapter

from napari_d24fad.network import strict_json as strict
from napari_d24fad.network.strict_json import Line, Sha256, Text, fault
from napari_d24fad.network.teachers.architecture import TEACHERS, teacher_spec

FORMAT: Final = 1
"""Version of the card format; raised when a reader of the old one would misread the new one."""

TEACHER_WEIGHTS: Final = ("embedded", "imagenet", "published")
SCORINGS: Final = ("paper", "matched")

_NAME = r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$"


def _one_of(choices: Collection[str]) -> AfterValidator:
    def check(value: str) -> str:
        if value not in choices:
            raise ValueError(f"it is none of {', '.join(choices)}")
        return value

    return AfterValidator(check)


def _day(value: str) -> str:
    try:
        if datetime.date.fromisoformat(value).isoformat() == value:
            return value
    except ValueError:  # its sentence quotes the file
        pass
    raise ValueError("it is not a day as YYYY-MM-DD")


def _measured(figure: Mapping[str, object]) -> Mapping[str, object]:
    value = figure.get("value")
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError("the value of a figure is not a number")
    for key in ("data", "protocol", "metric"):
        if not isinstance(figure.get(key), str) or not str(figure[key]).strip():
            raise ValueError(f"a figure lacks {key}")
    return figure


_Entry = Text | Annotated[bool, Strict()] | Annotated[int, Strict()] | Annotated[float, Strict()] | None
Figure = Annotated[Mapping[str, _Entry], AfterValidator(_measured)]
"""One measured number: ``data``, ``protocol``, ``metric``, ``value``, and whatever else qualifies it."""


@dataclass(frozen=True, slots=True)
class DataSource:
    """Data a model was trained on.

    Attributes:
        name: What it is called, or how it was generated.
        terms: Licence or terms of use, as its source states them.
        use: What it was used for, such as ``"training"``.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    name: Line
    terms: Line
    use: Line


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What is known of a model; stored as ``NAME.json`` beside ``NAME.safetensors``.

    Attributes:
        name: Letters, digits, ``.``, ``_`` and ``-``; also the stem of its files.
        title: One line for people.
        teacher: A key of `teachers.architecture.TEACHERS`.
        teacher_weights: ``"embedded"`` if the file holds the teacher too, ``"imagenet"``
            if the teacher is torchvision's, ``"published"`` if it is another that is published;
            these are installed apart.
        normalise: Whether inputs get the mean and standard deviation that the teacher was trained with.
            The published implementation does not.
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
        teacher_sha256: SHA-256 of published teacher weights as they were installed where the student was
            trained; empty for ``"embedded"`` and ``"imagenet"``, and left out of the file then.

    The fields after ``sha256`` came later; cards without them are read as if they were empty.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(pattern=_NAME)]
    title: Line
    teacher: Annotated[str, _one_of(TEACHERS)]
    teacher_weights: Annotated[str, _one_of(TEACHER_WEIGHTS)]
    normalise: Annotated[bool, Strict()]
    # A multiple of what the teacher takes; see `from_json`.
    input_size: Annotated[int, Strict(), Field(ge=28, le=1024)]
    scoring: Annotated[str, _one_of(SCORINGS)]
    data: tuple[DataSource, ...]
    recipe: tuple[Line, ...]
    date: Annotated[str, AfterValidator(_day)]
    figures: tuple[Figure, ...]
    licence: Line
    notes: Text = ""
    sha256: Sha256 = ""
    seeds: tuple[Annotated[int, Strict()], ...] = ()
    selection: Text = ""
    intended_use: Text = ""
    confounds: tuple[Line, ...] = ()
    failures: tuple[Line, ...] = ()
    teacher_sha256: Sha256 = ""

    def to_json(self) -> str:
        """Returns the text of the card file.

        Raises:
            ModelError: MODEL_CORRUPT if the card breaks the format, so that no such file comes to be.
        """
        fields = {"format": FORMAT, **dataclasses.asdict(self)}
        if not self.teacher_sha256:
            del fields["teacher_sha256"]
        text = json.dumps(fields, indent=2, ensure_ascii=False)
        ModelCard.from_json(text)
        return text + "\n"

    @classmethod
    def from_json(cls, text: str) -> ModelCard:
        """Reads and checks the text of a card file.

        Raises:
            ModelError: MODEL_CORRUPT with the field at fault.
        """
        raw = strict.parse_object(text)
        if type(stated := raw.pop("format", None)) is not int or stated != FORMAT:
            raise fault(f"The card is not of format {FORMAT}.")
        for name in ("notes", "sha256"):  # which only a card in the making may do without
            if name not in raw:
                raise fault(f"The card lacks {name}.")
        card = strict.checked(_kind(), raw)
        if card.teacher_weights != "embedded" and card.teacher == "compact":
            raise fault("There are no published weights for the compact teacher.")
        multiple = teacher_spec(card.teacher).architecture.multiple
        if card.input_size % multiple:
            raise fault(f"The input size is no multiple of {multiple}, as the teacher needs it.")
        return card


@cache
def _kind() -> TypeAdapter[ModelCard]:
    return TypeAdapter(ModelCard)


def can_name_a_model(text: str) -> bool:
    """Whether a card may give this name to a model."""
    return re.fullmatch(_NAME, text) is not None


def read_card(path: Path) -> ModelCard:
    """Reads a card file.

    Raises:
        ModelError: MODEL_CORRUPT if there is none, or it is not a valid card.
    """
    return ModelCard.from_json(strict.read_text(path))
