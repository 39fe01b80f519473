"""Brains in made-up heads, and lesions in them: tissue contrast, place, size, and the same for a seed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest

from napari_d24fad.anatomy.find import drawn_region, find_anatomy
from napari_d24fad.anatomy.found import Anatomy
from napari_d24fad.errors import Code, PairingError
from napari_d24fad.evaluation.draws import Draw
from napari_d24fad.evaluation.measure import Plan
from napari_d24fad.evaluation.reading import read_labelled
from napari_d24fad.evaluation.volumes.anatomy import scan_mask
from napari_d24fad.evaluation.volumes.baselines import Extreme
from napari_d24fad.evaluation.volumes.brain import brain_anatomy, find_brain
from napari_d24fad.evaluation.volumes.groups import kind_figures
from napari_d24fad.evaluation.volumes.lesions import KINDS, ImplantedCases
from napari_d24fad.evaluation.volumes.report import save_volumes
from napari_d24fad.evaluation.volumes.run import measure_volumes
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.scan import Scan
from tests.evaluation.volumes.heads import GREY, MM, WHITE, t1_head


def test_the_brain_is_found_within_the_skull_with_its_tissues_and_ventricles() -> None:
    brain = find_brain(t1_head(0))
    assert brain is not None
    volume = np.count_nonzero(brain.depth > 0) * MM**3 / 1000
    assert volume == pytest.approx(4 / 3 * np.pi * 62 * 80 * 66 / 1000, rel=0.06)
    assert brain.grey == pytest.approx(GREY, abs=3)
    assert brain.white == pytest.approx(WHITE, abs=3)
    assert brain.contrast == pytest.approx(WHITE - GREY, abs=5)
    assert brain.ventricles is not None
    expected = 2 * 4 / 3 * np.pi * 9 * 26 * 7 / 1000
    # One of two, or both if they touch.
    assert 0.3 * expected < np.count_nonzero(brain.ventricles) * MM**3 / 1000 < 1.1 * expected


def test_what_is_no_head_has_no_brain() -> None:
    scan = t1_head(0)
    assert find_brain(replace(scan, affine=np.diag([1.0, 1.0, 1.0, 1.0]))) is None  # a head of a rat


def test_lesions_are_measured_in_the_aligned_brain_or_else_in_what_thresholds_find() -> None:
    scan = t1_head(0)
    brain = find_brain(scan)
    assert brain is not None
    whole = scan.voxels > 0

    def refuse(scan: Scan) -> Anatomy:
        raise PairingError(Code.NOT_ALIGNED)

    aligned = brain_anatomy(lambda each: drawn_region(each, whole, (MM,) * 3))(scan)
    np.testing.assert_array_equal(scan_mask(aligned), whole)
    np.testing.assert_array_equal(scan_mask(brain_anatomy(refuse)(scan)), brain.depth > 0)
    rat = replace(scan, affine=np.diag([1.0, 1.0, 1.0, 1.0]))
    np.testing.assert_array_equal(scan_mask(brain_anatomy(refuse)(rat)), scan_mask(find_anatomy(rat)))


@pytest.mark.parametrize("kind", KINDS)
def test_lesions_lie_in_the_brain_and_change_little_else(kind: str) -> None:
    scan = t1_head(1)
    brain = find_brain(scan)
    assert brain is not None
    made = KINDS[kind](scan, brain, np.random.default_rng(3))
    assert made is not None
    voxels, lesion, size = made
    assert lesion.any()
    assert (brain.depth[lesion] > 0).all()
    assert size
    difference = voxels - scan.voxels
    outside = np.abs(difference[brain.depth == 0])
    assert outside.max() < 0.05 * brain.contrast  # the blur of an edge at most
    inside = difference[lesion]
    if kind.startswith(("bright", "dark")):
        peak = np.abs(inside).max() / brain.contrast
        low, high = (0.2, 0.6) if kind.endswith("faint") else (1.0, 1.5)
        assert np.sign(inside.mean()) == (1 if kind.startswith("bright") else -1)
        # A ball of 4 mm has its blurred edge everywhere, and a voxel of 3 mm next to its centre.
        assert 0.5 * low < peak <= high * 1.001
    again = KINDS[kind](scan, brain, np.random.default_rng(3))
    assert again is not None
    np.testing.assert_array_equal(again[0], voxels)
    other = KINDS[kind](scan, brain, np.random.default_rng(4))
    assert other is not None
    assert not np.array_equal(other[0], voxels)


def test_a_blob_in_words_is_as_large_as_it_says() -> None:
    scan = t1_head(1)
    brain = find_brain(scan)
    assert brain is not None
    for seed in range(6):
        made = KINDS["bright blob, clear"](scan, brain, np.random.default_rng(seed))
        assert made is not None
        _, lesion, size = made
        low, high = (int(part) for part in size.removesuffix(" mm").split("-"))
        diameter = (np.count_nonzero(lesion) * MM**3 * 6 / np.pi) ** (1 / 3)
        assert low - 1.5 <= diameter <= high + 1.5


def write_heads(folder: Path, count: int) -> None:
    folder.mkdir(parents=True)
    for seed in range(count):
        scan = t1_head(seed)
        image = nibabel.Nifti1Image(np.asarray(scan.voxels).T, np.diag([-MM, -MM, MM, 1.0]))
        nibabel.save(image, folder / f"{seed}.nii.gz")


def test_scans_are_examined_as_they_are_and_with_one_lesion_of_each_kind(tmp_path: Path) -> None:
    write_heads(tmp_path / "heads" / "normal", 4)
    (task,) = read_labelled(tmp_path, shots=2, normal_only=True)
    cases = ImplantedCases(seed=0, most=1)
    draw = Draw((0, 1), (2, 3))
    assert cases.count(task, draw) == 2 + len(KINDS)
    first = list(cases.each(task, draw, CancelToken()))
    assert [case.kind for case in first if case.abnormal] == list(KINDS)
    assert [case.index for case in first if not case.abnormal] == [2, 3]
    assert all((case.lesion is None) is not case.abnormal for case in first)
    again = list(cases.each(task, draw, CancelToken()))
    assert [case.scan.content_hash() for case in again] == [case.scan.content_hash() for case in first]
    result = measure_volumes(task, [Extreme(1)], cases, Plan((2,), 1, 0))
    found = kind_figures(result.draws[0])
    assert [kind for kind, size in found if not size] == list(KINDS)
    assert found["bright blob, clear", ""]["lesions"] == 1
    assert {size for kind, size in found if kind == "dots"} == {"", "3-6 mm"}
    assert found["ring mass", ""]["score rises"] in (0.0, 1.0)
    sizes = ("16-24 mm", "3-6 mm", "8-12 mm")
    clean = [each for each in result.draws[0].queried if not each.kind]
    dots = next(each for each in result.draws[0].queried if each.kind == "dots")
    queried = (*clean, *(replace(dots, size=size) for size in sizes))
    several = replace(result.draws[0], queried=queried)
    assert [size for _, size in kind_figures(several)] == ["", "3-6 mm", "8-12 mm", "16-24 mm"]
    save_volumes(tmp_path / "out", "implanted-both", [result], Plan((2,), 1, 0), {})
    table = (tmp_path / "out" / "implanted-both" / "volumes.md").read_text()
    assert "| brightest place | ring mass | all | 1.00 | " in table
    assert "| brightest place | dots | 3-6 mm | 1.00 | " in table
