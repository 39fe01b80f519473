"""``d24fad detect --abnormal``: kinds, masks and slices of the examples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_d24fad.cli import examples
from napari_d24fad.cli.arguments import Parser
from napari_d24fad.errors import Code, D24fadError
from napari_d24fad.session.request import Drawn, Example


def opened(*words: str | Path) -> tuple[Example, ...]:
    command = Parser()
    examples.add_options(command)
    arguments = command.parse_args([str(word) for word in words])
    arguments.volume, arguments.resample = None, False
    examples.check(arguments)
    return examples.open_examples(arguments)[0]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for number, side in enumerate((40, 48, 40)):
        pixels = np.random.default_rng(number).integers(0, 256, (48, side, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    for name, side in (("mask.png", 48), ("other.png", 40)):
        mask = np.zeros((48, side), np.uint8)
        mask[3:9, 4:7] = 255
        Image.fromarray(mask).save(tmp_path / name)
    return tmp_path


def test_a_kind_stands_before_the_path_and_a_mask_belongs_to_the_example_it_lies_on(pictures: Path) -> None:
    named = [f"a bleed={pictures / '0.png'}", pictures / "1.png"]
    first, second = opened("--abnormal", *named, "--lesion", pictures / "mask.png")
    assert (first.kind, second.kind, first.lesion) == ("a bleed", "", None)
    assert isinstance(second.lesion, Drawn)
    assert np.argwhere(second.lesion.read()[0]).min(axis=0).tolist() == [3, 4]
    odd = pictures / "x=y.png"
    (pictures / "0.png").rename(odd)
    (only,) = opened("--abnormal", odd)  # its name, not a kind
    assert only.kind == ""


def test_slices_are_counted_from_one_and_stated_for_each_example(scans: Path) -> None:
    volumes = [scans / "query.nii.gz", scans / "normal" / "1.nii.gz"]
    first, second = opened("--abnormal", *volumes, "--lesion-slices", "2-4,6", "-")
    assert (first.lesion, second.lesion) == ((1, 2, 3, 5), None)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--lesion-slices", "1"), Code.BAD_ARGUMENT),
        (("--abnormal", "0.png", "1.png", "--lesion-slices", "1"), Code.BAD_ARGUMENT),
        (("--abnormal", "0.png", "--lesion-slices", "one"), Code.BAD_ARGUMENT),
        (("--abnormal", "0.png", "--lesion-slices", "2"), Code.LESION_SLICES_UNKNOWN),
        (("--abnormal", "0.png", "--lesion-slices", "1", "--lesion", "other.png"), Code.BAD_ARGUMENT),
        (("--abnormal", "0.png", "--lesion", "mask.png"), Code.REGION_UNMATCHED),
        (("--abnormal", "0.png", "2.png", "--lesion", "other.png"), Code.REGION_AMBIGUOUS),
        (("--abnormal", "0.png", "--lesion-of", "0.png"), Code.BAD_ARGUMENT),
    ],
)
def test_what_does_not_go_together_is_refused(
    pictures: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], code: Code
) -> None:
    monkeypatch.chdir(pictures)
    with pytest.raises(D24fadError) as caught:
        opened(*words)
    assert caught.value.code is code
