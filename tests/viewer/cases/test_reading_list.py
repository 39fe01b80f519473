"""A day's list in the real widget: examined in one go, gone through by keys, saved and opened again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from PIL import Image
from qtpy.QtWidgets import QFileDialog

from napari_d24fad.findings.finding import Verdict
from napari_d24fad.session.saved.session_file import read_session
from napari_d24fad.viewer.cases import reading_list
from napari_d24fad.viewer.dock import DetectionDock
from napari_d24fad.viewer.gallery.roles import Role
from napari_d24fad.viewer.gallery.sorting import Order
from napari_d24fad.viewer.linked.row import Views
from napari_d24fad.viewer.sessions import keeping, opening
from tests.viewer.study_in_dock import click

SIZE = 72


def films(folder: Path) -> Path:
    """Three pictures that are alike, one of them with a bright place, one of noise, and one of nothing."""
    folder.mkdir()
    rows, columns = np.mgrid[:SIZE, :SIZE] / SIZE
    for number in range(1, 7):
        noise = np.random.default_rng(number).normal(0, 6, (SIZE, SIZE))
        picture = 120 + 60 * np.sin(6 * rows) * np.cos(5 * columns) + noise
        if number == 4:
            picture[20:36, 30:46] = 250
        if number == 6:
            picture = np.full((SIZE, SIZE), 7)
        Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(folder / f"film-{number}.png")
    return folder


def test_a_list_is_examined_read_saved_and_opened_again(
    qtbot,
    dock: DetectionDock,
    settle: Callable[[DetectionDock], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []
    monkeypatch.setattr(reading_list, "show_info", told.append)
    gallery, reading, panel = dock.gallery, dock.reading_list, dock.results

    def settled() -> None:
        settle(dock)
        qtbot.waitUntil(lambda: not reading.is_busy and not dock.result_view.is_busy, timeout=120_000)

    def is_active() -> bool:  # or keys are nobody's; another test's window may be on the same screen
        dock.window().activateWindow()
        return bool(dock.window().isActiveWindow())

    def press(key: str) -> None:
        qtbot.waitUntil(is_active, timeout=60_000)
        qtbot.keyClick(dock.window(), key)
        settled()

    dock.open([films(tmp_path / "films")])
    settled()
    series = gallery.series
    assert [gallery.card(each).name[:2] for each in series] == ["1.", "2.", "3.", "4.", "5.", "6."]
    for each in series[:3]:
        click(qtbot, gallery.card(each).normal_box)

    # All that are not marked are examined, the one that cannot be is told of, and the others go on.
    qtbot.waitUntil(lambda: gallery.queue_bar.examine_button.text().startswith("Examine all (3)"))
    click(qtbot, gallery.queue_bar.examine_button)
    assert not gallery.queue_bar.stop_button.isHidden()
    settled()
    assert told == [
        "2 of 3 scans examined; 1 higher than all references; 1 could not be examined: their cards say why."
    ]
    lesion, plain, nothing = (gallery.card(each) for each in series[3:])
    assert lesion.outcome.text().startswith("▲ p 0.25, score ")
    assert "higher than every reference" in lesion.outcome.toolTip()
    assert plain.outcome.text().startswith("p ")
    assert nothing.outcome.text().startswith("S10: ")
    click(qtbot, nothing)  # it has no result: the card says in full why
    assert nothing._details.text() == nothing.outcome.details
    qtbot.waitUntil(lambda: dock.run_panel.message.startswith("S10: "))

    # The first result is shown; the next and the one before come back by key, without a run.
    monkeypatch.setattr(dock._session, "run", None)
    assert dock.examination.request.query is series[3]
    assert panel.case_bar.text == "1 of 2"
    panel.regions.setCurrentCell(0, 0)
    compare = dock.reading.bar.views.button(Views.COMPARE)  # single images have no planes, but references
    click(qtbot, compare)
    scan, _, found = dock.reading.linked.views  # the reference asks for a run, as Why does
    qtbot.waitUntil(lambda: scan.drawn is not None and found.drawn is not None)
    assert scan.drawn.title == "Scan that is examined"
    assert scan.drawn.cross == found.drawn.cross == panel.regions._regions[0].peak_index[1:]
    assert (scan.drawn.picture != found.drawn.picture).any()
    assert dock.layers._caption == panel.view_choice.view.colours
    panel.look.fill.setCurrentIndex(1)
    assert dock.layers._caption == f"Orange line: score ≥ {panel.threshold.level:.3g}"
    panel.look.fill.setCurrentIndex(0)
    assert dock.layers._caption == panel.view_choice.view.colours
    click(qtbot, compare)
    click(qtbot, panel.verdict_bar.reject_button)
    first = np.array(dock.maps.result_layer.data)
    made: list[str] = []
    events = dock.viewer.layers.events
    events.inserted.connect(lambda event: made.append(event.value.name))
    events.removed.connect(lambda event: made.append(event.value.name))
    press("J")
    assert dock.examination.request.query is series[4]
    assert (panel.case_bar.text, panel.is_outdated) == ("2 of 2", False)
    assert [each.verdict for each in dock.result_view.verdicts.findings if each.is_judged] == []
    panel.regions.setCurrentCell(0, 0)
    judged = len(dock.result_view.verdicts.listed) > 0
    made.clear()  # the ring
    press("K")
    assert dock.examination.request.query is series[3]
    np.testing.assert_array_equal(dock.maps.result_layer.data, first)
    assert dock.result_view.verdicts.findings.listed[0].verdict is Verdict.REJECTED
    assert dock.result_view.verdicts.may_undo
    names = [layer.name for layer in dock.viewer.layers]
    assert names[:2] == [series[3].title, f"Anomaly: {series[3].label}"]
    assert len(names) == 3, "the layers of one case at a time, and a ring"
    assert not dock.maps.mark_layer.visible
    assert made == [], "to make layers takes longer than anybody waits who goes from case to case"

    # Other references leave results as they are, and each says that it is of an earlier choice.
    gallery.set_role(series[2], Role.NONE)
    settled()
    assert panel.is_outdated
    qtbot.waitUntil(lambda: plain.outcome.text().startswith("earlier: "))
    gallery.set_role(series[2], Role.REFERENCE)
    settled()
    qtbot.waitUntil(lambda: plain.outcome.text().startswith("p "))

    # Sorted and searched.
    gallery.tools.choice.setCurrentIndex(list(Order).index(Order.SCORE))
    assert gallery.series[:2] == (series[3], series[4])
    gallery.tools.search.setText("5. image")
    assert [card.series for card in gallery.cards if not card.isHidden()] == [series[4]]
    offered = gallery.queue_bar.examine_button.text
    qtbot.waitUntil(lambda: offered().startswith("Examine all (1, about "))  # as learned from the list
    gallery.tools.search.clear()

    # Saved with all results, in the window and colours that they are looked at in, and opened again.
    dock.layers.set_window(series[3], (100.0, 200.0))
    panel.look.choose("cividis")
    assert dock.keeping.is_unsaved
    saved = tmp_path / "day.d24fad"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(saved), ""))
    click(qtbot, panel.session_button)
    settled()
    assert dock.run_panel.message.startswith("The session was saved")
    assert not dock.keeping.is_unsaved

    # Reported together, where that is what was asked for.
    monkeypatch.setattr(keeping, "reports_all", lambda parent, count: count == 2)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "report"))
    click(qtbot, panel.report_button)
    settled()
    assert dock.run_panel.message.startswith("The report was saved")
    reported = json.loads((tmp_path / "report" / "findings.json").read_text())["cases"]
    assert len(reported) == 2
    page = (tmp_path / "report" / "report.html").read_text()
    assert "window W 100 L 150 (chosen by the reader), map in cividis" in page
    assert page.count("(the usual), map in cividis") == 1
    dock.layers.set_window(series[3], (0.0, 90.0))
    panel.look.choose("viridis")

    # The result that was shown comes at once, while the others are still read; saving waits for them.
    may_read, read_others = Event(), opening._read_others
    monkeypatch.setattr(opening, "_read_others", lambda *args: may_read.wait(30) and read_others(*args))
    dock.open([saved])
    qtbot.waitUntil(lambda: dock.sessions.is_busy and dock.layers.shown is not None, timeout=60_000)
    assert dock.layers.shown.layer.contrast_limits == [100, 200]
    assert panel.look.name == dock.maps.result_layer.colormap.name.removeprefix("anomaly ") == "cividis"
    qtbot.waitUntil(lambda: panel.case_bar.text == "1 of 1" or panel.case_bar.isHidden())
    assert len(gallery.series) == 6 - 1, "the one that could not be examined is in no session"
    dock.keeping.save_session(dock.examination, tmp_path / "again.d24fad")
    assert "as soon as what runs now has ended" in dock.run_panel.message
    may_read.set()
    settled()
    assert len(read_session(tmp_path / "again.d24fad").cases) == 2
    dock.open([saved])
    settled()
    assert "2 results" in dock.run_panel.message
    assert panel.case_bar.text == "1 of 2"
    assert dock.result_view.verdicts.findings.listed[0].verdict is Verdict.REJECTED
    press("J")
    assert dock.examination.request.query.number == 5
    assert not panel.is_outdated
    assert judged == (len(dock.result_view.verdicts.listed) > 0)
