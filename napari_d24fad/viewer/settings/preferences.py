"""Reads the page of this plugin in napari's preferences, and follows it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, cast

from napari.settings import get_plugin_settings
from qtpy.QtCore import QObject, Signal

from napari_d24fad.settings import (
    CACHE_VARIABLE,
    FEATURES_LIMIT_VARIABLE,
    MODELS_VARIABLE,
    prefer,
)
from napari_d24fad.studies.files.limits import LIMIT_VARIABLE

if TYPE_CHECKING:
    from napari_d24fad.network.inference import Precision

PLUGIN = "napari-d24fad"
_GROUPS = ("storage", "examining", "privacy", "saving")
_AUTOMATIC = "automatic"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What stands on the page; the defaults are those of the manifest.

    Attributes:
        cache_folder: Where everything is kept; empty for the user's own folders.
        models_folder: Where models are installed; empty for the usual place.
        features_gib: The most that is kept of features of references.
        memory_gib: The most that one scan may take.
        device: Where it is computed, at first.
        precision: What features are computed with.
        show_identity: Whether patients and files are named, at first.
        autosave: Whether copies of unsaved work are written.
    """

    cache_folder: str = ""
    models_folder: str = ""
    features_gib: float = 4.0
    memory_gib: float = 8.0
    device: str = "auto"
    precision: str = _AUTOMATIC
    show_identity: bool = False
    autosave: bool = True

    @property
    def exact_precision(self) -> Precision | None:
        """What the session is asked for; None for the usual one."""
        return None if self.precision == _AUTOMATIC else cast("Precision", self.precision)

    def apply(self) -> None:
        """Lets this process use folders and limits that its environment says nothing of."""
        standard = Chosen()
        prefer(
            {
                CACHE_VARIABLE: self.cache_folder.strip(),
                MODELS_VARIABLE: self.models_folder.strip(),
                FEATURES_LIMIT_VARIABLE: _stated(self.features_gib, standard.features_gib),
                LIMIT_VARIABLE: _stated(self.memory_gib, standard.memory_gib),
            }
        )


class Preferences(QObject):
    """The page, and word of its changes."""

    changed = Signal(object)
    """What is `Chosen` now."""

    def __init__(self) -> None:
        super().__init__()
        page = _page()
        self._groups = () if page is None else tuple(getattr(page, name) for name in _GROUPS)
        for group in self._groups:  # the page itself tells nothing of what is in them
            group.events.connect(self._follow)
        self.chosen.apply()

    @property
    def chosen(self) -> Chosen:
        """What stands on the page now; the defaults where napari does not know the plugin."""
        stated: dict[str, Any] = {}
        for group in self._groups:
            stated |= group.model_dump()
        known = {each.name for each in fields(Chosen)}
        return Chosen(**{name: value for name, value in stated.items() if name in known})

    def stop(self) -> None:
        """Follows the page no longer."""
        for group in self._groups:
            group.events.disconnect(self._follow)
        self._groups = ()

    def _follow(self) -> None:
        self.chosen.apply()
        self.changed.emit(self.chosen)


def _page() -> Any:
    """Returns napari's settings of this plugin; None where it is not installed as one."""
    try:
        return get_plugin_settings(PLUGIN)
    except KeyError:
        return None


def _stated(value: float, standard: float) -> str:
    return "" if value == standard else f"{value:g}"
