"""Which points of a reference are near those of a query, block by block of the common space."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from napari_d24fad.anatomy.grid import FloatArray, Millimetres

_PRODUCT = 2**18
"""Multiplications of the largest matrix product that OpenBLAS leaves to one thread.

Its threads wait for each other without sleeping: where others used the two cores too, the products of one
pair of scans took up to 70 times as long by two threads.
"""

Indices = npt.NDArray[np.intp]


def near_blocks(
    places: FloatArray, others: FloatArray, block_mm: Millimetres, reach_mm: Millimetres
) -> Iterator[tuple[Indices, Indices]]:
    """Yields for each block of places which of them lie in it, and which others are near; some have none.

    Args:
        places: ``(3, n)`` in mm.
        others: ``(3, m)``.
        block_mm: Size of a block.
        reach_mm: How far beyond the block others are near.
    """
    block, reach = np.array(block_mm, np.float32), np.array(reach_mm, np.float32)
    blocks = np.floor(places / block[:, np.newaxis]).astype(np.int32)
    order = np.lexsort(blocks[::-1])
    changes = np.flatnonzero(np.any(np.diff(blocks[:, order], axis=1) != 0, axis=0)) + 1
    by_height = np.argsort(others[0], kind="stable")
    sorted_others = others[:, by_height]
    for members in np.split(order, changes):
        low = blocks[:, members[0]] * block - reach
        high = low + block + 2 * reach
        layer = slice(*np.searchsorted(sorted_others[0], (low[0], high[0])))
        near = np.flatnonzero(
            (sorted_others[1, layer] >= low[1])
            & (sorted_others[1, layer] < high[1])
            & (sorted_others[2, layer] >= low[2])
            & (sorted_others[2, layer] < high[2])
        )
        if near.size:
            yield members, by_height[layer][near]


def nearest(own: FloatArray, others: FloatArray, norms: FloatArray) -> Indices:
    """Returns for each row of one matrix which row of another is nearest.

    Args:
        own: ``(n, values)``.
        others: ``(m, values)``.
        norms: ``(m,)`` sums of squares of `others`.
    """
    count, size = own.shape
    rows = max(1, min(count, _PRODUCT // others.size))
    padded = np.zeros((-(-count // rows) * rows, size), np.float32)
    padded[:count] = -2 * own
    products = (padded.reshape(-1, rows, size) @ others.T).reshape(len(padded), -1)[:count]
    products += norms
    return np.asarray(products.argmin(axis=1))
