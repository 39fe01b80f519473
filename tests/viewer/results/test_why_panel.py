from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari.utils.theme import get_theme
from qtpy.QtCore import QPoint, Qt

from napari_d24fad.detection.explain import Explanation
from napari_d24fad.viewer.results.weight_bars import SCALE_COLOURS, scale_legend
from napari_d24fad.viewer.results.why_panel import WhyPanel

WEIGHTS = np.array([[0.2, 0.1, 0.0], [0.5, 0.6, 1.0], [0.3, 0.3, 0.0]], np.float32)


@pytest.fixture
def explanation() -> Explanation:
    image = np.full((40, 20), 90, np.uint8)  # 40 x 20 pixels of 1 x 2 mm: a square in the patient
    ssd = np.full((40, 20), 0.1, np.float32)
    ssd[:4], ssd[30:36, 12:18] = np.nan, 0.8
    return Explanation(
        slice_index=3,
        weights=WEIGHTS,
        reference_index=1,
        reference_slice_index=5,
        query_image=image,
        reference_image=image // 2,
        query_pixel=(1.0, 2.0),
        reference_pixel=(1.0, 1.0),
        maps={"SSD": ssd, "TSD": ssd / 2},
    )


@pytest.fixture
def panel(qtbot, explanation: Explanation) -> WhyPanel:
    widget = WhyPanel()
    qtbot.addWidget(widget)
    widget.resize(420, 300)
    widget.show()
    widget.show_explanation(explanation, 7, 5)
    return widget


def test_pictures_have_the_proportions_of_the_patient_and_their_grey_values(panel: WhyPanel) -> None:
    query, reference = (panel.picture(name).pixmap() for name in ("query", "reference"))
    assert query.width() == query.height()
    assert reference.height() == 2 * reference.width()
    assert query.toImage().pixelColor(30, 30).red() == 90
    assert reference.toImage().pixelColor(10, 30).red() == 45


def test_maps_are_coloured_apart_and_grey_where_nothing_was_examined(panel: WhyPanel) -> None:
    for name, highest in (("SSD", "0.8"), ("TSD", "0.4")):
        picture = panel.picture(name).pixmap().toImage()
        side = picture.width()
        unexamined, low, high = (
            picture.pixelColor(round(side * x), round(side * y)).getRgb()[:3]
            for x, y in ((0.5, 0.04), (0.2, 0.5), (0.75, 0.825))
        )
        assert max(unexamined) - min(unexamined) == 0
        assert max(low) - min(low) > 20, "a low distance is still coloured"
        assert sum(high) > sum(low) + 150, "and a high one is brighter"
        assert panel.caption(name) == f"{name} to {highest}"


def test_captions_number_slices_and_references(panel: WhyPanel) -> None:
    assert panel.caption("query") == "Slice 7"
    assert panel.caption("reference") == "Ref. 2, slice 5"


def test_a_single_image_has_no_slices(panel: WhyPanel, explanation: Explanation) -> None:
    panel.show_explanation(explanation, None, None)
    assert panel.caption("query") == "This image"
    assert panel.caption("reference") == "Ref. 2"


def test_click_on_bars_or_picture_asks_for_the_reference(qtbot, panel: WhyPanel) -> None:
    for reference in (2, 0):
        place = panel.bars.group(reference).center().toPoint()
        with qtbot.waitSignal(panel.reference_requested) as asked:
            qtbot.mouseClick(panel.bars, Qt.MouseButton.LeftButton, pos=place)
        assert asked.args == [reference]
    with qtbot.waitSignal(panel.reference_requested) as asked:
        qtbot.mouseClick(panel.picture("reference"), Qt.MouseButton.LeftButton)
    assert asked.args == [1]


def test_arrow_keys_walk_through_the_references(qtbot, panel: WhyPanel) -> None:
    asked: list[int] = []
    panel.bars.reference_requested.connect(asked.append)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Left):
        qtbot.keyClick(panel.bars, key)
    assert asked == [2, 2, 1]


def test_bars_are_as_high_as_the_weights(panel: WhyPanel) -> None:
    picture = panel.bars.grab().toImage()

    def height(reference: int, scale: int) -> int:
        group = panel.bars.group(reference)
        wanted = SCALE_COLOURS[scale].getRgb()[:3]
        columns = range(round(group.left()), round(group.right()))
        rows = range(round(group.top()), round(group.bottom()))
        drawn = {y for y in rows for x in columns if picture.pixelColor(QPoint(x, y)).getRgb()[:3] == wanted}
        return len(drawn)

    whole = panel.bars.group(0).height()
    for reference, shares in enumerate(WEIGHTS[:, :2]):
        for scale, share in enumerate(shares):
            assert height(reference, scale) == pytest.approx(whole * share, abs=2)
    described = panel.bars.accessibleDescription()
    assert "Reference 2: 50 % (fine), 60 % (middle), 100 % (coarse)" in described


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_bars_can_be_seen_on_every_theme(theme: str) -> None:
    def luminance(red: float, green: float, blue: float) -> float:
        linear = (np.array([red, green, blue]) / 255) ** 2.2
        return float(linear @ (0.2126, 0.7152, 0.0722))

    behind = luminance(*get_theme(theme).background.as_rgb_tuple()[:3])
    for colour in SCALE_COLOURS:
        low, high = sorted((behind, luminance(*colour.getRgb()[:3])))
        assert (high + 0.05) / (low + 0.05) > 1.5, colour.name()


def test_two_scales_are_the_middle_and_the_coarse_one(panel: WhyPanel) -> None:
    panel.bars.show_weights(WEIGHTS[:, 1:], 0)
    assert "Reference 2: 60 % (middle), 100 % (coarse)" in panel.bars.accessibleDescription()
    assert "fine" not in scale_legend(2)
    assert scale_legend(3).count("■") == 3


def test_message_takes_the_place_of_an_explanation(qtbot, panel: WhyPanel) -> None:
    panel.show_message("Comparing…", busy=True)
    assert panel.is_busy
    assert panel.bars.isVisible(), "nothing jumps while the next slice is compared"
    with qtbot.waitSignal(panel.cancel_requested):
        qtbot.mouseClick(panel.cancel_button, Qt.MouseButton.LeftButton)
    panel.show_message("Stopped.")
    assert not panel.is_busy
    assert not panel.bars.isVisible()
    assert panel.message == "Stopped."


def test_pictures_follow_the_width_and_do_not_keep_the_dock_wide(panel: WhyPanel) -> None:
    assert panel.minimumSizeHint().width() <= 280
    abreast = {panel.picture(name).mapTo(panel, QPoint()).y() for name in ("query", "SSD")}
    assert len(abreast) == 1
    panel.resize(280, 500)
    panel.layout().activate()
    assert panel.picture("SSD").height() > 130


def test_a_teacher_alone_has_no_published_distances_to_show(
    panel: WhyPanel, explanation: Explanation
) -> None:
    panel.show_explanation(replace(explanation, maps={}), 1, 1)
    assert [panel.picture(name).isVisible() for name in ("query", "reference", "SSD", "TSD")] == [
        True,
        True,
        False,
        False,
    ]
    panel.show_explanation(explanation, 1, 1)
    assert panel.picture("SSD").isVisible()
