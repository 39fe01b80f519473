"""Slices of one scan against the reference slices at their level: distances and weights."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from napari_d24fad.detection.encoded import Encoded, supports_at
from napari_d24fad.detection.scoring import Scoring
from napari_d24fad.progress import CancelToken


@torch.inference_mode()
def compare_slices(
    scan: Encoded,
    positions: Sequence[int],
    references: Sequence[Encoded],
    method: Scoring,
    side: int,
    cancel: CancelToken,
    leave_out: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Compares some slices of a scan with the references, each at its own level.

    Args:
        scan: Aligned features of the scan.
        positions: Which of its slices, as positions in ``scan.levels``.
        references: Aligned features of the references.
        method: The scoring both were encoded for.
        side: Side of the maps in pixels.
        cancel: Stops it between two slices.
        leave_out: Index of a reference not to use.

    Returns:
        Distances ``(len(positions), components, side, side)`` and weights
        ``(len(positions), references, scales)``, 0 for the one left out.

    Raises:
        Cancelled: If a stop was asked for.
    """
    distances, weights = [], []
    for position in positions:
        cancel.check()
        supports, owners = supports_at(references, float(scan.levels[position]), leave_out)
        own = tuple(feature[position : position + 1] for feature in scan.features)
        distance, weight = method.compare(own, supports, owners, side)
        distances.append(distance)
        per_reference = weight.new_zeros(len(references), weight.shape[2])
        weights.append(per_reference.index_add(0, torch.tensor(owners, device=weight.device), weight[0]))
    return torch.cat(distances), torch.stack(weights)
