from __future__ import annotations

from dataclasses import replace

import numpy as np

from napari_d24fad.studies.scan import SeriesIdentity
from napari_d24fad.viewer.canvas.style import window_text
from napari_d24fad.viewer.reading.presets import presets_of
from tests.heads import chest_ct, head


def test_ct_has_the_usual_windows_under_the_same_keys_and_that_of_the_header_first() -> None:
    chest = chest_ct(0)
    listed = presets_of(chest)
    by_key = {each.key: (each.name, window_text(each.limits)) for each in listed}
    # Widths and levels as radiology teaches them (Radiopaedia, "Windowing (CT)").
    assert by_key[2] == ("Brain", "W 80  L 40")
    assert by_key[5] == ("Bone", "W 1500  L 300")
    assert by_key[6] == ("Lung", "W 1500  L −600")
    assert by_key[7] == ("Mediastinum", "W 350  L 50")
    assert by_key[8] == ("Abdomen", "W 400  L 40")
    assert by_key[9] == ("Liver", "W 150  L 30")
    assert [each.name for each in listed[:3]] == ["Usual", "Bone", "Lung"]
    stated = replace(chest, stated_window=(-100.0, 300.0), identity=SeriesIdentity(body_part="HEAD"))
    first, second, *_ = presets_of(stated)
    assert (first.key, first.name, first.limits) == (1, "As the file says", (-100.0, 300.0))
    assert second.name == "Brain"


def test_scans_without_a_scale_have_percentiles_and_colour_has_none() -> None:
    scan = head(0)
    by_name = {each.name: each.limits for each in presets_of(scan)}
    np.testing.assert_allclose(by_name["1 to 99 %"], np.percentile(scan.voxels, (1, 99)), rtol=0.02, atol=1)
    assert by_name["All values"] == (scan.voxels.min(), scan.voxels.max())
    suv = presets_of(replace(scan, modality="PT", unit="SUV"))
    assert {each.limits for each in suv if each.key == 3} == {(0.0, 5.0)}
