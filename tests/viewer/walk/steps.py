"""A day's reading on real data, step by step: each acts as a user does, and says if it came out wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from unittest.mock import patch

import numpy as np
from qtpy.QtCore import QPoint
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog, QToolButton

from napari_d24fad.findings.finding import Verdict
from napari_d24fad.studies.series import Series
from napari_d24fad.viewer.dock_body import Page
from napari_d24fad.viewer.gallery.sorting import Order
from napari_d24fad.viewer.linked.row import Views
from napari_d24fad.viewer.reading.tools import Tool
from tests.viewer.walk.day import Day
from tests.viewer.walk.hands import LEFT, NONE, RIGHT, Hands

Steps = Mapping[str, Callable[[], None]]
_SHARES, _NOTE = (0.99, 0.97, 0.95, 0.9, 0.8), "denser than in the films before"


class Walk:
    """The steps, in the order of a day.

    Args:
        hands: Of the window.
        day: What is read.
        work: Where session and report go.
    """

    def __init__(self, hands: Hands, day: Day, work: Path) -> None:
        self._hands, self._dock, self._day, self._work = hands, hands.dock, day, work
        self._films: tuple[Series, ...] = ()
        self._path = work / "day.d24fad"

    def steps(self) -> Steps:
        """Returns each step by its name."""
        head = {
            "open a DICOM head": self._open_head,
            "look at it": self._look,
            "window preset": self._choose_window,
            "window by right drag": self._drag_window,
            "value under the cursor": self._point,
            "ruler": self._measure_length,
            "ellipse": self._measure_ellipse,
            "three planes": self._show_planes,
        }
        films = {
            "open chest films": self._open_films,
            "mark references by N": self._mark,
            "examine": self._examine,
            "why": self._ask_why,
            "compare": self._compare,
            "examine all": self._examine_all,
            "next and previous case": self._step,
            "accept, label, note, undo": self._judge,
            "add by hand, reject": self._add_finding,
            "threshold and outlines": self._look_closer,
            "save the session": self._save,
            "reopen": self._reopen,
            "report": self._report,
        }
        volumes = {
            "open CT heads": self._open_volumes,
            "examine a CT head": self._examine_volume,
            "planes of the result": self._show_planes,
        }
        return {**head, **films, **(volumes if self._day.volumes else {})}

    def _open_head(self) -> None:
        (series,) = self._hands.open([self._day.head])
        assert series.outline.is_volume
        assert self._dock.body.page is Page.SCANS

    def _look(self) -> None:
        (series,) = self._dock.gallery.series
        self._hands.look(series)
        shown = self._dock.layers.shown
        assert shown is not None
        assert shown.series is series
        assert all(self._dock.reading.text.letters()), "a side that is known is not named"
        self._hands.leaf(series, 30)
        assert self._hands.card(series).picture.place.endswith(f"/{shown.scan.n_slices}")

    def _choose_window(self) -> None:
        windowing = self._dock.reading.windowing
        before = windowing.limits
        self._hands.key(self._hands.canvas, "6")
        assert windowing.limits == windowing.presets[5].limits != before

    def _drag_window(self) -> None:
        windowing, middle = self._dock.reading.windowing, self._hands.middle
        low, high = windowing.limits
        self._hands.drag(middle(), middle(0.3, 0.0), RIGHT)
        assert windowing.limits[1] - windowing.limits[0] > 1.1 * (high - low)
        assert windowing.text in self._dock.reading.text.lines

    def _point(self) -> None:
        self._hands.point(self._hands.middle(0.1, -0.1))
        told = self._dock.reading.bar.cursor_text
        assert told.endswith("mm")
        assert told.split(",")[0] in self._dock.reading.text.lines

    def _measure_length(self) -> None:
        hands = self._hands
        first, last = hands.middle(-0.3, -0.2), hands.middle(0.3, 0.1)
        before = len(self._dock.reading.measuring.measurements)
        hands.draw(Tool.RULER, first, last)
        *_, ruler = self._dock.reading.measuring.measurements
        assert len(self._dock.reading.measuring.measurements) == before + 1
        expected = np.hypot(*np.subtract(last, first)) / self._dock.viewer.scene.camera.zoom
        is_known = self._dock.layers.shown.scan.has_geometry
        assert (ruler.length_mm is not None) == is_known
        assert not is_known or abs(ruler.length_mm - expected) < 0.05 * expected

    def _measure_ellipse(self) -> None:
        before = len(self._dock.reading.measuring.measurements)
        self._hands.draw(Tool.ELLIPSE, self._hands.middle(-0.35, 0.2), self._hands.middle(-0.1, 0.4))
        *_, ellipse = self._dock.reading.measuring.measurements
        assert len(self._dock.reading.measuring.measurements) == before + 1
        assert ellipse.deviation > 0

    def _show_planes(self) -> None:
        """Leaves them open: the next scan that is shown closes nothing, and follows."""
        button, linked = self._dock.reading.bar.views.button(Views.PLANES), self._dock.reading.linked
        height = self._hands.window.height()
        if not button.isChecked():
            self._hands.click(button)
        assert [view.drawn is not None for view in linked.views] == [True] * 3
        coronal, before = linked.views[1], self._dock.viewer.dims.current_step[0]
        rows, columns = coronal.drawn.picture.shape[:2]
        place = coronal.to_screen((rows / 4, columns / 2))
        QTest.mouseClick(coronal, LEFT, NONE, QPoint(round(place.x()), round(place.y())))
        self._hands.rest()
        assert self._dock.viewer.dims.current_step[0] != before
        assert self._hands.window.height() == height, "the window grew beyond its screen"

    def _open_films(self) -> None:
        views = self._dock.reading.bar.views.button(Views.PLANES)
        if views.isChecked():
            self._hands.click(views)
        self._close_studies()
        opened = self._hands.open([*self._day.films, *self._day.abnormal])
        assert len(opened) == len(self._day.films) + len(self._day.abnormal)
        self._films = opened
        self._hands.look(opened[-1])
        assert self._dock.layers.shown.series is opened[-1]

    def _close_studies(self) -> None:
        """The cross of each section."""
        for section in list(self._dock.gallery._column._sections.values()):
            for button in section.findChildren(QToolButton):
                if button.accessibleName().startswith("Close "):
                    self._hands.click(button)
        assert not self._dock.gallery.series

    def _mark(self) -> None:
        references = self._films[: self._day.references]
        self._hands.mark(references)
        assert self._dock.gallery.references == references
        assert self._dock.gallery.count_text.startswith(f"{len(references)} of 2-8 normal references")

    def _examine(self) -> None:
        last = self._films[-1]
        self._hands.key(self._hands.card(last), "Q")
        self._hands.press("R")
        assert self._dock.run_panel.message == "", self._dock.run_panel.message
        assert self._dock.examination.request.query is last
        assert self._dock.body.page is Page.RESULT
        assert self._dock.maps.result_layer is not None
        assert "none of them" in self._dock.results.headline or "p = " in self._dock.results.headline

    def _examine_all(self) -> None:
        self._hands.click(self._dock.reading.bar.views.button(Views.COMPARE))
        self._dock.results.why_section.set_unfolded(False)
        self._dock.body.show_page(Page.SCANS)
        self._hands.press("Shift+R")
        self._dock.body.show_page(Page.SCANS)
        self._hands.rest()
        examined = self._films[self._day.references :]
        outcomes = [self._hands.card(each).outcome for each in examined]
        assert all(each.has_result for each in outcomes), [each.text() for each in outcomes]
        choice = self._dock.gallery.tools.choice
        choice.setCurrentIndex(list(Order).index(Order.SCORE))

    def _step(self) -> None:
        place = self._dock.results.case_bar
        order = self._dock.cases.order
        self._hands.look(order[0])
        assert place.text == f"1 of {len(order)}"
        self._hands.press("J")
        assert place.text == f"2 of {len(order)}"
        assert self._dock.examination.request.query is order[1]
        self._hands.press("K")
        assert self._dock.examination.request.query is order[0]
        self._dock.body.show_page(Page.RESULT)

    def _judge(self) -> None:
        hands, results = self._hands, self._dock.results
        hands.press("R")  # results of the list know their own level alone
        table, values = results.regions, self._dock.examination.anomaly.values
        for share in _SHARES:  # a normal film may show nothing above the level that is offered first
            if not table.rowCount():
                results.threshold.value_box.setValue(float(np.nanquantile(values, share)))
                hands.rest()
        assert table.rowCount()
        table.setCurrentCell(0, 0)
        hands.key(table, "A")
        hands.choose_label("lesion")
        hands.write_note(_NOTE)
        assert self._judged(Verdict.ACCEPTED) == [("lesion", _NOTE)]
        hands.click(results.verdict_bar.undo_button)
        assert self._judged(Verdict.ACCEPTED) == [("lesion", "")]
        hands.click(results.verdict_bar.redo_button)
        hands.scroll_to(results.verdict_bar)

    def _judged(self, verdict: Verdict) -> list[tuple[str, str]]:
        findings = self._dock.result_view.verdicts.findings
        return [(each.label, each.note) for each in findings if each.verdict is verdict]

    def _add_finding(self) -> None:
        hands, table = self._hands, self._dock.results.regions
        hands.draw(Tool.FINDING, hands.middle(-0.3, 0.1), hands.middle(-0.1, 0.3))
        (added,) = (each for each in self._dock.result_view.verdicts.findings if each.by_hand)
        assert added.verdict is Verdict.ACCEPTED
        self._measure_length()
        table.setCurrentCell(table.rowCount() - 1, 0)
        hands.key(table, "X")
        assert self._judged(Verdict.REJECTED) == [("", "")]

    def _look_closer(self) -> None:
        results = self._dock.results
        results.look.fill.setCurrentIndex(1)
        results.threshold.value_box.setValue(0.9 * results.threshold.level)
        self._hands.rest()
        assert not self._dock.maps.result_layer.visible
        assert self._dock.reading.outlines.layer is not None

    def _ask_why(self) -> None:
        why = self._dock.results.why_section
        why.set_unfolded(True)
        self._hands.rest()
        self._hands.scroll_to(self._dock.results.why)

    def _compare(self) -> None:
        button = self._dock.reading.bar.views.button(Views.COMPARE)
        self._hands.click(button)
        _, reference, _ = self._dock.reading.linked.views
        assert reference.drawn.title.startswith("Reference ")

    def _save(self) -> None:
        self._dock.results.look.fill.setCurrentIndex(0)
        with patch.object(QFileDialog, "getSaveFileName", lambda *_: (str(self._path), "")):
            self._hands.click(self._dock.results.session_button)
        assert self._dock.run_panel.message.startswith("The session was saved")
        assert not self._dock.keeping.is_unsaved

    def _reopen(self) -> None:
        score, cases = self._dock.examination.anomaly.score, len(self._dock.cases.order)
        with patch.object(self._dock._session, "run", None):
            self._dock.open([self._path])
            self._hands.rest()
        assert self._dock.run_panel.message.startswith("The session was opened")
        assert self._dock.examination.anomaly.score == score
        assert len(self._dock.cases.order) == cases
        assert self._judged(Verdict.ACCEPTED) == [("lesion", _NOTE)]
        assert self._judged(Verdict.REJECTED) == [("", "")]
        assert len(self._dock.reading.measuring.measurements) == 1
        assert not self._dock.results.is_outdated

    def _report(self) -> None:
        folder = self._work / "report"
        with (
            patch.object(QFileDialog, "getExistingDirectory", lambda *_: str(folder)),
            patch("napari_d24fad.viewer.sessions.keeping.reports_all", lambda *_: False),
        ):
            self._hands.click(self._dock.results.report_button)
        assert self._dock.run_panel.message.startswith("The report was saved"), self._dock.run_panel.message
        assert (folder / "report.pdf").read_bytes().startswith(b"%PDF")

    def _open_volumes(self) -> None:
        self._close_studies()
        opened = self._hands.open([*self._day.volumes, *self._day.abnormal_volumes])
        by_file = {each.source: each for each in opened}
        self._hands.mark(by_file[path] for path in self._day.volumes)
        self._hands.key(self._hands.card(by_file[self._day.abnormal_volumes[0]]), "Q")
        assert len(self._dock.gallery.references) == len(self._day.volumes)

    def _examine_volume(self) -> None:
        self._hands.press("R")
        assert self._dock.run_panel.message == "", self._dock.run_panel.message
        assert self._dock.examination.request.query is self._dock.gallery.query
        self._dock.results.regions.setCurrentCell(0, 0)
        self._hands.rest()
