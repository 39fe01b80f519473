import math

import pytest
import torch

from napari_d24fad.training.optimise import descend, warm_cosine


def test_rate_rises_then_falls_to_nothing() -> None:
    rates = [warm_cosine(step, 1000) for step in range(1001)]
    assert rates[0] == pytest.approx(0.01)
    assert max(rates) == rates[99] == rates[100] == 1
    assert rates[100:] == sorted(rates[100:], reverse=True)
    assert rates[-1] == pytest.approx(0)


def test_a_loss_that_is_no_number_changes_nothing() -> None:
    weight = torch.nn.Parameter(torch.ones(1))
    optimiser = torch.optim.SGD([weight], lr=0.5)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1.0)
    assert descend((3 * weight).sum(), optimiser, schedule) == 3
    assert weight.item() == -0.5
    assert math.isnan(descend((weight * float("nan")).sum(), optimiser, schedule))
    assert weight.item() == -0.5
    assert schedule.last_epoch == 1
