"""A whole evaluation on small made-up tasks, with a model of random weights, from folders to files."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from napari_d24fad.detection.detector import Detector
from napari_d24fad.errors import ArgumentError
from napari_d24fad.evaluation.cost import Cost
from napari_d24fad.evaluation.draws import draw_references
from napari_d24fad.evaluation.files import save_cost, save_evaluation
from napari_d24fad.evaluation.labelled import LabelledTask
from napari_d24fad.evaluation.measure import EncodedTask, Plan, Scores, measure_task
from napari_d24fad.evaluation.reading import read_labelled
from napari_d24fad.evaluation.results import PUBLISHED, Evaluation, Illustration
from napari_d24fad.evaluation.run import Fold, Options, evaluate
from napari_d24fad.metrics.scans import auroc
from napari_d24fad.network.checkpoint import save_model
from napari_d24fad.progress import CancelToken, silent
from tests.detection.subjects import random_model
from tests.evaluation.images import make_published_task, make_task

PLAN = Plan(shots=(2, 3), draws=2, seed=1)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tasks in our layout, one with outlines, and one in that of the paper."""
    folder = tmp_path_factory.mktemp("data")
    make_task(folder / "outlined", masks=True)
    make_task(folder / "plain", n_normal=12, n_abnormal=8, seed=300)
    make_published_task(folder / "published")
    return folder


@pytest.fixture(scope="module")
def tasks(data: Path) -> tuple[LabelledTask, ...]:
    return read_labelled(data, shots=3)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "random.safetensors"
    made = random_model()
    save_model(made.network, made.card, path)
    return path


@pytest.fixture(scope="module")
def encoded(model: Path, tasks: tuple[LabelledTask, ...]) -> EncodedTask:
    return EncodedTask(Detector.load(model, "cpu"), tasks[0], silent, CancelToken())


@pytest.fixture(scope="module")
def run(model: Path, tasks: tuple[LabelledTask, ...]) -> tuple[Evaluation, tuple[Illustration, ...]]:
    return evaluate([Fold(model, tasks)], Options(PLAN, device="cpu", beside=model))


def test_draws_keep_references_and_queries_apart(tasks: tuple[LabelledTask, ...]) -> None:
    ours, _, published = tasks
    for task in (ours, published):
        draws = draw_references(task, (2, 3), 6, seed=0)
        assert len({draw.references for draw in draws}) > 1
        for draw in draws:
            assert len(set(draw.references)) == 3
            assert not set(draw.references) & set(draw.queries)
            assert all(task.scans[index].may_refer for index in draw.references)
        more = draw_references(task, (2, 3, 4), 6, seed=0)
        assert [draw.references for draw in draws] == [draw.references[:3] for draw in more]
    assert all(len(draw.queries) == 7 for draw in draw_references(published, (3,), 2, 0))


def test_scores_are_those_of_detect(encoded: EncodedTask) -> None:
    """What is encoded once gives what a user gets for a single scan."""
    measured = measure_task(encoded, PLAN)
    first = measured[1]
    assert (first.shots, first.draw) == (3, 0)
    (draw, _) = draw_references(encoded.task, PLAN.shots, PLAN.draws, PLAN.seed)
    detector = encoded.detector
    references = detector.encode([encoded.task.scans[index].load() for index in draw.references])
    for index, score in list(zip(draw.queries, first.scores["model"], strict=True))[::3]:
        found = detector.detect(encoded.task.scans[index].load(), references)
        assert score == pytest.approx(found.score, rel=1e-5)


def test_baseline_against_a_slow_one(encoded: EncodedTask) -> None:
    from scipy import ndimage

    with torch.inference_mode():
        features = []
        for scan in encoded.scans[:4]:
            _, middle, coarse = encoded.detector.network.teacher(
                encoded.detector.inputs(scan.prepared, [0])
            ).scales
            coarse = torch.nn.functional.interpolate(coarse, middle.shape[2:], mode="bilinear")
            pair = [(each / each.norm(dim=1, keepdim=True))[0].numpy() for each in (middle, coarse)]
            features.append(pair)
    rows, columns = features[0][0].shape[1:]
    distance = np.zeros((rows, columns), np.float32)
    for row in range(rows):
        for column in range(columns):
            likeness = [
                sum(float(q[:, row, column] @ s[:, i, j]) for q, s in zip(features[0], other, strict=True))
                / 2
                for other in features[1:]
                for i in range(rows)
                for j in range(columns)
            ]
            distance[row, column] = 1 - max(likeness)
    large = torch.nn.functional.interpolate(
        torch.from_numpy(distance)[None, None], (64, 64), mode="bilinear", align_corners=True
    )
    smoothed = ndimage.gaussian_filter(large[0, 0].numpy(), 2)
    both = encoded.baseline(0, [1, 2, 3], (2, 3), CancelToken())
    found = both[3]
    assert both[2].mean > found.mean
    assert found.mean == pytest.approx(smoothed.mean(), rel=1e-3)
    assert found.top == pytest.approx(np.sort(smoothed, axis=None)[-204:].mean(), rel=1e-3)


