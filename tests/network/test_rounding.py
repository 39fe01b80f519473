"""torch's switches for TF32 are left as they were found, whichever of its two kinds somebody used."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import backends

from napari_d24fad.network.rounding import rounding, whole_float32

CUDA, CPU = torch.device("cuda"), torch.device("cpu")
named = pytest.mark.skipif(
    not hasattr(backends, "fp32_precision"), reason="torch names precisions from 2.9 on"
)


def older() -> tuple[object, ...]:
    def told(read: Callable[[], object]) -> object:
        try:
            return read()
        except RuntimeError:
            return "refused"

    return told(lambda: backends.cudnn.allow_tf32), told(torch.get_float32_matmul_precision)


def state() -> tuple[object, ...]:
    """All that torch tells of its switches: now, and once those that others inherit from are changed."""
    above = (backends, backends.cudnn)
    each = (*above, backends.cudnn.conv, backends.cudnn.rnn, backends.cuda.matmul)
    each = (*each, backends.mkldnn.conv, backends.mkldnn.matmul)
    told = [older(), [switch.fp32_precision for switch in each]]
    kept = []
    for switch in above:
        kept.append(switch.fp32_precision)
        switch.fp32_precision = "none"
    for value in ("none", "ieee"):
        backends.cudnn.fp32_precision = value
        told.append([switch.fp32_precision for switch in each])
    for switch, value in zip(above, kept, strict=True):
        switch.fp32_precision = value
    return tuple(map(tuple, told))


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Leaves what torch begins with to other tests, but that a convolution's own value cannot be unset."""
    yield
    torch.backends.cudnn.allow_tf32 = True
    torch.set_float32_matmul_precision("highest")
    if hasattr(backends, "fp32_precision"):
        for switch in (backends, backends.cudnn, backends.cuda.matmul):
            switch.fp32_precision = "none"
        for switch in (backends.mkldnn.conv, backends.mkldnn.matmul):
            switch.fp32_precision = "none"


def nothing() -> None:
    pass


def everywhere() -> None:
    backends.fp32_precision = "tf32"


def products() -> None:
    backends.cuda.matmul.fp32_precision = "tf32"


def convolutions() -> None:
    backends.cudnn.conv.fp32_precision = "ieee"


def of_cudnn() -> None:
    backends.cudnn.fp32_precision = "ieee"


def on_the_cpu() -> None:
    backends.mkldnn.conv.fp32_precision = "bf16"


def as_of_old() -> None:
    torch.set_float32_matmul_precision("medium")


def no_more_convolutions() -> None:
    backends.cudnn.allow_tf32 = False


@named
@pytest.mark.parametrize(
    "chosen",
    [nothing, everywhere, products, convolutions, of_cudnn, on_the_cpu, as_of_old, no_more_convolutions],
    ids=lambda chosen: chosen.__name__,
)
def test_switches_are_whole_inside_and_as_they_were_after(chosen: Callable[[], None]) -> None:
    chosen()
    before = state()
    with whole_float32():
        assert (rounding(CUDA), rounding(CPU)) == ("ieee ieee", "ieee ieee")
        with whole_float32():
            pass
        assert rounding(CUDA) == "ieee ieee"
    assert state() == before


def test_contexts_that_overlap_in_threads_leave_tf32_as_it_was() -> None:
    """The second begins in the first and ends after it."""
    begun, ended, told = threading.Event(), threading.Event(), []

    def second() -> None:
        with whole_float32():
            begun.set()
            ended.wait(10)
            told.append(rounding(CUDA))

    thread = threading.Thread(target=second)
    before = rounding(CUDA)
    with whole_float32():
        thread.start()
        begun.wait(10)
    assert rounding(CUDA) != before, "the second is still inside"
    ended.set()
    thread.join(10)
    assert told[0] != before
    assert rounding(CUDA) == before


def test_an_error_inside_restores_as_well() -> None:
    with pytest.raises(KeyError), whole_float32():
        raise KeyError
    assert backends.cudnn.allow_tf32


@named
def test_rounding_tells_what_is_allowed() -> None:
    assert (rounding(CUDA), rounding(CPU)) == ("tf32 ieee", "ieee ieee")
    torch.set_float32_matmul_precision("medium")
    assert (rounding(CUDA), rounding(CPU)) == ("tf32 tf32", "ieee bf16")
