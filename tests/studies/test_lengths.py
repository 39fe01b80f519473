"""Every length leaves a number to read, in whatever unit that takes."""

from __future__ import annotations

import pytest

from napari_d24fad.studies.lengths import area_text, lengths_text, round_length_text, size_text, volume_text


@pytest.mark.parametrize(
    ("lengths", "text"),
    [
        ((4.1, 1.7, 2.2), "4.1 x 1.7 x 2.2 mm"),
        ((1.0, 0.07, 0.07), "1 x 0.07 x 0.07 mm"),
        ((0.002, 0.00025, 0.00025), "2 x 0.25 x 0.25 µm"),
        ((5.0, 0.005), "5000 x 5 µm"),
        ((0.00003, 0.000004), "30 x 4 nm"),
        ((0.0000001,), "0.1 nm"),
        ((1500.0,), "1500.0 mm"),
    ],
)
def test_lengths(lengths: tuple[float, ...], text: str) -> None:
    assert lengths_text(lengths) == text


def test_a_position_is_told_as_exactly_as_slices_lie() -> None:
    assert lengths_text([0.0], finest=2.5) == "0.0 mm"
    assert lengths_text([0.0125], finest=0.0005) == "12.5 µm"


@pytest.mark.parametrize(
    ("length", "text"), [(50, "50 mm"), (0.5, "0.5 mm"), (0.02, "20 µm"), (0.0002, "0.2 µm"), (5e-6, "5 nm")]
)
def test_scale_bars(length: float, text: str) -> None:
    assert round_length_text(length) == text


def test_areas_and_volumes() -> None:
    assert volume_text(12345.6) == "12.3 ml"
    assert volume_text(1000) == "1.0 ml"
    assert volume_text(999) == "999 mm³"
    assert volume_text(234_567) == "235 ml"
    assert volume_text(1.26) == "1.26 mm³"
    assert volume_text(6.4e-8) == "64 µm³"
    assert area_text(25.4) == "25 mm²"
    assert area_text(0.0004) == "400 µm²"
    assert area_text(1e-9) == "1,000 nm²"


def test_a_size_is_volume_or_area_or_pixels() -> None:
    assert size_text(4600, None, 300) == "4.6 ml"
    assert size_text(None, 25.4, 300) == "25 mm²"
    assert size_text(None, None, 12345) == "12,345 pixels"
