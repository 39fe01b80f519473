from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_d24fad.errors import Code, StudyError, TrainingError
from napari_d24fad.training.data.reading import read_tasks
from tests.studies.phantom import slice_datasets, write_series


def write_images(folder: Path, count: int, seed: int = 0, size: tuple[int, int] = (40, 60)) -> None:
    folder.mkdir(parents=True)
    r = np.random.default_rng(seed)
    for number in range(1, count + 1):
        Image.fromarray(r.integers(0, 255, size, np.uint8)).save(folder / f"Doe_Jane_{number:02}.png")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_images(tmp_path / "liver" / "normal", 12, 0)
    write_images(tmp_path / "liver" / "abnormal", 3, 1)
    write_images(tmp_path / "lung" / "train" / "good", 10, 2)
    write_images(tmp_path / "lung" / "test" / "bad", 3, 3)
    return tmp_path


def refusal(data: Path, **options: object) -> str:
    with pytest.raises(TrainingError) as refused:
        read_tasks(data, 32, **options)  # type: ignore[arg-type]  # passed on as given
    assert refused.value.code in (Code.DATA_LAYOUT, Code.DATA_UNUSABLE)
    assert "Doe" not in str(refused.value)
    assert str(data) not in str(refused.value)
    return str(refused.value)


def test_both_layouts_and_normal_images_only(data: Path) -> None:
    said: list[str] = []
    tasks = read_tasks(data, 48, warn=said.append)
    assert [(task.name, tuple(task.images.shape)) for task in tasks] == [
        ("liver", (12, 3, 48, 48)),
        ("lung", (10, 3, 48, 48)),
    ]
    # 60 x 40 pixels fill 48 x 32 of the square; the rest is black padding.
    assert tasks[0].images[:, :, :8].max() == 0
    assert tasks[0].images[:, :, 8:40].float().mean() > 50
    assert not said


def test_volumes_give_their_slices(data: Path) -> None:
    for number in range(3):
        write_series(data / "knee" / "normal" / str(number), slice_datasets())
    knee = next(task for task in read_tasks(data, 32) if task.name == "knee")
    assert knee.images.shape == (15, 3, 32, 32)


def test_held_out_tasks_are_not_read(data: Path) -> None:
    for file in (data / "liver" / "normal").iterdir():
        file.write_bytes(b"not to be opened")
    assert [task.name for task in read_tasks(data, 32, hold_out=("liver",))] == ["lung"]


def test_what_can_be_left_out_is_refused_or_said_once_by_task_and_number(data: Path) -> None:
    normal = data / "liver" / "normal"
    (normal / "Doe_Jane_02.png").write_bytes(b"\x89PNG and no more")
    (normal / "Doe_Jane_05.png").write_bytes(b"no image at all")
    colours = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
    Image.fromarray(colours).save(normal / "Doe_Jane_07.png")
    write_images(data / "liver" / "masks", 4, size=(40, 60))
    Image.new("L", (30, 30)).save(data / "liver" / "masks" / "Doe_Jane_03.png")
    Image.new("L", (40, 60)).save(data / "liver" / "masks" / "Doe_Jane_02.png")  # on its side
    said: list[str] = []
    with pytest.raises(TrainingError) as refused:
        read_tasks(data, 32, at_least=9, warn=said.append)
    assert not said
    tasks = read_tasks(data, 32, at_least=9, leave_out=True, warn=said.append)
    assert refused.value.detail == " ".join(said) + " With --leave-out, the training goes on without it."
    assert len(tasks[0].images) == 9
    assert len(said) == len(set(said)) == 5
    assert any("number 2 in normal is unusable: S05" in each for each in said)
    assert any("number 5 in normal is unusable: S04" in each for each in said)
    assert any("number 7 in normal is in colour, unlike most" in each for each in said)
    assert any("numbers 2, 3 in masks are of another size than its scan" in each for each in said)
    assert any("number 4 in masks is without a scan of its name" in each for each in said)
    assert all(each.startswith("Task liver: ") and "Doe" not in each for each in said)


def test_everything_wrong_is_in_one_list(data: Path) -> None:
    (data / "brain" / "abnormal").mkdir(parents=True)
    write_images(data / "spleen" / "normal", 4, 5)
    (data / "lung" / "train" / "good" / "Doe_Jane_03.png").write_bytes(b"")
    told = refusal(data, hold_out=("kidney",), expected=("heart",))
    assert "no task kidney" in told
    assert "no task heart" in told
    assert "brain has no folder normal or train/good" in told
    assert "spleen has 4 usable normal images; 10 are needed" in told
    assert "lung has 9 usable normal images" in told
    assert "Task lung: number 3 in train/good is unusable: S0" in told
    assert "liver" not in told


def test_no_task_at_all(data: Path) -> None:
    (data / "empty").mkdir()
    assert "No task" in refusal(data / "empty")
    assert "No task" in refusal(data, hold_out=("empty", "liver", "lung"))
    with pytest.raises(StudyError) as nothing:
        read_tasks(data / "nowhere", 32)
    assert nothing.value.code is Code.PATH_MISSING


def test_many_numbers_are_counted(data: Path) -> None:
    write_images(data / "skin" / "normal", 30)
    for number in range(1, 21):
        (data / "skin" / "normal" / f"Doe_Jane_{number:02}.png").write_bytes(b"x")
    said: list[str] = []
    read_tasks(data, 32, leave_out=True, warn=said.append)
    assert "numbers 1, 2, 3, 4, 5, 6, 7, 8 and 12 more in normal are unusable" in said[0]
