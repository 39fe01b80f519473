import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from napari_d24fad.training.precision import has_bfloat16, mixed_precision

CPU = torch.device("cpu")


@pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux says of the processor")
def test_the_processor_is_asked() -> None:
    words = set(Path("/proc/cpuinfo").read_text().split())
    assert has_bfloat16(CPU) == bool(words & {"avx512_bf16", "amx_bf16", "bf16"})


def test_networks_run_in_bfloat16_only_where_the_processor_has_it() -> None:
    layer = nn.Conv2d(3, 4, 3)
    with mixed_precision(CPU):
        out = layer(torch.zeros(1, 3, 8, 8))
    assert out.dtype == (torch.bfloat16 if has_bfloat16(CPU) else torch.float32)


def test_what_torch_cannot_tell_is_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True}, raising=False)
    assert has_bfloat16(CPU)
    monkeypatch.delattr(torch.cpu, "get_capabilities")
    assert not has_bfloat16(CPU)
