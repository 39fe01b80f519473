"""The training-free baseline: patches matched to their nearest neighbour in the references' teacher features.

Whatever a model adds to its teacher has to be better than this, with the same teacher,
references and images. Stages 2 and 3 are joined at the finer grid, as in PatchCore (Roth et al.
2022) without its memory reduction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import interpolate, normalize

from napari_d24fad.detection.detector import Detector
from napari_d24fad.detection.encoding.encoded import Encoded, EncodedScan
from napari_d24fad.detection.encoding.halving import in_halves
from napari_d24fad.detection.encoding.store import collect
from napari_d24fad.detection.references.null import scan_score, smooth
from napari_d24fad.detection.scoring.protocol import Features
from napari_d24fad.network.losses import enlarge
from napari_d24fad.progress import CancelToken

SMOOTHING = 4 / 128
TOP = 0.05
_BATCH = 16


@dataclass(frozen=True, slots=True)
class BaselineScores:
    """Two ways to make one number of a map.

    Attributes:
        top: Mean of the highest 5 % of the smoothed map.
        mean: Mean of the map.
    """

    top: float
    mean: float


@torch.inference_mode()
def encode_patches(detector: Detector, scan: EncodedScan, cancel: CancelToken) -> Encoded:
    """Encodes the slices that were encoded for the detector, by its teacher alone.

    Args:
        detector: Its network and normalisation are used.
        scan: Prepared and encoded.
        cancel: Stops it.

    Returns:
        One feature, ``(N, C2 + C3, H2, W2)``: unit length, both stages counting the same.

    Raises:
        Cancelled: If a stop was asked for.
    """

    def joined(run: slice) -> Features:
        inputs = detector.inputs(scan.prepared, scan.indices[run])
        _, middle, coarse = detector.network.teacher(inputs).scales
        coarse = interpolate(coarse, middle.shape[2:], mode="bilinear", align_corners=False)
        return (torch.cat([normalize(middle), normalize(coarse)], dim=1) / 2**0.5,)

    def batches() -> Iterator[Features]:
        for start in range(0, len(scan.indices), _BATCH):
            cancel.check()
            yield in_halves(joined, slice(start, min(start + _BATCH, len(scan.indices))))

    return Encoded(scan.encoded.levels, collect(len(scan.indices), batches()))


@torch.inference_mode()
def score_patches(
    query: Encoded,
    references: Sequence[Encoded],
    shots: Sequence[int],
    inside: Tensor,
    side: int,
    cancel: CancelToken,
) -> dict[int, BaselineScores]:
    """Scores a scan against the first references, for several numbers of them at once.

    Args:
        query: Of `encode_patches`.
        references: Likewise.
        shots: How many of the references; each pair is compared once for all of these.
        inside: Which pixels of the network input show the query, ``(side, side)`` bool.
        side: Side of the network input in pixels.
        cancel: Stops it between two slices.

    Returns:
        By number of references.

    Raises:
        Cancelled: If a stop was asked for.
    """
    maps: dict[int, list[Tensor]] = {count: [] for count in shots}
    for position, level in enumerate(query.levels):
        cancel.check()
        own = query.features[0][position]
        patches = own.flatten(1).T
        nearest = torch.full((len(patches),), -1.0, device=own.device)  # the lowest cosine
        for count, reference in enumerate(references, start=1):
            bank = reference.features[0][reference.at(float(level))]
            nearest = torch.maximum(nearest, (patches @ bank.flatten(2)).amax(dim=(0, 2)))
            if count in maps:
                maps[count].append((1 - nearest).reshape(1, *own.shape[1:]))
    return {count: _scores(torch.cat(found), inside, side) for count, found in maps.items()}


def _scores(distances: Tensor, inside: Tensor, side: int) -> BaselineScores:
    smoothed = smooth(enlarge(distances, side), SMOOTHING)[:, inside.to(distances.device)]
    count = max(1, int(smoothed.shape[1] * TOP))
    top = smoothed.topk(count, dim=1).values.mean(dim=1).cpu().numpy()
    return BaselineScores(scan_score(top), scan_score(smoothed.mean(dim=1).cpu().numpy()))
