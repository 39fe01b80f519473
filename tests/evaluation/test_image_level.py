from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_d24fad.detection.detector import Detector
from napari_d24fad.errors import Code, TrainingError
from napari_d24fad.evaluation.image_level import evaluate
from tests.detection.subjects import random_model


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Smooth normal images and abnormal ones full of edges, which any features tell apart."""
    r = np.random.default_rng(0)
    for label, count in (("normal", 7), ("abnormal", 4)):
        folder = tmp_path / "task" / label
        folder.mkdir(parents=True)
        for number in range(count):
            image = np.linspace(20, 220, 64)[None] + r.normal(0, 2, (64, 64))
            if label == "abnormal":
                image[:, ::8] = 255
            Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(folder / f"{number}.png")
    return tmp_path


def test_what_differs_is_told_apart_and_what_does_not_is_not(data: Path) -> None:
    detector = Detector(random_model(), "cpu")
    (result,) = evaluate(data, detector, shots=3, draws=2)
    assert (result.task, result.n_normal, result.n_abnormal, result.n_left_out) == ("task", 7, 4, 0)
    assert len(result.auroc) == 2
    assert result.mean == 1.0
    assert result.deviation == 0.0


def test_labels_without_meaning_measure_as_chance(data: Path) -> None:
    r = np.random.default_rng(1)
    for label in ("normal", "abnormal"):
        folder = data / "coin" / label
        folder.mkdir(parents=True)
        for number in range(10):
            image = np.linspace(20, 220, 64)[None] + r.normal(0, 2, (64, 64))
            Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(folder / f"{number}.png")
    (result,) = evaluate(data, Detector(random_model(), "cpu"), tasks=["coin"], shots=2, draws=3)
    assert 0.2 < result.mean < 0.8


def test_images_of_the_other_kind_and_damaged_ones_are_counted(data: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(data / "task" / "normal" / "colour.png")
    Image.new("L", (64, 64), 7).save(data / "task" / "abnormal" / "constant.png")
    (result,) = evaluate(data, Detector(random_model(), "cpu"), shots=3, draws=1)
    assert (result.n_normal, result.n_abnormal, result.n_left_out) == (7, 4, 2)


def test_copies_are_neither_reference_nor_query(data: Path) -> None:
    """Public collections hold copies; as reference and query of one draw they would be refused."""
    for number, label in ((0, "normal"), (1, "normal"), (2, "abnormal")):
        copy = (data / "task" / "normal" / f"{number}.png").read_bytes()
        (data / "task" / label / f"copy{number}.png").write_bytes(copy)
    (result,) = evaluate(data, Detector(random_model(), "cpu"), shots=5, draws=3)
    assert (result.n_normal, result.n_abnormal, result.n_left_out) == (7, 4, 3)


def test_refusals(data: Path) -> None:
    detector = Detector(random_model(), "cpu")
    for change in ({"tasks": ["liver"]}, {"shots": 7}):
        with pytest.raises(TrainingError) as refusal:
            evaluate(data, detector, draws=1, **change)  # type: ignore[arg-type]  # one of the two
        assert refusal.value.code is Code.DATA_LAYOUT
    with pytest.raises(TrainingError):
        evaluate(data / "nowhere", detector)
