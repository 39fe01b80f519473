"""Encoded references and what was measured of a set of them, as tensors and text for the `FeatureCache`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import astuple, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_d24fad.detection.encoding.devices import upload
from napari_d24fad.detection.encoding.encoded import Encoded, EncodedScan
from napari_d24fad.detection.encoding.encoder import Encoder
from napari_d24fad.detection.encoding.intensity import Window
from napari_d24fad.detection.encoding.prepared import Prepared
from napari_d24fad.detection.encoding.sampling import Sampling
from napari_d24fad.detection.references.alignment import Alignment
from napari_d24fad.detection.references.calibration import Calibration
from napari_d24fad.detection.references.copies import Likeness
from napari_d24fad.detection.references.null import Null
from napari_d24fad.detection.references.reference_check import check_outliers
from napari_d24fad.detection.references.reference_set import References
from napari_d24fad.detection.references.set_warnings import set_warnings
from napari_d24fad.detection.references.spread import Spread
from napari_d24fad.network.tensors import Tensors
from napari_d24fad.studies.orientation import canonical, canonical_orientation
from napari_d24fad.studies.scan import Photometric, Scan

FORMAT = 4
"""Raise it whenever features or what is made of them change: older entries are then not found."""


def encoding_key(encoder: Encoder, scan: Scan, max_slices: int) -> str:
    """Returns the key of a scan's features: of its pixels, their geometry, and all that changes features."""
    # Only where they are installed apart: features of other models keep their names.
    apart = (encoder.model.card.teacher, encoder.model.teacher_sha256) if encoder.model.teacher_sha256 else ()
    return _digest(
        "scan",
        scan.scan_hash(),
        encoder.model.sha256,
        *apart,
        encoder.scoring_name,
        encoder.arithmetic,
        encoder.ct_windows,
        encoder.model.card.input_size,
        max_slices,
    )


def source_key(encoding: str) -> str:
    """Returns the key of the note on which pixels the files of a series hold; see `Series.fingerprint`."""
    return _digest("source", encoding)


def set_key(encodings: Sequence[str]) -> str:
    """Returns the key of what was measured of these references, in this order."""
    return _digest("set", *encodings)


def pack_scan(encoded: EncodedScan) -> tuple[Tensors, dict[str, Any]]:
    """Packs what a header does not tell again; nothing of an identity is among it."""
    prepared = encoded.prepared
    tensors = {f"feature{n}": feature for n, feature in enumerate(encoded.encoded.features)}
    tensors["levels"] = torch.from_numpy(encoded.encoded.levels)
    tensors["seen"] = torch.from_numpy(np.stack([prepared.kept[index] for index in encoded.indices]))
    if known := prepared.masks:
        masks = np.stack([known[index] for index in encoded.indices])
        tensors["masks"] = torch.from_numpy(np.packbits(masks, axis=-1))
    sampling = prepared.sampling
    content = {
        "pixels": encoded.scan.content_hash(),
        "photometric": encoded.scan.photometric.value,
        "window": astuple(prepared.window),
        "sampling": [sampling.rows, sampling.columns, sampling.grid, sampling.content, sampling.side],
        "examined": [prepared.examined[0], prepared.examined[-1] + 1],
        "indices": encoded.indices,
    }
    return tensors, content


def unpack_scan(
    tensors: Tensors, content: dict[str, Any], outline: Scan, device: torch.device
) -> EncodedScan:
    """Puts an encoded scan together again, without its pixels.

    Args:
        tensors: Of `pack_scan`.
        content: Of `pack_scan`.
        outline: What the header of the series tells today.
        device: Where features are wanted.
    """
    photometric = Photometric(content["photometric"])
    scan = replace(outline, photometric=photometric, pixels_hash=content["pixels"])
    indices = tuple(int(index) for index in content["indices"])
    rows, columns, grid, size, side = content["sampling"]
    examined = tuple(range(*content["examined"]))
    upright = canonical(scan)
    prepared = Prepared(
        scan=upright,
        orientation=canonical_orientation(scan),
        window=_window(*content["window"]),
        sampling=Sampling(_pair(rows), _pair(columns), _pair(grid), _pair(size), int(side)),
        examined=examined,
        levels=(np.arange(len(examined)) + 0.5) / len(examined),
        kept_masks=_masks(tensors, indices),
        kept=dict(zip(indices, tensors["seen"].numpy(), strict=True)),
    )
    features = tuple(upload(tensors[f"feature{n}"], device) for n in range(_count(tensors, "feature")))
    return EncodedScan(scan, prepared, indices, Encoded(tensors["levels"].numpy(), features))


