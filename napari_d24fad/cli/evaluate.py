"""``d24fad evaluate``: measures a model on folders of labelled images."""

from __future__ import annotations

import dataclasses
import json
from argparse import Namespace

from napari_d24fad.cli.console import progress_bar


def run(arguments: Namespace) -> None:
    """Prints image AUROC per task, or JSON.

    Raises:
        D24fadError: See `evaluate`.
    """
    from napari_d24fad.detection.detector import Detector  # imports torch
    from napari_d24fad.evaluation.image_level import evaluate

    detector = Detector.load(arguments.model, arguments.device, arguments.scoring)
    with progress_bar() as progress:
        results = evaluate(
            arguments.data,
            detector,
            tasks=arguments.task,
            shots=arguments.shots,
            draws=arguments.draws,
            seed=arguments.seed,
            progress=progress,
        )
    if arguments.json:
        rows = [{**dataclasses.asdict(result), "mean": result.mean} for result in results]
        print(json.dumps({"schema": "d24fad-evaluation/1", "scoring": detector.scoring_name, "tasks": rows}))
        return
    print(
        f"Image AUROC, {detector.scoring_name} scoring, {arguments.shots} references, {arguments.draws} draws"
    )
    for result in results:
        print(
            f"  {result.task}: {result.mean:.3f} ± {result.deviation:.3f} "
            f"({result.n_normal} normal, {result.n_abnormal} abnormal, {result.n_left_out} left out)"
        )
