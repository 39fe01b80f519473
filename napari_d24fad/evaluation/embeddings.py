"""Student embeddings: one vector per scan, to see whether the student keeps tasks and labels apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from sklearn.manifold import TSNE

from napari_d24fad.detection.encoding.encoded import EncodedScan

_PERPLEXITY = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class Embeddings:
    """Student embeddings of the scans of one task.

    Attributes:
        task: Name of the task.
        abnormal: Label of each scan.
        vectors: ``(scans, channels)`` student features averaged over positions and slices, the three
            scales one after the other.
    """

    task: str
    abnormal: tuple[bool, ...]
    vectors: npt.NDArray[np.float32] = field(repr=False)


def embed(task: str, abnormal: Sequence[bool], scans: Sequence[EncodedScan]) -> Embeddings:
    """Averages student features.

    Args:
        task: Name of the task.
        abnormal: Label of each scan.
        scans: Encoded for the ``"paper"`` scoring, whose first three features are the student's.
    """
    vectors = [
        np.concatenate([scale.mean(dim=(0, 2, 3)).cpu().numpy() for scale in scan.encoded.features[:3]])
        for scan in scans
    ]
    return Embeddings(task, tuple(abnormal), np.stack(vectors).astype(np.float32))


def project(embeddings: Sequence[Embeddings], seed: int = 0) -> list[npt.NDArray[np.float32]]:
    """Projects vectors of all tasks together to the plane by t-SNE (van der Maaten and Hinton 2008).

    Args:
        embeddings: One per task; each channel is brought to unit variance over all of them.
        seed: Where it begins.

    Returns:
        ``(scans, 2)`` for each task.
    """
    vectors = np.concatenate([each.vectors for each in embeddings])
    spread = vectors.std(axis=0)
    scaled = (vectors - vectors.mean(axis=0)) / np.where(spread > 0, spread, 1)
    perplexity = min(_PERPLEXITY, (len(vectors) - 1) / 3)
    plane = TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(scaled)
    ends = np.cumsum([len(each.vectors) for each in embeddings])[:-1]
    return np.split(np.asarray(plane, np.float32), ends)
