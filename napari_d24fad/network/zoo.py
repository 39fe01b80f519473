"""Which models there are: those that come with the tool, the user's own, and any file named by path."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from napari_d24fad.atomic import recover
from napari_d24fad.errors import Code, ModelError
from napari_d24fad.network.alone import NAMES as TEACHERS_ALONE
from napari_d24fad.network.alone import installed_teachers, teacher_card
from napari_d24fad.network.card import ModelCard, read_card
from napari_d24fad.network.files import is_file
from napari_d24fad.network.teacher_weights import weights_file
from napari_d24fad.settings import embedded_models_folder, models_folder

WEIGHTS_SUFFIX = ".safetensors"
CARD_SUFFIX = ".json"


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model that can be loaded: its card and where its weights are.

    Attributes:
        card: What it is.
        weights: The safetensors file.
        is_teacher: Whether it is a teacher alone, whose file is that of the teacher's weights.
    """

    card: ModelCard
    weights: Path = field(repr=False)
    is_teacher: bool = False


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """An entry of the list of models.

    Attributes:
        name: What to ask for it by.
        embedded: Whether it came with the tool.
        card: What it is; None if that cannot be told.
        problem: Why it cannot be used; None if nothing is known against it. Weights are
            not read for the list; ``install.verify`` reads them.
        is_teacher: Whether it is a teacher alone, which others published.
    """

    name: str
    embedded: bool
    card: ModelCard | None
    problem: ModelError | None = None
    is_teacher: bool = False


def installed_models() -> tuple[InstalledModel, ...]:
    """Lists every model by name, embedded ones first; a damaged card is listed with its problem.

    An embedded name cannot be taken by a model of the user's own. Teachers whose weights are installed
    come last.
    """
    recover(models_folder())
    embedded = _names_in(embedded_models_folder())
    own = [name for name in _names_in(models_folder()) if not is_embedded(name)]
    return (
        *(_entry(embedded_models_folder(), name, embedded=True) for name in embedded),
        *(_entry(models_folder(), name, embedded=False) for name in own),
        *(
            InstalledModel(card.name, False, card, is_teacher=True)
            for card in installed_teachers()
            if card.name not in own
        ),
    )


def list_models() -> tuple[ModelCard, ...]:
    """Returns the cards of all models that have nothing known against them, embedded ones first."""
    return tuple(model.card for model in installed_models() if model.card and not model.problem)


def is_embedded(name: str) -> bool:
    """Returns whether a name belongs to a model that comes with the tool, in any spelling of case."""
    return name.casefold() in {embedded.casefold() for embedded in _names_in(embedded_models_folder())}


def find_model(name_or_path: str | Path) -> ModelFiles:
    """Finds a model by name, or by the path of either of its two files.

    Args:
        name_or_path: A `Path`, or text with a folder or a file ending in it, is a path.

    Raises:
        ModelError: MODEL_UNKNOWN if there is none; MODEL_CORRUPT if its card is no good or
            a file of the pair is missing.
    """
    if _is_path(name_or_path):
        recover(Path(name_or_path).parent)
        return read_pair(Path(name_or_path))
    recover(models_folder())
    name = str(name_or_path)
    for folder in (embedded_models_folder(), models_folder()):
        if name in _names_in(folder):
            return _read_named(folder, name)
    if name in TEACHERS_ALONE:
        if card := teacher_card(name):
            return ModelFiles(card, weights_file(name), is_teacher=True)
        raise ModelError(Code.WEIGHTS_MISSING, f"The teacher is {name}.")
    raise ModelError(Code.MODEL_UNKNOWN)


def read_pair(path: Path) -> ModelFiles:
    """Reads the card of a model given by one of its files, and checks that the other is beside it.

    Raises:
        ModelError: MODEL_UNKNOWN if there is no such file; MODEL_CORRUPT otherwise.
    """
    if path.suffix not in (WEIGHTS_SUFFIX, CARD_SUFFIX):
        detail = "A model is a .safetensors file; make one of a published .pth with: d24fad models convert"
        raise ModelError(Code.MODEL_CORRUPT, detail)
    if not is_file(path):
        raise ModelError(Code.MODEL_UNKNOWN, "There is no such file.")
    weights = path.with_suffix(WEIGHTS_SUFFIX)
    if not is_file(weights):
        raise ModelError(Code.MODEL_CORRUPT, "The weights beside the card are missing.")
    return ModelFiles(read_card(path.with_suffix(CARD_SUFFIX)), weights)


def _is_path(name_or_path: str | Path) -> bool:
    text = str(name_or_path)
    suffixes = (WEIGHTS_SUFFIX, CARD_SUFFIX, ".pth", ".pt")
    return isinstance(name_or_path, Path) or "/" in text or "\\" in text or text.endswith(suffixes)


def _names_in(folder: Path) -> list[str]:
    try:
        files = [file for file in folder.iterdir() if file.suffix in (WEIGHTS_SUFFIX, CARD_SUFFIX)]
    except OSError:  # no such folder yet, or none that may be read: nothing is installed in it
        return []
    return sorted({file.stem for file in files if not file.name.startswith(".")})


def _read_named(folder: Path, name: str) -> ModelFiles:
    weights = folder / f"{name}{WEIGHTS_SUFFIX}"
    if not is_file(weights):
        raise ModelError(Code.MODEL_CORRUPT, "The weights beside the card are missing.")
    files = read_pair(weights)
    if files.card.name != name:
        raise ModelError(Code.MODEL_CORRUPT, "The card names another model than its file.")
    return files


def _entry(folder: Path, name: str, *, embedded: bool) -> InstalledModel:
    try:
        return InstalledModel(name, embedded, _read_named(folder, name).card)
    except ModelError as problem:
        return InstalledModel(name, embedded, None, problem)
