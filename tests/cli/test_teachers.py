"""Teachers of others as they are typed: listed, fetched, trained beside, and examined with."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from napari_d24fad import cli
from napari_d24fad.benchmark.images import measure_images
from napari_d24fad.errors import Code, ModelError
from napari_d24fad.network import teacher_weights
from napari_d24fad.network.checkpoint import load_model
from napari_d24fad.network.d24fad import build_network
from napari_d24fad.network.teachers import catalogue
from napari_d24fad.network.teachers.build import build_teacher
from napari_d24fad.progress import CancelToken, silent
from tests.network.teachers.conftest import lively
from tests.network.teachers.small import make_teachers_small
from tests.network.weights_server import WeightsServer


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working folder and an empty cache, and teachers that take no time."""
    make_teachers_small(monkeypatch)
    monkeypatch.setenv("D24FAD_CACHE", str(tmp_path / "kept"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.chdir(tmp_path)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield tmp_path
    torch.set_num_threads(threads)


def weights(teacher: str, path: Path, factor: float = 1.0) -> Path:
    state = lively(build_teacher(teacher)).state_dict()
    save_file({name: factor * tensor.contiguous() for name, tensor in state.items()}, path)
    return path


def install(teacher: str, here: Path, factor: float = 1.0) -> None:
    path = weights(teacher, here / "model.safetensors", factor)
    words = ["models", "import", str(path), "--teacher", teacher, "--accept-licence"]
    assert cli.main(words) == 0


def test_the_list_tells_size_licence_and_whether_they_are_here(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install("rad_dino", here)
    capsys.readouterr()
    assert cli.main(["models", "list"]) == 0
    told = capsys.readouterr().out
    for line in (
        r"^compact +compact +matched +the tool ",
        r"^rad_dino +rad_dino +matched +others +RAD-DINO ViT-B/14 alone, without a student$",
        r"^dinov2_vits14 +DINOv2 ViT-S/14 +88 MB +Apache-2\.0 +not installed$",
        r"^rad_dino +RAD-DINO ViT-B/14 +346 MB +MIT +installed$",
        r"^radimagenet_resnet50 +RadImageNet ResNet-50 +94 MB +CC BY 4\.0 +not installed \(import only\)$",
    ):
        assert re.search(line, told, re.MULTILINE), line
    assert cli.main(["models", "list", "--json"]) == 0
    teachers = {each["name"]: each for each in json.loads(capsys.readouterr().out)["teachers"]}
    assert teachers["rad_dino"]["installed"]
    assert not teachers["rad_dino"]["downloads"]
    assert teachers["dinov2_vitb14_reg4"]["licence"] == "Apache-2.0"


@pytest.fixture
def mirror(here: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WeightsServer]:
    """A mirror with the file of dinov2_vits14, whose checksum is taken for the published one."""
    torch.save(lively(build_teacher("dinov2_vits14")).state_dict(), here / "published.pth")
    content = (here / "published.pth").read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    known = tuple(
        replace(entry, sha256=sha256) if entry.teacher == "dinov2_vits14" else entry
        for entry in catalogue.CATALOGUE
    )
    for function in (teacher_weights.download_weights, teacher_weights.import_weights):
        monkeypatch.setitem(function.__kwdefaults__, "catalogue", known)
    with WeightsServer(content=content) as server:
        monkeypatch.setenv("D24FAD_WEIGHTS_URL", server.url)
        yield server


def test_a_download_shows_the_licence_and_needs_it_accepted(
    mirror: WeightsServer, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["models", "download", "dinov2_vits14"]
    assert cli.main(words) == cli.exit_status(Code.LICENCE_NOT_ACCEPTED)
    told = capsys.readouterr().err
    assert "DINOv2 ViT-S/14: Apache-2.0, https://github.com/facebookresearch/dinov2" in told
    assert "M12" in told
    assert "--accept-licence" in told
    assert mirror.requests == []
    assert cli.main([*words, "--accept-licence"]) == 0
    assert capsys.readouterr().out == "The weights of dinov2_vits14 are installed.\n"
    assert cli.main(words) == 0


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "installs"), [("y\n", True), ("n\n", False), ("\n", False), ("", False)])
def test_at_a_terminal_it_asks(
    mirror: WeightsServer, monkeypatch: pytest.MonkeyPatch, answer: str, installs: bool
) -> None:
    shown = _Terminal()
    monkeypatch.setattr("sys.stdin", _Terminal(answer))
    monkeypatch.setattr("sys.stderr", shown)
    done = cli.main(["models", "download", "dinov2_vits14"])
    assert "Do you accept this licence? [y/N]" in shown.getvalue()
    assert (done == 0) == installs == teacher_weights.weights_installed("dinov2_vits14")


def test_an_import_of_another_teachers_weights(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = weights("dinov2_vits14", here / "model.safetensors")
    words = ["models", "import", str(path), "--teacher", "rad_dino", "--accept-licence"]
    assert cli.main(words) == cli.exit_status(Code.TEACHER_MISMATCH)
    told = capsys.readouterr().err
    assert "M13" in told
    assert "dinov2_vits14" in told
    assert str(here) not in told


def test_detect_takes_a_teacher_alone(here: Path, scans: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install("rad_dino", here)
    capsys.readouterr()
    words = [str(scans / "a.png"), "--reference", str(scans / "colour"), "--model", "rad_dino"]
    assert cli.main(["detect", *words, "--device", "cpu", "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)["results"]
    assert np.isfinite(result["score"])
    assert cli.main(["detect", *words, "--scoring", "paper"]) != 0
    assert "M11" in capsys.readouterr().err


def test_a_student_is_trained_beside_one_and_keeps_to_its_weights(here: Path) -> None:
    install("rad_dino", here)
    random = np.random.default_rng(0)
    for task in ("hand", "knee"):
        (here / "data" / task / "normal").mkdir(parents=True)
        for number in range(12):
            pixels = random.integers(0, 256, (40, 40), dtype=np.uint8)
            Image.fromarray(pixels).save(here / "data" / task / "normal" / f"{number:02}.png")
    words = ["train", "data", "--out", "new.safetensors", "--teacher", "rad_dino", "--steps", "2"]
    words += ["--procedural", "0", "--no-selection", "--device", "cpu"]
    assert cli.main(words) == 0
    card = json.loads((here / "new.json").read_text(encoding="utf-8"))
    assert (card["teacher_weights"], card["input_size"]) == ("published", 252)
    model = load_model("./new.safetensors")
    assert model.network.has_student
    assert card["teacher_sha256"] == model.teacher_sha256
    install("rad_dino", here, factor=0.5)
    with pytest.raises(ModelError) as caught:
        load_model("./new.safetensors")
    assert caught.value.code is Code.TEACHER_CHANGED


def test_the_benchmark_times_a_teacher_alone(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["benchmark", "--teacher", "dinov2_vits14", "--repeats", "1", "--device", "cpu"]
    assert cli.main([*words, "--alone", "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)
    assert measured["size"] == 84
    assert all(measured["milliseconds"][name] > 0 for name in ("exact", "float32", "bfloat16"))
    # Of 36 patches and the class token, by the paper's formulae: projections, attention, perceptron.
    tokens, width = 37, 64
    block = 2 * tokens * 12 * width**2 + 4 * tokens**2 * width
    assert measured["gflop"] == pytest.approx((4 * block + 2 * 36 * 588 * width) / 1e9, rel=0.01)
    assert cli.main([*words, "--size", "85", "--alone"]) == cli.exit_status(Code.BAD_ARGUMENT)
    assert "multiples of 14" in capsys.readouterr().err


@torch.inference_mode()
def test_a_transformer_with_its_student_is_timed_as_others_are() -> None:
    network = build_network("dinov2_vits14")
    measured = measure_images(network, 84, (2,), 1, torch.device("cpu"), silent, CancelToken())
    assert all(each.seconds > 0 for each in measured)
    differences = [each.difference for each in measured if each.precision == "float32" and each.shots]
    assert differences[0] < 1e-4
