import numpy as np
import pytest

from napari_d24fad.detection.encoding.intensity import (
    CT_WINDOWS,
    name_windows,
    usual_window,
    usual_windows,
    window_of,
)
from napari_d24fad.errors import Code, StudyError
from napari_d24fad.studies.scan import Photometric, Scan, SeriesIdentity


def scan(values: object, **more: object) -> Scan:
    voxels = np.atleast_3d(np.asarray(values))
    return Scan(voxels, np.eye(4), **more)  # type: ignore[arg-type]  # keyword pass-through


def test_ct_is_fixed_in_hounsfield_units() -> None:
    window = window_of(scan(np.linspace(-1000, 3000, 64).reshape(4, 4, 4), modality="CT"))
    assert window.apply(np.array([-1000, -160, 40, 240, 3000])).tolist() == pytest.approx([0, 0, 0.5, 1, 1])
    narrow = window_of(scan(np.zeros((1, 2, 2)), modality="CT"), (0, 80))
    assert narrow.apply(np.array([40])).tolist() == pytest.approx([0.5])


@pytest.mark.parametrize(
    ("body_part", "stated", "window"),
    [
        ("CHEST", (-160.0, 240.0), (-1000, 400)),
        ("CHESTABDPELVIS", None, (-1000, 400)),
        ("LUNG", None, (-1000, 400)),
        ("HEAD", (-450.0, 1050.0), (0, 80)),
        ("HEADNECK", (-60.0, 140.0), (-60, 140)),
        ("ABDOMEN", (-110.0, 190.0), (-110, 190)),
        ("", (-1350.0, 150.0), (-1350, 150)),
        ("", None, (-160, 240)),
    ],
)
def test_ct_is_seen_as_its_body_part_or_else_its_header_asks(
    body_part: str, stated: tuple[float, float] | None, window: tuple[float, float]
) -> None:
    identity = SeriesIdentity(body_part=body_part)
    known = {"identity": identity, "stated_window": stated}
    assert usual_window(scan(np.zeros((1, 2, 2)), modality="CT", **known)) == window
    assert usual_window(scan(np.zeros((1, 2, 2)), modality="MR", **known)) == (-160, 240)


def test_in_a_chest_every_tissue_is_another_grey() -> None:
    chest = scan(np.zeros((1, 2, 2)), modality="CT", identity=SeriesIdentity(body_part="CHEST"))
    tissues = np.array([-960, -850, -600, -100, 0, 50, 300])  # emphysema, lung, ground glass, fat, water...
    for windows in ((usual_window(chest),), usual_windows(chest)):
        greys = (255 * window_of(chest, *windows).apply(tissues)).round()
        assert np.diff(greys).min() >= 9


@pytest.mark.parametrize(
    ("body_part", "stated", "windows"),
    [
        ("HEAD", None, ("Brain", "Subdural", "Bone")),
        ("BRAIN", (-450.0, 1050.0), ("Brain", "Subdural", "Bone")),
        ("CHESTABDPELVIS", None, ("Lung", "Soft tissue")),
        ("ABDOMEN", None, ("Soft tissue", "Bone")),
        ("", (-450.0, 1050.0), ("Bone",)),
    ],
)
def test_ct_is_examined_in_the_windows_that_its_body_part_is_read_in(
    body_part: str, stated: tuple[float, float] | None, windows: tuple[str, ...]
) -> None:
    known = {"identity": SeriesIdentity(body_part=body_part), "stated_window": stated}
    ct = scan(np.zeros((1, 2, 2)), modality="CT", **known)
    assert usual_windows(ct) == tuple(CT_WINDOWS[name] for name in windows)


def test_joined_windows_show_what_differs_in_any_of_them() -> None:
    """Clot in brain, a hygroma at its rim, and a fracture of bone: each pair differs in the joined grey."""
    head = scan(np.zeros((1, 2, 2)), modality="CT", identity=SeriesIdentity(body_part="HEAD"))
    joined = window_of(head, *usual_windows(head))
    ramp = np.arange(-1000, 2000, dtype=np.float32)
    greys = joined.apply(ramp)
    assert (np.diff(greys) >= 0).all()
    assert (greys.min(), greys.max()) == (0, 1)
    for low, high in ((35, 65), (100, 170), (400, 1000)):
        low_grey, high_grey = joined.apply(np.array([low, high]))
        assert high_grey - low_grey > 0.08
    own = [window_of(head, window).apply(ramp) for window in usual_windows(head)]
    np.testing.assert_allclose(greys, np.mean(own, axis=0), atol=1e-6)


def test_windows_are_named_by_what_they_are_for() -> None:
    head = scan(np.zeros((1, 2, 2)), modality="CT", identity=SeriesIdentity(body_part="HEAD"))
    said = "brain 0 to 80, subdural -20 to 180 and bone -450 to 1050 HU"
    assert name_windows(usual_windows(head)) == said
    assert name_windows([(-100.0, 100.0)]) == "-100 to 100 HU"


def test_mr_does_not_depend_on_the_scanners_scale_or_the_air() -> None:
    r = np.random.default_rng(0)
    tissue = r.normal(500, 80, (8, 64, 64))
    little = np.pad(tissue, ((0, 0), (8, 8), (8, 8)))
    much = np.pad(tissue, ((0, 0), (64, 64), (64, 64)))
    value = np.array([500.0])
    first = window_of(scan(little, modality="MR")).apply(value)
    assert window_of(scan(little * 7 + 0, modality="MR")).apply(value * 7) == pytest.approx(first, abs=1e-5)
    assert window_of(scan(much, modality="MR")).apply(value) == pytest.approx(first, abs=0.03)


def test_monochrome1_is_turned_bright() -> None:
    ramp = np.arange(1000.0).reshape(1, 25, 40)
    plain = window_of(scan(ramp)).apply(ramp)
    inverse = window_of(scan(1000 - ramp, photometric=Photometric.BRIGHT_TO_DARK)).apply(1000 - ramp)
    assert np.abs(plain - inverse).max() < 0.6  # other percentiles, but the same sense
    assert np.corrcoef(plain.ravel(), inverse.ravel())[0, 1] > 0.9


def test_colour_is_as_it_is() -> None:
    image = np.arange(48, dtype=np.uint8).reshape(1, 4, 4, 3)
    window = window_of(Scan(image, np.eye(4), photometric=Photometric.COLOUR))
    assert np.allclose(window.apply(image), image / 255)


def test_padding_is_black_and_constant_is_refused() -> None:
    ramp = np.arange(100.0).reshape(1, 10, 10)
    ramp[0, 0] = np.nan
    assert window_of(scan(ramp)).apply(ramp)[0, 0].tolist() == [0] * 10
    with pytest.raises(StudyError) as refusal:
        window_of(scan(np.full((2, 4, 4), 7)))
    assert refusal.value.code is Code.CONSTANT_IMAGE


def test_values_of_every_column_decide_the_window() -> None:
    """A volume whose size makes the sampling step one row: 391 x 512 x 512, the first column air."""
    row = np.concatenate([np.zeros(1), np.linspace(100, 200, 511)]).astype(np.float32)
    window = window_of(scan(np.broadcast_to(row, (391, 512, 512)), modality="MR"))
    assert window.low == pytest.approx(100, abs=2)
    assert window.high == pytest.approx(200, abs=2)


def test_measured_quantities_have_no_polarity() -> None:
    for modality, inverted in (("CT", False), ("PT", False), ("DX", True)):
        ramp = scan(np.arange(100.0), modality=modality, photometric=Photometric.BRIGHT_TO_DARK)
        assert window_of(ramp).inverted is inverted
