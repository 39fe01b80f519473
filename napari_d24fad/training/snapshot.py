"""All that the next step of a stage depends on, as tensors, and back."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from napari_d24fad.network.tensors import Tensors
from napari_d24fad.training.loop import Stage
from napari_d24fad.training.processes import Processes

_GLOBAL = "random.global"
_OWN = "random.stage"


def take_snapshot(stage: Stage, processes: Processes) -> Tensors:
    """Collects modules, optimiser, best weights and random generators.

    The schedule follows from the number of steps. Every process must call this: each
    has generators of its own.
    """
    tensors = {
        f"module.{part}.{name}": tensor
        for part, module in stage.modules.items()
        for name, tensor in module.state_dict().items()
    }
    for index, moments in stage.optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{name}": value for name, value in moments.items()}
    if stage.selection:
        tensors |= {f"best.{name}": tensor for name, tensor in stage.selection.best.items()}
    tensors[_OWN] = processes.gather(stage.generator.get_state())
    tensors[_GLOBAL] = processes.gather(torch.get_rng_state())
    return tensors


def load_snapshot(stage: Stage, tensors: Tensors, processes: Processes) -> None:
    """Brings a stage to where `take_snapshot` found it.

    Args:
        stage: As it begins, but with the losses of the steps taken.
        tensors: Of `take_snapshot`.
        processes: As many as then.

    Raises:
        KeyError, ValueError, RuntimeError: The tensors are of another stage or network.
    """
    for part, module in stage.modules.items():
        module.load_state_dict(_below(tensors, f"module.{part}."))
    if stage.selection:
        stage.selection.best = _below(tensors, "best.")
    _load_moments(stage.optimiser, _below(tensors, "optimiser."))
    steps = len(stage.losses)
    stage.schedule.load_state_dict(
        {**stage.schedule.state_dict(), "last_epoch": steps, "_step_count": steps + 1}
    )
    for group, base, factor in zip(
        stage.optimiser.param_groups, stage.schedule.base_lrs, stage.schedule.lr_lambdas, strict=True
    ):
        group["lr"] = base * factor(steps)
    # Copies: torch misreads the state of a generator where it does not begin the tensor's memory.
    stage.generator.set_state(tensors[_OWN][processes.rank].clone())
    torch.set_rng_state(tensors[_GLOBAL][processes.rank].clone())


def _load_moments(optimiser: torch.optim.Optimizer, moments: Tensors) -> None:
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Any]] = {}
    for key, value in moments.items():
        index, name = key.split(".", 1)
        parameter = parameters[int(index)]
        # The memory order of the parameter: with another one the same sums differ in the last bits.
        laid_out = torch.empty_like(parameter).copy_(value) if value.shape == parameter.shape else value
        state.setdefault(int(index), {})[name] = laid_out.detach()
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})


def _below(tensors: Tensors, prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
