from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from napari_d24fad.cli import main


def test_table_json_and_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["benchmark", "--teacher", "compact", "--size", "64", "--shots", "2", "--repeats", "1"]
    arguments += ["--device", "cpu"]
    assert main([*arguments, "--plot", str(tmp_path / "speed.png")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("compact, 64 x 64 px, cpu")
    rows = [line for line in lines if line.startswith("| engine")]
    assert len(rows) == 3
    with Image.open(tmp_path / "speed.png") as picture:
        assert picture.size[0] > 500
    assert main([*arguments, "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)
    ways = {(each["name"], each["shots"]) for each in measured["images"]}
    assert ways == {("published loop", 2), ("network alone", 0), ("engine", 2)}
    assert measured["product_gflops"]["float32"] > 0
    assert measured["volume"] is None


def test_a_volume_with_another_teacher(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["benchmark", "--teacher", "resnet18", "--size", "64", "--shots", "2", "--repeats", "1"]
    assert main([*arguments, "--device", "cpu", "--volume", "4", "--volume-teacher"]) == 0
    found = capsys.readouterr().out
    assert "A CT of 4 slices of 512 x 512, as many in each of 8 references, model resnet18; " in found


def test_a_disc(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark", "--disc", "6", "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)
    assert (measured["files"], measured["series"]) == (6, 1)
    assert 0 < measured["first_s"] <= measured["seconds"]
    assert main(["benchmark", "--disc", "6"]) == 0
    assert capsys.readouterr().out.startswith("A disc of 6 files, 1 series: the first after ")


@pytest.mark.parametrize("wrong", [["--size", "100"], ["--teacher", "alexnet"], ["--device", "cuda:99"]])
def test_wrong_arguments_are_refused(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark", *wrong]) != 0
    assert capsys.readouterr().err.startswith("d24fad: error ")


def test_a_reading_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark", "--cases", "4", "--device", "cpu", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["cases"] == 4
    assert min(told["examine_ms"], told["list_ms"], told["again_ms"], told["save_s"], told["open_s"]) > 0
