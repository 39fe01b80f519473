"""Studies and series that an archive has, and which of them are chosen."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QIcon
from qtpy.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem

from napari_d24fad.archives.found import FoundSeries, FoundStudy
from napari_d24fad.viewer.pictures import Picture, pixmap

PICTURE_PX = 72
_HEAD = ("Patient", "ID", "Date", "Description", "Modality", "Images")
_WIDTHS = (240, 110, 90, 190, 80, 60)
_ROLE = Qt.ItemDataRole.UserRole


class FoundTree(QTreeWidget):
    """A row for each study; opened, a row with a box for each of its series."""

    series_requested = Signal(object)
    """The `FoundStudy` whose series are wanted."""
    chosen_changed = Signal()
    """Other series are ticked, or another study is current."""

    def __init__(self) -> None:
        super().__init__()
        self.setHeaderLabels(list(_HEAD))
        self.setUniformRowHeights(False)
        self.setIconSize(QSize(PICTURE_PX, PICTURE_PX))
        self.setAccessibleName("Studies")
        header = self.header()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        for column, width in enumerate(_WIDTHS):
            self.setColumnWidth(column, width)
        self.itemExpanded.connect(self._ask_for_series)
        self.itemChanged.connect(lambda *_: self.chosen_changed.emit())
        self.currentItemChanged.connect(lambda *_: self.chosen_changed.emit())

    def show_studies(self, studies: Sequence[FoundStudy]) -> None:
        """Shows studies in place of what was there, the newest first."""
        self.clear()
        for study in sorted(studies, key=lambda one: one.date, reverse=True):
            item = QTreeWidgetItem(_texts(study))
            item.setData(0, _ROLE, study)
            item.setChildIndicatorPolicy(QTreeWidgetItem.ChildIndicatorPolicy.ShowIndicator)
            self.addTopLevelItem(item)
        if len(studies) == 1:
            self.topLevelItem(0).setExpanded(True)

    def show_series(self, study: FoundStudy, series: Sequence[FoundSeries]) -> None:
        """Shows the series of a study, all ticked."""
        parent = self._item_of(study)
        if parent is None:
            return
        parent.takeChildren()
        for one in series:
            title = f"Series {one.number}" if one.number else "Series"
            count = str(one.instances) if one.instances else ""
            item = QTreeWidgetItem([title, "", "", one.description, one.modality, count])
            item.setData(0, _ROLE, one)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(0, Qt.CheckState.Checked)
            parent.addChild(item)
        self.setCurrentItem(parent)
        self.chosen_changed.emit()

    def show_picture(self, series: FoundSeries, picture: Picture) -> None:
        """Shows the picture of a series."""
        for item in self._series_items():
            if item.data(0, _ROLE) == series:
                item.setIcon(0, QIcon(pixmap(picture, QSize(PICTURE_PX, PICTURE_PX))))

    @property
    def current_study(self) -> FoundStudy | None:
        """The study of the row that is current."""
        item = self.currentItem()
        while item is not None and item.parent() is not None:
            item = item.parent()
        return None if item is None else item.data(0, _ROLE)

    @property
    def chosen(self) -> list[FoundSeries]:
        """The ticked series of the current study."""
        study = self.current_study
        ticked = (item for item in self._series_items() if item.checkState(0) == Qt.CheckState.Checked)
        found = [item.data(0, _ROLE) for item in ticked]
        return [one for one in found if study is not None and one.study == study.uid]

    def _ask_for_series(self, item: QTreeWidgetItem) -> None:
        if item.parent() is None and item.childCount() == 0:
            self.setCurrentItem(item)
            self.series_requested.emit(item.data(0, _ROLE))

    def _item_of(self, study: FoundStudy) -> QTreeWidgetItem | None:
        for item in self._study_items():
            if item.data(0, _ROLE) == study:
                return item
        return None

    def _study_items(self) -> list[QTreeWidgetItem]:
        return [self.topLevelItem(row) for row in range(self.topLevelItemCount())]

    def _series_items(self) -> list[QTreeWidgetItem]:
        return [item.child(row) for item in self._study_items() for row in range(item.childCount())]


def _texts(study: FoundStudy) -> list[str]:
    date = study.date
    shown = f"{date[:4]}-{date[4:6]}-{date[6:]}" if len(date) == 8 and date.isdigit() else date
    count = str(study.instances) if study.instances else ""
    name = study.name.replace("^", " ").strip()
    return [name or "(no name)", study.patient_id, shown, study.description, study.modalities, count]
