"""Makes the pictures of the documents: the real window, with synthetic heads alone.

    python -m tests.viewer.pictures [FOLDER]

Writes to ``docs/pictures`` without FOLDER. It takes some minutes, and a screen (or a virtual one) of
1600 x 1000 pixels.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests import isolation

isolation.isolate()  # before napari reads where its settings are

from PIL import Image  # noqa: E402
from qtpy.QtCore import QRect, Qt  # noqa: E402
from qtpy.QtWidgets import QWidget  # noqa: E402

from napari_d24fad.sample.study import write_sample_study  # noqa: E402
from napari_d24fad.settings import autosave_folder  # noqa: E402
from napari_d24fad.studies.series import Series  # noqa: E402
from napari_d24fad.viewer.dock_body import Page  # noqa: E402
from napari_d24fad.viewer.gallery.sorting import Order  # noqa: E402
from napari_d24fad.viewer.linked.row import Views  # noqa: E402
from napari_d24fad.viewer.reading.tools import Tool  # noqa: E402
from tests.viewer.walk.hands import Hands, on_screen, open_window, save_small  # noqa: E402

_FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
_SIZE, _MOST_BYTES = (1280, 800), 140_000
_MIDDLE = 20


class Pictures:
    """The steps; each leaves a picture.

    Args:
        hands: Of the window.
        folder: Where pictures go.
        work: For files that are in no document.
    """

    def __init__(self, hands: Hands, folder: Path, work: Path) -> None:
        self._hands, self._folder, self._work = hands, folder, work
        self._dock, self._body = hands.dock, hands.dock.body
        self._query: Series | None = None

    def take(self) -> None:
        """Walks through all of them."""
        for step in (
            self._look, self._window, self._read, self._planes, self._result, self._findings, self._why,
            self._compare, self._outline, self._list, self._session, self._report, self._sheets,
        ):  # fmt: skip
            began = time.monotonic()
            step()
            print(f"{time.monotonic() - began:6.1f} s  {step.__name__[1:]}", flush=True)

    def _save(self, name: str, widget: QWidget | None = None, part: QRect | None = None) -> None:
        shown = self._hands.window if widget is None else widget
        save_small(on_screen(shown, part), self._folder / f"{name}.png", _MOST_BYTES)

    def _look(self) -> None:
        hands = self._hands
        sample = write_sample_study(self._work / "sample")
        opened = hands.open((sample.query, *sample.references))
        at = {each.source: each for each in opened}
        self._query = at[sample.query]
        hands.mark(at[folder] for folder in sample.references)
        hands.look(self._query)
        self._body.show_page(Page.SCANS)
        hands.leaf(self._query, 12)
        hands.point(hands.middle(0.1, -0.3))
        self._save("look")
        hands.key(hands.card(self._query), "Q")

    def _window(self) -> None:
        box = self._dock.reading.bar.window.choice
        box.showPopup()
        self._hands.rest()
        self._save("window-presets")
        box.hidePopup()
        self._hands.drag(self._hands.middle(), self._hands.middle(-0.15, 0.1), Qt.MouseButton.RightButton)
        self._save("right-drag", self._hands.canvas)
        self._hands.key(self._hands.canvas, "1")

    def _read(self) -> None:
        hands, middle = self._hands, self._hands.middle
        hands.viewer.dims.set_current_step(0, _MIDDLE)
        hands.draw(Tool.RULER, middle(-0.3, -0.3), middle(0.35, -0.1))
        hands.draw(Tool.ELLIPSE, middle(-0.35, 0.15), middle(-0.1, 0.4))
        hands.point(middle(0.25, 0.3))
        self._save("measure")

    def _planes(self) -> None:
        button = self._dock.reading.bar.views.button
        self._hands.click(button(Views.PLANES))
        self._hands.click(self._dock.reading.linked.views[1], None)
        self._save("three-planes")
        self._hands.click(button(Views.PLANES))

    def _result(self) -> None:
        hands, results = self._hands, self._dock.results
        hands.press("R")
        results.regions.setCurrentCell(0, 0)
        hands.rest()
        hands.point(hands.middle())
        self._save("result")
        results.threshold.value_box.setValue(2 * results.threshold.level)
        hands.rest()
        self._save("threshold")
        results.threshold.choice.setCurrentIndex(0)
        results.threshold.choice.activated.emit(0)
        hands.rest()

    def _findings(self) -> None:
        hands, results = self._hands, self._dock.results
        table = results.regions
        table.setCurrentCell(0, 0)
        hands.key(table, "A")
        hands.choose_label("lesion")
        hands.write_note("with oedema around it; compare with the earlier scan")
        table.setCurrentCell(1, 0)
        hands.key(table, "X")
        hands.viewer.dims.set_current_step(0, _MIDDLE)
        hands.draw(Tool.FINDING, hands.middle(-0.32, 0.2), hands.middle(-0.16, 0.35))
        table.setCurrentCell(0, 0)
        hands.rest()
        hands.scroll_to(results.regions_section)
        self._save("findings")

    def _why(self) -> None:
        why = self._dock.results.why_section
        why.set_unfolded(True)
        self._hands.rest()
        self._hands.scroll_to(why)
        self._save("why")
        why.set_unfolded(False)

    def _compare(self) -> None:
        button = self._dock.reading.bar.views.button(Views.COMPARE)
        self._hands.click(button)
        self._save("compare")
        self._hands.click(button)

    def _outline(self) -> None:
        look = self._dock.results.look
        look.fill.setCurrentIndex(1)
        self._hands.rest()
        self._save("outline", self._hands.canvas)
        look.fill.setCurrentIndex(0)

    def _list(self) -> None:
        gallery = self._dock.gallery
        self._body.show_page(Page.SCANS)
        self._hands.key(self._hands.card(gallery.references[-1]), "N")  # examined as well
        self._hands.click(gallery.queue_bar.examine_button)
        self._body.show_page(Page.SCANS)
        gallery.tools.choice.setCurrentIndex(list(Order).index(Order.SCORE))
        self._hands.rest()
        self._save("reading-list")

    def _session(self) -> None:
        dock, path = self._dock, self._work / "day.d24fad"
        dock.unsaved.copy()
        self._hands.rest()
        dock.unsaved.row.offer(tuple(autosave_folder().glob("*.d24fad")))
        self._save("restore")
        dock.unsaved.row.offer(())
        dock.keeping.save_session(dock.examination, path)
        self._hands.rest()
        dock.open([path])
        self._hands.rest()
        self._save("session")

    def _report(self) -> None:
        folder = self._work / "report"
        self._dock.keeping.save_report(self._dock.examination, folder)
        self._hands.rest()
        save_small(first_page(folder / "report.pdf"), self._folder / "report.png", _MOST_BYTES)

    def _sheets(self) -> None:
        dock, hands = self._dock, self._hands
        dock.body.keys_button.click()
        hands.rest()
        self._save("keys", dock.key_sheet.sheet)
        dock.key_sheet.sheet.close()
        dock.run_panel.settings.models_button.click()
        hands.rest()
        self._save("models", dock.models.dialog)
        dock.models.dialog.close()
        dock.body.show_page(Page.RUN)
        hands.rest()
        self._save("run")
        preferences = open_preferences(hands)
        self._save("preferences", preferences)
        preferences.close()


def open_preferences(hands: Hands) -> QWidget:
    """Opens napari's preferences on the page of the plugin, as File > Preferences does."""
    dialog: QWidget = hands.viewer.window._open_preferences_dialog()
    hands.rest()
    pages = dialog._list
    own = [row for row in range(pages.count()) if "d24fad" in pages.item(row).text().lower()]
    pages.setCurrentRow(own[0])
    dialog.resize(1065, 620)
    hands.rest()
    return dialog


def first_page(path: Path) -> Image.Image:
    """Draws the first page of a PDF."""
    from PyQt6.QtCore import QSize  # Qt's own reader of PDF, which PyQt5 does not have
    from PyQt6.QtPdf import QPdfDocument

    document = QPdfDocument(None)
    document.load(str(path))
    size = document.pagePointSize(0)
    image = document.render(0, QSize(round(size.width() * 1.4), round(size.height() * 1.4)))
    drawn = path.with_suffix(".png")
    image.save(str(drawn))
    page = Image.open(drawn).convert("RGBA")
    paper = Image.new("RGBA", page.size, "white")
    return Image.alpha_composite(paper, page).convert("RGB")


def main(make: Callable[[Hands, Path, Path], Pictures] = Pictures) -> None:
    """Opens the window, takes the pictures, and closes it."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else _FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        hands = open_window(_SIZE)
        make(hands, folder, Path(work)).take()
        hands.close()


if __name__ == "__main__":
    main()
    isolation.clean()
