"""Which models and devices there are: the window of models, and what it asks for, done in a worker.

Progress and Cancel are those of the dock.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_d24fad.network.teacher_weights import download_weights, recognise, weights_installed
from napari_d24fad.network.teachers.catalogue import CATALOGUE, PublishedWeights, published_for
from napari_d24fad.network.zoo import CARD_SUFFIX, WEIGHTS_SUFFIX, InstalledModel, installed_models
from napari_d24fad.progress import CancelToken, Progress
from napari_d24fad.viewer.asking import agrees
from napari_d24fad.viewer.models.dialog import ModelRow, ModelsDialog
from napari_d24fad.viewer.running.jobs import Jobs
from napari_d24fad.viewer.running.offered import offered_devices, offered_models
from napari_d24fad.viewer.running.workers import Work

if TYPE_CHECKING:
    from napari_d24fad.viewer.running.run_panel import RunPanel

_FILES = f"Models and weights (*{WEIGHTS_SUFFIX} *.pth *.pt *.bin)"


class ModelsManaging(QObject):
    """Between the window and what is installed.

    Args:
        parent: Widget below the window.
        run_panel: Its button shows the window; it offers models and devices, and tells how it went.
        jobs: Runs the work.
    """

    def __init__(self, parent: QWidget, run_panel: RunPanel, jobs: Jobs) -> None:
        super().__init__()
        self._parent, self._run_panel, self._jobs = parent, run_panel, jobs
        self._dialog: ModelsDialog | None = None
        run_panel.settings.models_requested.connect(self.show)
        run_panel.settings.devices_requested.connect(self._ask_devices)
        jobs.ended.connect(self._follow)

    @property
    def dialog(self) -> ModelsDialog:
        """The window; made when it is first wanted."""
        if self._dialog is None:
            self._dialog = ModelsDialog(self._parent)
            self._dialog.download_requested.connect(self.download)
            self._dialog.import_requested.connect(self.choose_file)
        return self._dialog

    def show(self) -> None:
        """Shows the window."""
        self.dialog.status.clear()
        self.dialog.show_rows(_rows())
        self.dialog.show()
        self.dialog.raise_()

    def download(self, teacher: str) -> None:
        """Fetches the weights of a teacher, once its licence is accepted."""
        published = published_for(teacher)
        if published is None or not self._accepts(published):
            return

        def work(progress: Progress, cancel: CancelToken) -> str:
            download_weights(teacher, accepted=True, progress=progress, cancel=cancel)
            return teacher

        self._begin("Downloading weights", work)

    def choose_file(self) -> None:
        """Asks for a file and imports it."""
        path, _ = QFileDialog.getOpenFileName(self.dialog, "Import a model or weights", "", _FILES)
        if path:
            self.import_file(Path(path))

    def import_file(self, path: Path) -> None:
        """Installs a model, or published weights once their licence is accepted."""
        if path.suffix in (WEIGHTS_SUFFIX, CARD_SUFFIX):
            self._import(path, None)
            return

        def work(progress: Progress, cancel: CancelToken) -> PublishedWeights | None:
            progress(0, "Looking what it is")
            return recognise(path)  # by its checksum, which takes a while

        self._jobs.follow("Looking what it is", work, partial(self._import, path))

    def _ask_devices(self) -> None:
        self._jobs.start("Looking for devices", offered_devices, self._run_panel.settings.set_devices)

    def _import(self, path: Path, published: PublishedWeights | None) -> None:
        if published is not None and not self._accepts(published):
            return

        def work(progress: Progress, cancel: CancelToken) -> str:
            from napari_d24fad.network.install import import_file  # imports torch

            progress(0.1, "Checking the file")
            return import_file(path, None if published is None else published.teacher, accepted=True)

        self._begin("Importing", work)

    def _begin(self, step: str, work: Work) -> None:
        self.dialog.set_busy(True)
        self.dialog.status.setText(f"{step}: the dock shows how far it is, and can cancel it.")
        self._jobs.follow(step, work, self._tell)

    def _tell(self, name: str) -> None:
        self._run_panel.show_note(f"{name} is installed.")

    def _follow(self) -> None:
        """Whatever ended: lists what is there now, with what the dock says of it."""
        if self._dialog is None or not self._dialog.isVisible():
            return
        self._run_panel.settings.set_models(offered_models())
        self._dialog.show_rows(_rows())
        self._dialog.set_busy(self._jobs.is_busy)
        self._dialog.status.setText(self._run_panel.message)

    def _accepts(self, published: PublishedWeights) -> bool:
        if not published.asks or weights_installed(published.teacher):
            return True
        asked = f"{published.title}: {published.licence}, {published.terms}\n\nDo you accept this licence?"
        return agrees(self._parent, asked)


def _rows() -> list[ModelRow]:
    installed = [_of_model(model) for model in installed_models()]
    names = {row.name for row in installed}
    return installed + [_of_weights(entry) for entry in CATALOGUE if entry.teacher not in names]


def _of_model(model: InstalledModel) -> ModelRow:
    card = model.card
    if card is None:
        return ModelRow(model.name, "", "cannot be used", str(model.problem))
    origin = "comes with the tool" if model.embedded else "installed"
    parts = (
        card.title,
        f"Teacher: {card.teacher}. Scoring: {card.scoring}. Input: {card.input_size} pixels.",
        f"Trained on: {', '.join(each.name for each in card.data)}" if card.data else "",
        f"Licence: {card.licence}" if card.licence else "",
        card.intended_use,
        *card.failures,
    )
    return ModelRow(model.name, card.title, origin, "\n".join(part for part in parts if part))


def _of_weights(entry: PublishedWeights) -> ModelRow:
    here = weights_installed(entry.teacher)
    parts = (
        f"Published by others; trained on {entry.data}. About {entry.megabytes} MB.",
        f"Licence: {entry.licence}, {entry.terms}",
        f"From: {entry.source}",
        "" if entry.file or here else "It is not downloaded by this tool: get the file there and import it.",
        "How good it is for a kind of scan was not measured here.",
    )
    state = "weights installed" if here else "not installed"
    details = "\n".join(part for part in parts if part)
    return ModelRow(entry.teacher, entry.title, state, details, downloads=bool(entry.file) and not here)
