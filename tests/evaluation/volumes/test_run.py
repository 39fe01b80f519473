"""The loop over draws, queries and methods on a made-up set."""

from __future__ import annotations

import csv
import json
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from napari_d24fad.anatomy.find import find_anatomy
from napari_d24fad.anatomy.found import Anatomy
from napari_d24fad.detection.plans.drawn import drawn_plan
from napari_d24fad.errors import Cancelled, Code, PairingError
from napari_d24fad.evaluation.measure import Plan
from napari_d24fad.evaluation.reading import read_labelled
from napari_d24fad.evaluation.volumes.atlas import AtlasMethod
from napari_d24fad.evaluation.volumes.baselines import BoxZScore, Extreme
from napari_d24fad.evaluation.volumes.cases import LabelledCases
from napari_d24fad.evaluation.volumes.report import save_volumes
from napari_d24fad.evaluation.volumes.run import measure_volumes
from napari_d24fad.metrics.volumes import Examined
from napari_d24fad.progress import CancelToken
from napari_d24fad.studies.scan import Scan
from tests.evaluation.volumes.sets import make_set


@dataclass
class Watcher:
    """A method that counts how many scans are alive whenever it is asked."""

    name: str = "watcher"
    alive: list[int] = field(default_factory=list)
    scans: list[weakref.ref[np.ndarray]] = field(default_factory=list)
    references: list[tuple[str, ...]] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)

    def prepare(self, references: Sequence[Scan]) -> Watcher:
        self._see(references)
        self.references.append(tuple(scan.content_hash() for scan in references))
        return self

    def examine(self, query: Scan) -> Examined:
        self._see([query])
        self.queries.append(query.content_hash())
        if len(self.queries) % 7 == 1:
            raise PairingError(Code.NOTHING_TO_EXAMINE)
        zeros = np.zeros(query.grid, np.float32)
        return Examined(
            zeros, 1.0, np.zeros(query.n_slices, np.float32), zeros > 0, zeros.astype(int), (), 0, 0.5
        )

    def _see(self, scans: Sequence[Scan]) -> None:
        self.scans += [weakref.ref(scan.voxels.base) for scan in scans if scan.voxels.base is not None]
        self.alive.append(sum(each() is not None for each in self.scans))


