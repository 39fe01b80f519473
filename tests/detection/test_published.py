from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.encoding.encoded import EncodedScan
from napari_d24fad.detection.published import SSD, TSD, PublishedDistances
from napari_d24fad.detection.references.null import smooth
from napari_d24fad.network.cosine import cosine
from napari_d24fad.network.losses import enlarge
from napari_d24fad.studies.scan import Scan

from .subjects import head, random_model

REFERENCES = [head(n) for n in range(1, 4)]


@pytest.mark.parametrize("shares", [None, (1.0, 0.25, 1.0)])
def test_what_was_kept_gives_the_distances_that_the_network_gives(shares: tuple[float, ...] | None) -> None:
    """Here the network sees the query's slice and the nearest of each reference again."""
    detector = Detector(random_model(), "cpu")
    query, references = detector.encode_scan(head(0, lesion=True)), detector.encode(REFERENCES)
    if shares is not None:
        references = detector.reference_set(references.encoded, shares=shares)
    distances = PublishedDistances(detector, query, references)
    position = 5
    level = float(query.encoded.levels[position])
    nearest = [(each, each.encoded.at(level)[0]) for each in references.encoded]
    network, side = detector.network, query.prepared.sampling.side
    with torch.inference_mode():
        inputs = [detector.inputs(query.prepared, [query.indices[position]])]
        inputs += [detector.inputs(each.prepared, [each.indices[at]]) for each, at in nearest]
        seen = network.teacher(torch.cat(inputs))
        copied = network.student(seen.embedding)
        ssd, tsd = 0, 0
        for scale in (1, 2):
            own, others = copied[scale][:1], copied[scale][1:]
            projected = network.weighting.get_submodule(f"proj_in{scale + 1}")(others)
            logits = (own.double() * projected.double()).sum(dim=(1, 2, 3)) / own.shape[1] ** 0.5
            weights = logits.softmax(dim=0) * torch.tensor(shares or (1.0,) * 3)
            weighted = torch.einsum("k,kchw->chw", (weights / weights.sum()).float(), others)[None]
            ssd = ssd + enlarge(1 - cosine(own, weighted), side)
            tsd = tsd + enlarge(1 - cosine(seen.scales[scale][:1], own), side)
        index = [query.indices[position]]
        expected = [query.prepared.to_slices(smooth(each, 4 / 128), index)[0] for each in (ssd, tsd)]
    for name, values in zip((SSD, TSD), expected, strict=True):
        # Features are kept in half precision.
        found = distances.of_slices(slice(position, position + 1), name)[0]
        np.testing.assert_allclose(found, values, atol=0.01 * np.nanmax(values), equal_nan=True)
        assert np.corrcoef(found[np.isfinite(found)], values[np.isfinite(values)])[0, 1] > 0.999


def _stored_upside_down(scan: Scan) -> Scan:
    move = np.diag([-1.0, 1, 1, 1])
    move[0, 3] = scan.n_slices - 1
    return Scan(scan.voxels[::-1], scan.affine @ move, modality="MR")


def test_drawn_on_the_grid_of_a_scan_however_it_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    detector = Detector(random_model(), "cpu")
    references = detector.encode(REFERENCES)
    maps = []
    for scan in (head(0), _stored_upside_down(head(0))):
        encoded: EncodedScan = detector.encode_scan(scan)
        distances = PublishedDistances(detector, encoded, references)
        values = np.zeros(scan.grid, np.float32)
        monkeypatch.setattr(detector.network.teacher, "forward", _refuse)  # nothing is encoded again
        few = [range(first, min(first + 3, scan.n_slices)) for first in range(0, scan.n_slices, 3)]
        highest = [distances.draw(values, slices, SSD) for slices in few]
        monkeypatch.undo()
        np.testing.assert_array_equal(highest, [values[slices.start : slices.stop].max() for slices in few])
        maps.append(values)
    assert maps[0].max() > 0
    np.testing.assert_array_equal(maps[0], maps[1][::-1])


def _refuse(*inputs: object) -> None:
    raise AssertionError("encoded again")
