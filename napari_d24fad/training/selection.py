"""Chooses among the weights a training passes through, by tasks that it is not trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import torch
from torch import Tensor, nn

from napari_d24fad.progress import CancelToken


class Measure(Protocol):
    """Measures the network as it is; higher is better."""

    def __call__(self, cancel: CancelToken) -> float:
        """Returns the measurement.

        Raises:
            Cancelled: If a stop was asked for.
        """


class Selection:
    """Measures modules now and then and keeps the best weights.

    Args:
        modules: By name, what the weights are of.
        measure: Of the modules as they are.

    Attributes:
        reviews: Step and measurement, in order.
        best: The best weights so far, on the CPU, as ``MODULE.NAME``; empty before the first.
    """

    def __init__(self, modules: Mapping[str, nn.Module], measure: Measure) -> None:
        self._modules = modules
        self._measure = measure
        self.reviews: list[tuple[int, float]] = []
        self.best: dict[str, Tensor] = {}

    @property
    def best_review(self) -> tuple[int, float] | None:
        """Step and measurement of the best weights: the first of equals; None before any."""
        return max(self.reviews, key=lambda review: review[1], default=None)

    def review(self, step: int, cancel: CancelToken) -> None:
        """Measures, and keeps the weights if they are the best so far.

        Args:
            step: Steps taken so far.
            cancel: Stops it.
        """
        before = self.best_review
        value = self._measure(cancel)
        self.reviews.append((step, value))
        if before is None or value > before[1]:
            self.best = {
                f"{part}.{name}": tensor.detach().cpu().clone()
                for part, module in self._modules.items()
                for name, tensor in module.state_dict().items()
            }

    def take_best(self) -> None:
        """Puts the best weights into the modules, if any were reviewed."""
        for part, module in self._modules.items():
            own = {
                name.removeprefix(f"{part}."): tensor
                for name, tensor in self.best.items()
                if name.startswith(f"{part}.")
            }
            if own:
                module.load_state_dict(own)


def in_evaluation(network: nn.Module, measure: Callable[[CancelToken], float]) -> Measure:
    """Makes a measure that runs in evaluation mode and leaves mode and randomness as they were.

    Args:
        network: What is measured.
        measure: Does it.
    """

    def measured(cancel: CancelToken) -> float:
        was_training = network.training
        network.eval()
        try:
            with torch.random.fork_rng():
                return measure(cancel)
        finally:
            network.train(was_training)

    return measured
