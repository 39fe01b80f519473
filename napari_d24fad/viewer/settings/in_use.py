"""Lets the dock do as the page of preferences says."""

from __future__ import annotations

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QCheckBox

from napari_d24fad.session.session import DetectionSession
from napari_d24fad.viewer.running.offered import offered_models
from napari_d24fad.viewer.running.run_settings import RunSettings
from napari_d24fad.viewer.sessions.autosaving import Autosaving
from napari_d24fad.viewer.settings.preferences import Chosen, Preferences


class PreferencesInUse(QObject):
    """Applies what is chosen, and each change of it; what was chosen in the dock stays until then.

    Args:
        session: Computes with the precision.
        settings: Begins with the device.
        identity_box: Begins as the page says.
        autosaving: Can be switched off.
    """

    def __init__(
        self,
        session: DetectionSession,
        settings: RunSettings,
        identity_box: QCheckBox,
        autosaving: Autosaving,
    ) -> None:
        super().__init__()
        self._session, self._settings = session, settings
        self._identity_box, self._autosaving = identity_box, autosaving
        self._used = Chosen()
        self._preferences = Preferences()
        settings.set_models(offered_models())
        self._use(self._preferences.chosen)
        self._preferences.changed.connect(self._use)

    def stop(self) -> None:
        """Follows the page no longer."""
        self._preferences.stop()

    def _use(self, chosen: Chosen) -> None:
        before, self._used = self._used, chosen
        self._session.precision = chosen.exact_precision
        self._autosaving.set_enabled(chosen.autosave)
        if chosen.device != before.device:
            self._settings.choose_device(chosen.device)
        if chosen.show_identity != before.show_identity:
            self._identity_box.setChecked(chosen.show_identity)
        if (chosen.cache_folder, chosen.models_folder) != (before.cache_folder, before.models_folder):
            self._settings.set_models(offered_models())
