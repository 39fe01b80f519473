import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from napari_d24fad import settings
from napari_d24fad.network.card import DataSource, ModelCard
from napari_d24fad.network.checkpoint import save_model
from napari_d24fad.network.d24fad import D24FAD, build_network
from tests.network.weights_server import WeightsServer


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Networks this small only lose by waking more threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder the tool keeps things in, so that no test meets or changes the user's own."""
    folder = tmp_path / "kept"
    monkeypatch.setenv("D24FAD_CACHE", str(folder))
    monkeypatch.delenv("D24FAD_WEIGHTS_URL", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return folder


@pytest.fixture
def embedded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of embedded models of a checkout that lies in the test's own folder."""
    folder = tmp_path / "checkout" / "resources" / "models"
    folder.mkdir(parents=True)
    monkeypatch.setattr(settings, "_PACKAGE", tmp_path / "checkout" / "napari_d24fad")
    return folder


@pytest.fixture
def server() -> Iterator[WeightsServer]:
    with WeightsServer() as running:
        yield running


@pytest.fixture
def card() -> ModelCard:
    return ModelCard(
        name="tiny",
        title="A model for tests",
        teacher="compact",
        teacher_weights="embedded",
        normalise=True,
        input_size=128,
        scoring="matched",
        data=(DataSource("phantoms", "generated", "training"),),
        recipe=("d24fad train phantoms --out tiny.safetensors",),
        date="2025-01-31",
        figures=({"data": "phantoms", "protocol": "held out", "metric": "AUROC", "value": 0.9, "shots": 8},),
        licence="BSD-3-Clause",
        notes="Für Prüfungen.",
        sha256="0" * 64,
    )


def randomised(network: D24FAD) -> D24FAD:
    """Gives normalisation statistics values of their own, so that losing one shows."""
    generator = torch.Generator().manual_seed(1)
    for name, tensor in network.state_dict().items():
        if tensor.ndim == 1:
            tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
        elif name.endswith("num_batches_tracked"):
            tensor.fill_(7)
    return network


@pytest.fixture(scope="session")
def compact() -> D24FAD:
    torch.manual_seed(0)
    return randomised(build_network("compact"))


@pytest.fixture
def tiny(compact: D24FAD, card: ModelCard, tmp_path: Path) -> Path:
    """A good model file outside the tool's folders."""
    save_model(compact, card, tmp_path / "given" / "tiny.safetensors")
    return tmp_path / "given" / "tiny.safetensors"


class _Malicious:
    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self.trace,)


@pytest.fixture(params=["pickle", "torch"])
def malicious(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A ``.pth`` that creates a file when it is unpickled; fails the test if that happened."""
    trace = tmp_path / "code was run"
    content = {"decoder": _Malicious(trace), "weight": {}}
    path = tmp_path / "malicious.pth"
    if request.param == "torch":
        torch.save(content, path)
    else:
        path.write_bytes(pickle.dumps(content))
    yield path
    assert not trace.exists()
    with path.open("rb") as file:
        torch.load(file, weights_only=False) if request.param == "torch" else pickle.load(file)
    assert trace.exists()  # the trap works
