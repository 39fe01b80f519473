"""Why a slice was scored as it was: what counted, what looks most like it, the two distances apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch

from napari_d24fad.detection.encoding.encoded import supports_at
from napari_d24fad.detection.published import PublishedDistances
from napari_d24fad.detection.references.calibration import FloatArray
from napari_d24fad.errors import ArgumentError, Code
from napari_d24fad.progress import CancelToken

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """One slice explained. Pictures and maps are upright, as `studies.orientation` defines it.

    Attributes:
        slice_index: Index of the slice along the slice axis of the query.
        weights: ``(references, scales)`` float32, the row of `AnomalyMap.weights`.
        reference_index: The reference that holds the most similar slice, from 0.
        reference_slice_index: That slice, along the slice axis of that reference.
        query_image: ``(rows, columns)`` or ``(rows, columns, 3)``, in the window the network saw.
        reference_image: The same for the most similar reference slice; of a volume, as large as the
            network saw it.
        query_pixel: Row and column spacing of `query_image` in mm (pixels without geometry).
        reference_pixel: The same for `reference_image`.
        maps: The published distances on the pixels of `query_image`, float32, NaN where not
            examined: ``"SSD"``, student features of the query against those of the references
            weighted by learn-to-weight, and ``"TSD"``, teacher against student features. Empty with a
            teacher alone.
    """

    slice_index: int
    weights: FloatArray = field(repr=False)
    reference_index: int
    reference_slice_index: int
    query_image: Picture = field(repr=False)
    reference_image: Picture = field(repr=False)
    query_pixel: tuple[float, float]
    reference_pixel: tuple[float, float]
    maps: Mapping[str, FloatArray] = field(repr=False)


@torch.inference_mode()
def explain(
    distances: PublishedDistances, slice_index: int, cancel: CancelToken | None = None
) -> Explanation:
    """Explains one slice of a query that was examined with these references.

    The most similar reference slice is the one that counted most, over all scales.

    Args:
        distances: Of the scan that was examined, to the references it was examined with.
        slice_index: Index along the slice axis of the scan.
        cancel: Stops it.

    Raises:
        ArgumentError: BAD_ARGUMENT if the slice was not examined.
        Cancelled: If a stop was asked for.
    """
    cancel = cancel or CancelToken()
    query, references = distances.query, distances.references
    position = distances.position_of(slice_index)
    if position is None:
        raise ArgumentError(Code.BAD_ARGUMENT, f"Slice {slice_index + 1} was not examined.")
    cancel.check()
    index = query.indices[position]
    level = float(query.encoded.levels[position])
    method = references.scoring
    alignment = references.alignment
    own = query.encoded.part(slice(position, position + 1)).on(distances.detector.device)
    own = own.aligned(method, alignment.statistics)
    known = [alignment.supports(each) for each in references.encoded]
    at = supports_at(known, [level])
    side = method.map_side(query.prepared.sampling.side)
    counted = method.compare(own.features, at.features, at.owners, side, references.counted)[1][0]
    weights = counted.new_zeros(len(references.encoded), counted.shape[1])
    weights = weights.index_add(0, torch.tensor(at.owners, device=counted.device), counted)
    likest = int(counted.mean(dim=1).argmax())
    owner = at.owners[likest]
    reference = references.encoded[owner]
    # Mirror images follow the slices they are of.
    nearest = reference.indices[at.positions[likest] % len(reference.indices)]
    query_image, query_pixel = query.prepared.picture(index)
    reference_image, reference_pixel = reference.prepared.picture(nearest)
    return Explanation(
        slice_index=slice_index,
        weights=weights.cpu().numpy(),
        reference_index=owner,
        reference_slice_index=reference.own_index(nearest),
        query_image=query_image,
        reference_image=reference_image,
        query_pixel=query_pixel,
        reference_pixel=reference_pixel,
        maps={name: distances.of_slices(slice(position, position + 1), name)[0] for name in distances.names},
    )
