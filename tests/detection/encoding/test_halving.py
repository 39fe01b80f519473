"""Comparisons on a device with too little memory, and features that do not lie where they are compared."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.encoding.halving import in_halves
from napari_d24fad.detection.references.alignment import Alignment
from napari_d24fad.detection.scoring import matched
from napari_d24fad.detection.scoring.names import scoring
from napari_d24fad.detection.scoring.paper import PaperScoring
from napari_d24fad.errors import Code, ModelError
from napari_d24fad.progress import CancelToken
from tests.detection.subjects import head, random_model


def no_memory() -> RuntimeError:
    return RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`")


def test_a_run_is_halved_until_it_fits() -> None:
    asked: list[tuple[int, int]] = []

    def compute(run: slice) -> tuple[torch.Tensor, ...]:
        asked.append((run.start, run.stop))
        if run.stop - run.start > 2:
            raise no_memory()
        return (torch.arange(run.start, run.stop),)

    (found,) = in_halves(compute, slice(3, 10))
    assert found.tolist() == [3, 4, 5, 6, 7, 8, 9]
    assert asked == [(3, 10), (3, 6), (3, 4), (4, 6), (6, 10), (6, 8), (8, 10)]


def test_one_slice_that_does_not_fit_is_refused_and_other_errors_stay() -> None:
    def compute(run: slice) -> tuple[torch.Tensor, ...]:
        raise error

    error = no_memory()
    with pytest.raises(ModelError) as refused:
        in_halves(compute, slice(0, 4))
    assert refused.value.code is Code.OUT_OF_MEMORY
    error = RuntimeError("shapes do not match")
    with pytest.raises(RuntimeError, match="shapes"):
        in_halves(compute, slice(0, 4))


@pytest.mark.parametrize("name", ["paper", "matched"])
def test_comparisons_are_halved_where_memory_is_short(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    detector = Detector(random_model(), "cpu", name)
    grid = (30, 40, 36)  # neighbours near enough to be compared together
    scans = [head(n, grid=grid) for n in range(3)]
    query = detector.encode_scan(head(4, grid=grid))
    expected = detector.examine(query, detector.encode(scans))
    kind = PaperScoring if name == "paper" else matched.MatchedScoring
    tried: list[int] = []
    for step in ("compare",) if name == "paper" else ("match", "distances"):
        own = getattr(kind, step)

        def short(self: object, features: tuple[torch.Tensor, ...], *others: object, own=own) -> object:
            tried.append(len(features[0]))
            if len(features[0]) > 1:
                raise no_memory()
            return own(self, features, *others)

        monkeypatch.setattr(kind, step, short)
    found = detector.examine(query, detector.encode(scans))
    assert max(tried) > 1
    np.testing.assert_allclose(found.values, expected.values, rtol=2e-3)
    np.testing.assert_allclose(found.weights, expected.weights, atol=1e-2)


def test_features_on_the_host_are_compared_on_the_device() -> None:
    """With torch's device without memory for a GPU: what is not brought there raises."""
    detector = Detector(random_model(), "cpu")
    query, *references = (detector.encode_scan(head(n)) for n in range(3))
    method = scoring("matched", volume=True)
    detector.device = torch.device("meta")
    statistics = method.statistics([each.encoded.on(detector.device).features for each in references])
    compared = Alignment(method, statistics, detector).compare(query, references)
    assert compared.matches is not None
    distances, weights = compared.distances(slice(None), 16, (1.0, 1.0), CancelToken())
    assert all(each.is_meta for each in (*compared.matches, distances, weights))
    assert distances.shape == (len(query.indices), 4, 16, 16)
    assert not any(feature.is_meta for each in (query, *references) for feature in each.encoded.features)