def test_the_lesions_of_a_made_up_set_are_found(tmp_path: Path) -> None:
    make_set(tmp_path / "ball", organ=True)
    (task,) = read_labelled(tmp_path, shots=3)
    result = measure_volumes(task, [Extreme(1), BoxZScore("brighter")], LabelledCases(), Plan((3,), 2, 0))
    assert [(each.method, each.draw) for each in result.draws] == [
        ("brightest place", 0),
        ("z-score in the box", 0),
        ("brightest place", 1),
        ("z-score in the box", 1),
    ]
    for each in result.draws:
        assert [query.measured.abnormal for query in each.queried] == [False] * 3 + [True] * 3
        assert each.figures["scan AUROC"] == 1.0
        assert each.figures["voxel AUROC"] > 0.95
        assert each.figures["voxel AUROC in organ"] > 0.95
        assert each.figures["scan sensitivity at 0.25"] == 1.0
        assert each.figures["coloured outside anatomy"] == 0.0
        assert each.figures["lesion inside anatomy"] == 1.0
    assert [len(found) for found in result.statistics.values()] == [2]
    report = save_volumes(
        tmp_path / "out", "volumes-brighter", [result], Plan((3,), 2, 0), {"direction": "brighter"}
    )
    written = json.loads((tmp_path / "out" / "volumes-brighter" / "volumes.json").read_text())
    assert written == report
    (method, _) = written["sets"][0]["methods"]
    assert method["figures"]["scan AUROC"] == {"mean": 1.0, "draws": [1.0, 1.0]}
    table = (tmp_path / "out" / "volumes-brighter" / "volumes.md").read_text()
    assert "| brightest place | 1.00 | " in table
    found = method["figures"]["voxel AP"]["mean"]
    assert f" | {found:.3f}".replace("0.", ".") in table
    assert "6 normal, 3 abnormal; examined in the first draw: 3 scans without and 3 with a lesion." in table
    with (tmp_path / "out" / "volumes-brighter" / "scores.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 2 * 6
    assert (rows[-1]["folder"], rows[-1]["number"], rows[-1]["draw"]) == ("abnormal", "3", "2")
    assert (tmp_path / "out" / "volumes-brighter" / "froc_ball_3.png").stat().st_size > 10_000


def test_queries_are_read_one_by_one_and_are_no_references(tmp_path: Path) -> None:
    make_set(tmp_path / "ball")
    (task,) = read_labelled(tmp_path, shots=3)
    watcher = Watcher()
    result = measure_volumes(task, [watcher], LabelledCases(), Plan((2, 3), 2, 1))
    assert max(watcher.alive) == 3  # the references while they are learned from, later one query
    assert max(watcher.alive[-6:]) == 1
    for at, references in enumerate(watcher.references):
        queries = watcher.queries[6 * at : 6 * at + 6]
        assert not set(references) & set(queries)
        assert len(set(queries)) == 6
    assert watcher.references[0] == watcher.references[2][:2]
    refused = [query for each in result.draws for query in each.queried if query.refused]
    assert len(refused) == 4  # of 24, every seventh
    assert {query.measured.score for query in refused} == {-np.inf}
    assert [each.figures["refused"] for each in result.draws] == [1.0, 1.0, 1.0, 1.0]


def test_a_scan_without_anatomy_is_measured_and_counts_as_missed_where_methods_refuse_it(
    tmp_path: Path,
) -> None:
    make_set(tmp_path / "ball", n_normal=3, n_abnormal=1)
    (task,) = read_labelled(tmp_path, shots=2)

    def find(scan: Scan) -> Anatomy:
        if scan.content_hash() == task.scans[3].content:
            raise PairingError(Code.NOTHING_TO_EXAMINE)
        return find_anatomy(scan)

    (found,) = measure_volumes(task, [Extreme(1, find)], LabelledCases(), Plan((2,), 1, 0), find=find).draws
    assert [each.refused for each in found.queried] == [False, True]
    assert found.figures["refused"] == 1.0
    assert found.figures["scan AUROC"] == 0.0
    assert found.figures["lesion inside anatomy"] == 1.0


def test_a_cancel_is_heeded(tmp_path: Path) -> None:
    make_set(tmp_path / "ball")
    (task,) = read_labelled(tmp_path, shots=3)
    cancel = CancelToken()

    def stop(fraction: float, step: str) -> None:
        cancel.cancel()

    watcher = Watcher()
    with pytest.raises(Cancelled):
        measure_volumes(task, [watcher], LabelledCases(), Plan((3,), 2, 0), progress=stop, cancel=cancel)
    assert len(watcher.queries) == 1


def test_abnormal_examples_are_shown_to_methods_that_learn_from_them(tmp_path: Path) -> None:
    """Something bright is looked for; what is darker on one side of each is not."""
    make_set(tmp_path / "ball", n_abnormal=5)
    (task,) = read_labelled(tmp_path, shots=3)
    plan = Plan((3,), 1, 0, (0, 1, 2))
    atlas = AtlasMethod(drawn_plan(lambda scan, _: find_anatomy(scan)))
    result = measure_volumes(task, [Extreme(1), atlas], LabelledCases(), plan)
    names = [
        "brightest place",
        *(f"atlas (drawn region){end}" for end in ("", " + 1 abnormal", " + 2 abnormal")),
    ]
    assert [each.method for each in result.draws] == names
    plain, *taught = result.draws[1:]
    for each in result.draws:  # without the examples, whether they are shown or not
        assert [query.measured.abnormal for query in each.queried] == [False] * 3 + [True] * 3
    for each in taught:
        pairs = zip(each.queried, plain.queried, strict=True)
        assert all(more.measured.score >= less.measured.score for more, less in pairs)
        rises = [
            m.measured.score > p.measured.score for m, p in zip(each.queried, plain.queried, strict=True)
        ]
        assert all(rises[3:])
    save_volumes(tmp_path / "out", "examples", [result], plan, {})
    for name in ("examples.png", "examples_rainclouds.png"):
        assert (tmp_path / "out" / "examples" / name).stat().st_size > 10_000
    written = json.loads((tmp_path / "out" / "examples" / "volumes.json").read_text())
    assert written["abnormal_shots"] == [0, 1, 2]
