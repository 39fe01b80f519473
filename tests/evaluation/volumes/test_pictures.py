"""Slices of lesions: the right ones, the right way round, without anything that says who it is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from PIL import Image

from napari_d24fad import cli
from napari_d24fad.evaluation.figures import canvas
from napari_d24fad.evaluation.figures.lesions import draw_lesions
from napari_d24fad.evaluation.pictured import LesionPicture
from napari_d24fad.evaluation.volumes.cases import VolumeCase
from napari_d24fad.evaluation.volumes.pictures import best_and_worst, caption, lesion_picture
from napari_d24fad.metrics.volumes import Examined, measure_volume
from napari_d24fad.studies.orientation import Orientation
from tests.anatomy.heads import Clot, Head, draw
from tests.evaluation.volumes.sets import make_set


def pictured(turned: bool) -> LesionPicture:
    """A head with a clot on the left, and a false region above it on the right, coloured.

    Args:
        turned: Whether the voxels are stored in another order, with the same places in the patient.
    """
    scan, inside, lesion = draw(Head(spacing=(5.0, 2.5, 2.5), clots=[Clot((35, 20, 25), 9)]))
    false = np.zeros_like(lesion)
    false[26, 40:44, 20:24] = True
    if turned:
        order = Orientation((2, 0, 1), (True, False, True))
        affine = scan.affine @ order.index_transform(scan.grid)
        scan = replace(
            scan, voxels=np.ascontiguousarray(order.apply(scan.voxels)), affine=affine, slice_axis=1
        )
        inside, lesion, false = (np.ascontiguousarray(order.apply(each)) for each in (inside, lesion, false))
    labels = np.where(lesion, 2, false).astype(np.int32)
    examined = Examined(
        values=np.where(inside, 1.0 + labels, np.nan).astype(np.float32),
        score=1.0,
        slice_scores=np.zeros(scan.n_slices, np.float32),
        coloured=labels > 0,
        labels=labels,
        masses=(5.0, 4.0),
        n_told=2,
    )
    found = measure_volume(examined, scan.spacing, scan.slice_axis, lesion, inside).lesion
    assert found is not None
    return lesion_picture(VolumeCase(scan, 4, True, lesion, {}), examined, found, inside)


def test_slices_with_the_lesion_and_with_the_first_region_are_shown_as_on_a_screen() -> None:
    one = pictured(turned=False)
    assert (one.index, one.mass, one.first_region) == (4, 4.0, False)
    assert one.lesion_ml == pytest.approx(4 / 3 * np.pi * 0.9**3, rel=0.15)
    assert one.largest.lesion.any()
    assert not one.largest.region.any()
    assert one.highest.region.sum() == 16
    rows, columns = np.nonzero(one.largest.lesion)
    middle = np.array(one.largest.lesion.shape) / 2
    assert columns.mean() > middle[1] + 8  # the patient's left is on the right
    assert rows.mean() > middle[0]  # posterior is below
    assert np.nonzero(one.highest.region)[1].mean() < middle[1]
    assert (np.isfinite(one.largest.values) == one.largest.lesion).all()
    # Cut to the anatomy: the brain in its range of greys, what is brighter white.
    assert one.largest.image.shape < (88, 76)
    assert one.largest.image[one.largest.lesion].mean() > 200


def test_the_order_of_axes_makes_no_difference() -> None:
    one, other = pictured(turned=False), pictured(turned=True)
    for shown, same in ((one.largest, other.largest), (one.highest, other.highest)):
        np.testing.assert_array_equal(shown.image, same.image)
        np.testing.assert_array_equal(shown.lesion, same.lesion)
        np.testing.assert_array_equal(shown.region, same.region)
        np.testing.assert_array_equal(shown.values, same.values)
    assert one.aspect == other.aspect


def test_no_lesion_is_among_the_best_and_the_worst() -> None:
    one = pictured(turned=False)
    masses = [3.0, -np.inf, 9.0, 1.0, -np.inf]
    peaks = [0.0, 2.0, 0.0, 0.0, 1.0]
    all_five = [
        replace(one, index=at, mass=mass, peak=peak)
        for at, (mass, peak) in enumerate(zip(masses, peaks, strict=True))
    ]
    best, worst = best_and_worst(all_five, 3)
    assert [each.index for each in best] == [2, 0, 3]
    assert [each.index for each in worst] == [4, 1]
    assert best_and_worst(all_five[:1], 3) == ((all_five[0],), ())


@pytest.mark.parametrize("columns", [1, 6])
def test_no_words_of_a_sheet_overlap_or_are_cut_off(
    columns: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, kinds = pictured(turned=False), ("wide ventricles 4.5 mm", "bright blob, faint 20 mm", "")
    all_of_them = [replace(one, index=at, kind=kinds[at % 3], lesion_ml=44.4) for at in range(2 * columns)]
    drawn: list[Figure] = []
    monkeypatch.setattr(canvas, "save_figure", lambda figure, path: drawn.append(figure))
    draw_lesions(
        tmp_path / "sheet.png",
        "ixi_hh_t1, atlas (head T1), 8 references",
        all_of_them[:columns],
        all_of_them[columns:],
        lambda each: caption(each, "abnormal", 100 + each.index, [(each.mass,) * 111]),
    )
    figure = drawn[0]
    FigureCanvasAgg(figure).draw()
    words = [*figure.texts, *(text for axes in figure.axes for text in (axes.title, *axes.texts))]
    words = [text for text in words if text.get_text()]
    assert len(words) == 1 + 6 + 2 * columns
    places = [text.get_window_extent() for text in words]
    for at, place in enumerate(places):
        assert figure.bbox.x0 <= place.x0 < place.x1 <= figure.bbox.x1, words[at].get_text()
        assert figure.bbox.y0 <= place.y0 < place.y1 <= figure.bbox.y1, words[at].get_text()
        for image in figure.findobj(AxesImage):
            assert not place.overlaps(image.get_window_extent().padded(-1)), words[at].get_text()
        assert place.count_overlaps(places) == 1, words[at].get_text()


def test_pictures_are_written_for_each_method(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_set(tmp_path / "ball", n_normal=4)
    words = ["evaluate", str(tmp_path / "ball"), "--out", str(tmp_path / "out"), "--shots", "2,3", "--json"]
    words += ["--draws", "2", "--methods", "brightest", "z-score", "--direction", "brighter"]
    assert cli.main([*words, "--pictures", "2"]) == 0
    told = json.loads(capsys.readouterr().out)
    folder = tmp_path / "out" / told["name"]
    written = sorted(path.name for path in folder.glob("lesions_*.png"))
    assert written == ["lesions_ball_brightest-place.png", "lesions_ball_z-score-in-the-box.png"]
    with Image.open(folder / written[1]) as picture:
        assert set(picture.info) <= {"dpi", "Software"}
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    outline = np.abs(pixels - [0, 229, 255]).sum(axis=2) < 60
    assert outline.sum() > 50
    # The lesions of all three are outlined: two of the best, and of the others one.
    assert outline[: len(outline) // 2].any()
    assert outline[len(outline) // 2 :].any()
