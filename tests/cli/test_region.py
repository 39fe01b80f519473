"""``d24fad detect --roi``: which scan a mask belongs to, and what comes of it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pytest

from napari_d24fad import cli
from napari_d24fad.cli.region import open_region
from napari_d24fad.errors import Code, PairingError
from napari_d24fad.studies.study import open_study


def _volume(path: Path, seed: int, shift: float = 0.0, flip: bool = False) -> np.ndarray:
    """Writes a ball in a stack; returns the ball as (slice, row, column) of the file before flipping."""
    z, y, x = np.indices((8, 40, 40), np.float32)
    far = np.hypot(y - 20, x - 20)
    noise = np.random.default_rng(seed).normal(0, 4, far.shape)
    values = np.where(far < 16, 100 + noise, 0).astype(np.float32)
    _write(path, values, shift, flip)
    return np.asarray((far < 8) & (z > 1) & (z < 6))


def _write(path: Path, values: np.ndarray, shift: float = 0.0, flip: bool = False) -> None:
    affine = np.diag([-3.0, -3.0, 8.0, 1.0])
    affine[:3, 3] = (shift, 0, 0)
    data = np.asarray(values, np.float32).T
    if flip:  # the same voxels at the same places, stored from the other end
        affine = affine @ np.array(
            [[-1, 0, 0, data.shape[0] - 1], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]
        )
        data = data[::-1]
    nibabel.save(nibabel.Nifti1Image(data, affine), path)


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    (tmp_path / "normal").mkdir()
    for number in range(3):
        _volume(tmp_path / "normal" / f"{number}.nii.gz", number, shift=10.0 * number)
    ball = _volume(tmp_path / "query.nii.gz", 9, shift=-10)
    _write(tmp_path / "on-query.nii.gz", ball, shift=-10)
    _write(tmp_path / "on-first.nii.gz", ball, shift=0)
    return tmp_path


def _words(folder: Path, model: Path, *more: str) -> list[str]:
    words = ["detect", str(folder / "query.nii.gz"), "--reference", str(folder / "normal")]
    return [*words, "--model", str(model), "--device", "cpu", "--out", str(folder / "out"), *more]


@pytest.mark.parametrize("mask", ["on-query", "on-first"])
def test_only_the_region_is_examined_and_that_is_said(
    stack: Path, model: Path, mask: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(_words(stack, model, "--roi", str(stack / f"{mask}.nii.gz"))) == 0
    told = capsys.readouterr().out
    result = json.loads((stack / "out" / "report.json").read_text())["results"][0]
    assert (result["scoring"], result["plan"]) == ("atlas", "drawn region")
    assert result["examined_region"]["text"] in told
    how = "drawn on this scan" if mask == "on-query" else "carried by place in the anatomy's box"
    assert result["examined_region"]["how"] == how
    found = nibabel.load(stack / "out" / "anomaly.nii.gz").get_fdata()
    ball = nibabel.load(stack / "on-query.nii.gz").get_fdata() > 0
    examined = np.isfinite(found)
    if mask == "on-query":
        np.testing.assert_array_equal(examined, ball)
    else:
        assert 2 * (examined & ball).sum() / (examined.sum() + ball.sum()) > 0.9
    assert result["examined_region"]["share"] == pytest.approx(examined.mean(), rel=1e-3)


def test_of_several_masks_each_scan_takes_its_own_and_others_a_vote(
    stack: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second = nibabel.load(stack / "normal" / "1.nii.gz")
    small = np.zeros(second.shape)
    small[18:26, 18:26, 3:5] = 1
    nibabel.save(nibabel.Nifti1Image(small, second.affine), stack / "on-second.nii.gz")
    masks = [str(stack / f"on-{name}.nii.gz") for name in ("query", "first", "second")]
    assert cli.main(_words(stack, model, "--roi", *masks)) == 0
    region = json.loads((stack / "out" / "report.json").read_text())["results"][0]["examined_region"]
    assert region["how"] == "drawn on this scan"
    by_vote = "carried by place in the anatomy's box, by a vote of 3 outlines"
    assert region["references"] == ["drawn on this scan", "drawn on this scan", by_vote]
    assert "It was drawn on 2 of the 3 references." in region["text"]
    found = nibabel.load(stack / "out" / "anomaly.nii.gz").get_fdata()
    np.testing.assert_array_equal(np.isfinite(found), nibabel.load(masks[0]).get_fdata() > 0)
    capsys.readouterr()
    of = [str(stack / "query.nii.gz"), str(stack / "normal" / "0.nii.gz")]
    assert cli.main(_words(stack, model, "--roi", *masks, "--roi-of", *of)) == 2
    assert "one scan for each file" in capsys.readouterr().err
    assert cli.main(_words(stack, model, "--roi", masks[0], masks[0])) == 4
    assert "P27" in capsys.readouterr().err


def test_a_mask_that_is_stored_from_the_other_end_lies_where_it_lies(tmp_path: Path) -> None:
    ball = _volume(tmp_path / "a.nii.gz", 1)
    ball[:, :, :18] = False  # so that ends differ
    _write(tmp_path / "plain.nii.gz", ball)
    _write(tmp_path / "flipped.nii.gz", ball, flip=True)
    series = open_study(tmp_path / "a.nii.gz").series
    plain, flipped = (
        open_region(tmp_path / f"{n}.nii.gz", None, series).read() for n in ("plain", "flipped")
    )
    np.testing.assert_array_equal(plain, flipped)
    assert plain.sum() == ball.sum()


def test_a_mask_that_fits_none_or_several_scans_is_refused(
    stack: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(stack / "elsewhere.nii.gz", np.indices((8, 40, 40))[0] > 3, shift=4)
    assert cli.main(_words(stack, model, "--roi", str(stack / "elsewhere.nii.gz"))) == 4
    assert "P26" in capsys.readouterr().err
    _volume(stack / "normal" / "same.nii.gz", 7, shift=-10)
    on_query = ["--roi", str(stack / "on-query.nii.gz")]
    assert cli.main(_words(stack, model, *on_query)) == 4
    assert "P27" in capsys.readouterr().err
    assert not (stack / "out").exists()
    assert cli.main(_words(stack, model, *on_query, "--roi-of", str(stack / "query.nii.gz"))) == 0
    wrong = [*on_query, "--roi-of", str(stack / "normal" / "0.nii.gz")]
    assert cli.main(_words(stack, model, *wrong)) == 4
    assert "P26" in capsys.readouterr().err
    assert cli.main(_words(stack, model, "--roi-of", str(stack / "query.nii.gz"))) == 2


def test_a_scan_in_an_archive_is_named_by_the_archive(stack: Path) -> None:
    for name in ("one", "two"):
        with zipfile.ZipFile(stack / f"{name}.zip", "w") as archive:
            archive.write(stack / "query.nii.gz", "q.nii.gz")
    one, two = (open_study(stack / f"{name}.zip").series for name in ("one", "two"))
    drawn = open_region(stack / "on-query.nii.gz", stack / "two.zip", [*one, *two])
    assert drawn.series is two[0]


def test_an_empty_mask_is_refused(stack: Path) -> None:
    _write(stack / "empty.nii.gz", np.zeros((8, 40, 40)), shift=-10)
    with pytest.raises(PairingError) as refused:
        open_region(stack / "empty.nii.gz", None, open_study(stack / "query.nii.gz").series)
    assert refused.value.code is Code.REGION_EMPTY