def pack_set(references: References) -> tuple[Tensors, dict[str, Any]]:
    """Takes what was measured of a set: statistics, matches, null distribution and calibration."""
    null, calibration, likeness = references.null, references.calibration, references.likeness
    tensors = {f"statistic{n}": each for n, each in enumerate(references.alignment.statistics)}
    for (first, second), matches in references.alignment.kept_among(references.encoded).items():
        tensors |= {f"match{n} {first} {second}": each for n, each in enumerate(matches)}
    tensors |= {
        "scores": torch.from_numpy(null.scores),
        "slice scores": torch.from_numpy(np.nan_to_num(null.slice_scores, nan=-1.0)),
        "values": torch.from_numpy(calibration.values),
        "tail": torch.from_numpy(calibration.tail),
        "peaks": torch.from_numpy(calibration.peaks),
        "origin": likeness.origin,
    }
    if null.component_means is not None:
        tensors["means"] = null.component_means
    if null.expected is not None:
        tensors["expected"] = null.expected
    if null.spread is not None:
        tensors["spread"] = null.spread.weights
    content = {
        "normal level": null.normal_level,
        "one more": null.one_more,
        "middle": 0.0 if null.spread is None else null.spread.middle,
        "one region": calibration.level_one_region,
        "limit": likeness.limit,
        "copies": likeness.pairs,
    }
    return tensors, content


def unpack_set(
    tensors: Tensors, content: dict[str, Any], encoded: Sequence[EncodedScan], alignment: Alignment
) -> References:
    """Puts the references together again.

    Args:
        tensors: Of `pack_set`.
        content: Of `pack_set`.
        encoded: The same scans in the same order.
        alignment: Made of `statistics_of` the tensors; takes the matches.
    """
    device = encoded[0].encoded.features[0].device
    for name, matches in _matches(tensors).items():
        first, second = (encoded[int(at)] for at in name.split())
        alignment.keep(first, second, tuple(upload(each, device) for each in matches))
    slice_scores = tensors["slice scores"].numpy()
    null = Null(
        component_means=_optional(tensors, "means", device),
        expected=_optional(tensors, "expected", device),
        spread=Spread(content["middle"], upload(tensors["spread"], device)) if "spread" in tensors else None,
        normal_level=content["normal level"],
        scores=tensors["scores"].numpy(),
        slice_scores=np.where(slice_scores < 0, np.nan, slice_scores).astype(np.float32),
        one_more=content["one more"],
    )
    likeness = Likeness(
        upload(tensors["origin"], device),
        content["limit"],
        tuple((int(a), int(b)) for a, b in content["copies"]),
    )
    return References(
        encoded=tuple(encoded),
        alignment=alignment,
        shares=(1.0,) * len(encoded),
        null=null,
        calibration=Calibration(
            tensors["values"].numpy(),
            tensors["tail"].numpy(),
            content["one region"],
            tensors["peaks"].numpy(),
        ),
        checks=check_outliers(null.scores),
        likeness=likeness,
        warnings=set_warnings([each.encoded for each in encoded], likeness),
        seconds=0.0,
    )


def statistics_of(tensors: Tensors, device: torch.device) -> tuple[Tensor, ...]:
    """Returns the statistics among tensors of `pack_set`."""
    return tuple(upload(tensors[f"statistic{n}"], device) for n in range(_count(tensors, "statistic")))


def _matches(tensors: Tensors) -> dict[str, list[Tensor]]:
    found: dict[str, list[Tensor]] = {}
    for name in sorted(tensors):
        if name.startswith("match"):
            found.setdefault(name.partition(" ")[2], []).append(tensors[name])
    return found


def _window(low: float, high: float, inverted: bool, others: Sequence[Sequence[float]]) -> Window:
    return Window(low, high, inverted, tuple((first, last) for first, last in others))


def _masks(tensors: Tensors, indices: Sequence[int]) -> dict[int, npt.NDArray[np.bool_]]:
    if "masks" not in tensors:
        return {}
    packed = tensors["masks"].numpy()
    masks = np.unpackbits(packed, axis=-1, count=packed.shape[1]).astype(bool)
    return dict(zip(indices, masks, strict=True))


def _optional(tensors: Tensors, name: str, device: torch.device) -> Tensor | None:
    return upload(tensors[name], device) if name in tensors else None


def _count(tensors: Tensors, prefix: str) -> int:
    return sum(name.startswith(prefix) for name in tensors)


def _pair(values: Sequence[int]) -> tuple[int, int]:
    first, second = (int(value) for value in values)
    return first, second


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps([FORMAT, *map(str, parts)]).encode()).hexdigest()
