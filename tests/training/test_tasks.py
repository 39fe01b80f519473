from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from napari_d24fad.detection.prepared import prepare
from napari_d24fad.errors import Code, TrainingError
from napari_d24fad.studies.scan import Photometric
from napari_d24fad.training.tasks import network_images, read_tasks
from tests.detection.subjects import head


def write_task(folder: Path, count: int, seed: int) -> None:
    folder.mkdir(parents=True)
    r = np.random.default_rng(seed)
    for number in range(count):
        Image.fromarray(r.integers(0, 255, (40, 60), np.uint8)).save(folder / f"{number}.png")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_task(tmp_path / "liver" / "normal", 12, 0)
    write_task(tmp_path / "liver" / "abnormal", 3, 1)
    write_task(tmp_path / "lung" / "train" / "good", 10, 2)
    write_task(tmp_path / "lung" / "test" / "bad", 3, 3)
    return tmp_path


def test_both_layouts_and_normal_images_only(data: Path) -> None:
    tasks = read_tasks(data, 48)
    assert [(task.name, tuple(task.images.shape)) for task in tasks] == [
        ("liver", (12, 3, 48, 48)),
        ("lung", (10, 3, 48, 48)),
    ]
    # 60 x 40 pixels fill 48 x 32 of the square; the rest is black padding.
    assert tasks[0].images[:, :, :8].max() == 0
    assert tasks[0].images[:, :, 8:40].float().mean() > 50


def test_held_out_tasks_are_not_read(data: Path) -> None:
    (data / "liver" / "normal" / "0.png").write_bytes(b"not to be opened")
    assert [task.name for task in read_tasks(data, 32, hold_out=("liver",))] == ["lung"]


def test_refusals_name_what_is_wrong(data: Path, tmp_path: Path) -> None:
    def refusal(folder: Path, hold_out: tuple[str, ...] = ()) -> str:
        with pytest.raises(TrainingError) as refused:
            read_tasks(folder, 32, hold_out)
        assert refused.value.code is Code.DATA_LAYOUT
        return str(refused.value)

    assert "kidney" in refusal(data, ("kidney",))
    assert "No task" in refusal(tmp_path / "nowhere")
    assert "No task" in refusal(data, ("liver", "lung"))
    write_task(data / "spleen" / "normal", 4, 5)
    assert "spleen has 4 normal images" in refusal(data)


def test_training_sees_a_scan_as_the_detection_does() -> None:
    scan = head(0)
    prepared = prepare(scan, 48)
    assert torch.equal(
        network_images(scan, 48), (prepared.inputs(prepared.examined) * 255).round().to(torch.uint8)
    )
    colour = replace(
        scan,
        voxels=np.pad(scan.voxels, ((0, 0), (40, 40), (40, 40)))[..., None].clip(0, 255).repeat(3, -1),
        photometric=Photometric.COLOUR,
    )
    assert network_images(colour, 48)[6].float().mean() > 60  # cropped to the anatomy