def test_figures_of_every_task(run: tuple[Evaluation, tuple[Illustration, ...]]) -> None:
    evaluation, illustrations = run
    assert (evaluation.name, evaluation.scoring) == ("random-matched", "matched")
    assert [result.task.name for result in evaluation.tasks] == ["outlined", "plain", "published"]
    outlined, plain, _ = evaluation.tasks
    found = outlined.figure("image AUROC", 3)
    assert found is not None
    assert found.mean == 1.0  # stripes are unlike anything in the references, for any features
    assert outlined.figure("AUPRO", 3) is not None
    assert plain.figure("AUPRO", 3) is None
    for result in evaluation.tasks:
        assert {scores.shots for scores in result.scores} == {2, 3}
    for illustration in illustrations:
        weighting = illustration.weighting
        assert weighting.learned != weighting.equal
        assert len(illustration.cases) >= 9


def test_what_is_written(run: tuple[Evaluation, tuple[Illustration, ...]], tmp_path: Path) -> None:
    evaluation, illustrations = run
    report = save_evaluation(tmp_path, evaluation, illustrations, "random")
    folder = tmp_path / "random-matched"
    pictures = {"rainclouds", "tsne", "misses", "maps_outlined", "maps_plain", "maps_published"}
    assert {path.stem for path in folder.glob("*.png")} == pictures
    assert report["cost"] is None
    assert not (tmp_path / "trade-off.png").exists()
    report = save_cost(tmp_path, report, Cost(0.5, None))
    for path in (*folder.glob("*.png"), tmp_path / "trade-off.png"):
        with Image.open(path) as image:
            assert np.asarray(image.convert("L")).std() > 5, path.stem
    assert json.loads(json.dumps(report)) == json.loads((folder / "evaluation.json").read_text())
    with (folder / "scores.csv").open() as file:
        rows = list(csv.DictReader(file))
    chosen = [
        row
        for row in rows
        if (row["task"], row["shots"], row["draw"], row["method"]) == ("plain", "3", "2", "model")
    ]
    again = auroc([float(row["score"]) for row in chosen], [row["abnormal"] == "1" for row in chosen])
    figure = evaluation.tasks[1].figure("image AUROC", 3)
    assert figure is not None
    assert again == pytest.approx(figure.values[1])
    save_evaluation(tmp_path, evaluation, ())  # written again, and compared with itself alone
    assert len((tmp_path / "runs.csv").read_text().splitlines()) == 2


def test_published_protocol(model: Path, tasks: tuple[LabelledTask, ...]) -> None:
    options = Options(PLAN, PUBLISHED, device="cpu", illustrate=False)
    evaluation, illustrations = evaluate([Fold(model, tasks[1:2])], options, "held-out")
    assert (evaluation.name, illustrations) == ("held-out-paper-published", ())
    scores: tuple[Scores, ...] = evaluation.tasks[0].scores
    assert all(len(each.queries) == 16 for each in scores)  # 17 less the incomplete batch
    assert {(*r.examined(abnormal=False), *r.examined(abnormal=True)) for r in evaluation.tasks} == {
        (9, 9, 7, 7)
    }
    for method in ("nearest neighbour, top 5 %", "nearest neighbour, mean"):
        assert evaluation.tasks[0].figure("image AUROC", 3, method) is not None
    assert all(min(each.scores["model"]) == 0 and max(each.scores["model"]) == 1 for each in scores)
    with pytest.raises(ArgumentError):
        evaluate([Fold(model, tasks[2:])], options)


@pytest.mark.parametrize("name", ["HIS", "LAG", "APTOS", "RSNA", "Brain Tumor"])
def test_the_five_tasks_of_the_paper(tmp_path: Path, name: str) -> None:
    """Their layout as docs/evaluation.md states it."""
    make_published_task(tmp_path / name, seed=len(name))
    (task,) = read_labelled(tmp_path, shots=3)
    assert (task.name, len(task.references), task.count(abnormal=True)) == (name, 6, 3)


def test_cancel(encoded: EncodedTask) -> None:
    from napari_d24fad.errors import Cancelled

    cancel = CancelToken()
    seen: list[float] = []

    def stop(fraction: float, step: str) -> None:
        seen.append(fraction)
        cancel.cancel()

    progress: Callable[[float, str], None] = stop
    with pytest.raises(Cancelled):
        measure_task(encoded, PLAN, progress=progress, cancel=cancel)
    assert len(seen) == 1
