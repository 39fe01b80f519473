"""A recipe file: the options of a training and what only its author can say of the model, as TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_d24fad.errors import ArgumentError, Code

NOT_STATED = "not stated"


@dataclass(frozen=True, slots=True)
class About:
    """What a model card says that does not follow from the training.

    Attributes:
        title: One line for people; empty for one made of the options.
        licence: Licence of the weights.
        intended_use: What the model is for, and what it is not for.
        terms: Per task, licence or terms of its images as their source states them.
        confounds: What besides anatomy a figure may have been reached by.
        failures: Where the model is known to fail.
    """

    title: str = ""
    licence: str = NOT_STATED
    intended_use: str = ""
    terms: Mapping[str, str] = field(default_factory=dict)
    confounds: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()


def read_recipe(path: Path) -> tuple[dict[str, Any], About]:
    """Reads a recipe file.

    Args:
        path: TOML: the fields of `About` (``terms`` as a table), and a table ``options``
            with options of ``d24fad train`` without their dashes.

    Returns:
        The options as written, and what is said of the model.

    Raises:
        ArgumentError: BAD_ARGUMENT if it cannot be read, or says something else.
    """
    try:
        with path.open("rb") as file:
            told = tomllib.load(file)
    except (OSError, ValueError) as error:
        raise ArgumentError(Code.BAD_ARGUMENT, "The recipe cannot be read as TOML.") from error
    options, terms = told.pop("options", {}), told.pop("terms", {})
    confounds, failures = told.pop("confounds", []), told.pop("failures", [])
    if (
        not told.keys() <= {"title", "licence", "intended_use"}
        or not (isinstance(options, dict) and isinstance(terms, dict))
        or not (isinstance(confounds, list) and isinstance(failures, list))
        or not all(isinstance(each, str) for each in (*told.values(), *terms.values(), *confounds, *failures))
    ):
        detail = "A recipe holds title, licence, intended_use, confounds, failures, terms and options."
        raise ArgumentError(Code.BAD_ARGUMENT, detail)
    return options, About(**told, terms=terms, confounds=tuple(confounds), failures=tuple(failures))
