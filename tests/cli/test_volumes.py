"""``d24fad evaluate`` of volumes: which way is taken, what is printed and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_d24fad import cli
from napari_d24fad.anatomy.find import find_anatomy
from napari_d24fad.cli.parser import read_arguments
from napari_d24fad.cli.volumes import _heads, _methods, are_measured
from napari_d24fad.evaluation.reading import read_labelled
from tests.evaluation.images import make_task
from tests.evaluation.volumes.sets import body, make_set, save


def test_a_set_of_volumes_is_measured_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_set(tmp_path / "ball")
    words = [
        "evaluate",
        str(tmp_path / "ball"),
        "--out",
        str(tmp_path / "out"),
        "--shots",
        "3",
        "--draws",
        "2",
    ]
    words += ["--methods", "brightest", "z-score"]
    assert cli.main([*words, "--direction", "brighter", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["schema"], told["direction"], told["draws"], told["shots"]) == (
        "d24fad-volumes/1",
        "brighter",
        2,
        [3],
    )
    (found,) = told["sets"]
    assert (found["set"], found["normal"], found["abnormal"], found["outlined"]) == ("ball", 6, 3, 3)
    assert [method["method"] for method in found["methods"]] == ["brightest place", "z-score in the box"]
    assert (tmp_path / "out" / "volumes-brighter" / "volumes.md").is_file()


def test_the_model_is_measured_beside(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_set(tmp_path / "ball", n_normal=4, n_abnormal=1)
    words = ["evaluate", str(tmp_path), "--task", "ball", "--out", str(tmp_path / "out"), "--shots", "3"]
    assert cli.main([*words, "--draws", "1", "--model", str(model), "--device", "cpu"]) == 0
    printed = capsys.readouterr().out
    assert "| brightest place | " in printed
    assert "| darkest place | " in printed
    assert "| z-score in the box | " in printed
    assert "| matched | " in printed
    assert "| single statistic | " in printed
    report = json.loads((tmp_path / "out" / "volumes-default" / "volumes.json").read_text())
    assert (report["model"], report["device"]) == ("random", "cpu")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--task", "hand", "--implant"], "--implant is of tasks that hold grey volumes."),
        (["--task", "hand", "--direction", "darker"], "--direction is of tasks that hold grey volumes."),
        (["--task", "ball", "--implant", "--reliability"], "--implant does not go with --reliability."),
        (
            ["--task", "ball", "--methods", "model", "--protocol", "published"],
            "--methods does not go with --protocol published.",
        ),
        (
            ["--task", "ball", "hand"],
            "These tasks hold volumes, the others do not: ball. Name some with --task.",
        ),
        (
            ["--task", "ball", "--abnormal-shots", "1", "--methods", "brightest"],
            "--abnormal-shots goes, of volumes, with the methods atlas and model and without --implant.",
        ),
        (
            ["--task", "ball", "--abnormal-shots", "1", "--methods", "atlas"],
            "--abnormal-shots: ball is not compared place by place; within --roi it is, and the method model "
            "learns slice by slice.",
        ),
    ],
)
def test_refusals(tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str) -> None:
    make_task(tmp_path / "data" / "hand", n_normal=4, n_abnormal=1)
    make_set(tmp_path / "data" / "ball", n_normal=4, n_abnormal=1)
    command = ["evaluate", str(tmp_path / "data"), "--out", str(tmp_path / "out"), "--shots", "2"]
    assert cli.main([*command, *words]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_what_is_no_head_gets_no_lesions_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_set(tmp_path / "ball", n_normal=4, n_abnormal=0)
    words = ["evaluate", str(tmp_path / "ball"), "--out", str(tmp_path / "out"), "--shots", "2"]
    assert cli.main([*words, "--draws", "1", "--implant", "--methods", "brightest"]) == 2
    told = capsys.readouterr().err
    assert "--implant: no brain of a T1-weighted head was found in ball." in told
    assert not (tmp_path / "out").exists()


def test_options_that_only_images_have_choose_the_evaluation_of_images(tmp_path: Path) -> None:
    make_set(tmp_path / "ball", n_normal=3, n_abnormal=1)
    tasks = read_labelled(tmp_path)
    for words, expected in (
        ([], True),
        (["--scoring", "paper"], True),
        (["--protocol", "published"], False),
        (["--reliability"], False),
        (["--leave-one-task-out"], False),
        (["--without-tsd", "compact"], False),
        (["--ablation"], False),
    ):
        assert are_measured(read_arguments(["evaluate", "data", *words]), tasks) is expected


def test_implanted_lesions_are_measured_with_the_plans_of_t1_heads(tmp_path: Path) -> None:
    make_set(tmp_path / "ball", n_normal=4, n_abnormal=1)
    words = ["evaluate", str(tmp_path / "ball"), "--out", str(tmp_path / "out"), "--methods", "atlas"]
    (task,) = read_labelled(tmp_path / "ball")
    without, implanted = (
        _methods(read_arguments([*words, *more]), task, find_anatomy, heads)
        for more, heads in (([], None), (["--implant"], _heads()))
    )
    assert [method.name for method in without] == []
    assert [method.name for method in implanted] == ["atlas (head T1)", "atlas (volume)"]


def test_only_outlines_are_measured_where_that_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_set(tmp_path / "ball", n_normal=4, n_abnormal=2, organ=True)
    words = ["evaluate", str(tmp_path), "--task", "ball", "--shots", "3", "--draws", "1"]
    words += ["--out", str(tmp_path / "out"), "--methods", "brightest", "atlas", "--roi"]
    assert cli.main([*words, "own"]) == 2  # normal scans have no outline
    assert "A01" in capsys.readouterr().err
    for path in (tmp_path / "ball" / "normal").iterdir():
        number = int(path.name.removeprefix("n").removesuffix(".nii.gz"))
        save(tmp_path / "ball" / "anatomy" / path.name, body(number).astype(np.uint8))
    for how in ("own", "carried", "voted"):
        assert cli.main([*words, how, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["roi"] == how
        (found,) = told["sets"]
        names = [method["method"] for method in found["methods"]]
        assert names == ["brightest place", "atlas (drawn region)"]
        assert (tmp_path / "out" / f"volumes-default-roi-{how}" / "volumes.md").is_file()
    assert cli.main([*words, "own", "--implant"]) == 2
