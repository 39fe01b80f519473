"""Numbers floats by their leading bits, so that values of many scans are counted without keeping them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def ordered_bins(values: npt.NDArray[np.floating], bits: int) -> npt.NDArray[np.int64]:
    """Numbers values in their own order.

    Two values fall into one bin only if they differ by less than one part in ``2 ** (bits - 9)``:
    of the leading bits of a float32, nine are sign and exponent.

    Args:
        values: Any shape; NaN becomes 0, below every number.
        bits: How many leading bits count; there are ``2 ** bits`` bins.
    """
    raw = np.ascontiguousarray(values, np.float32).view(np.uint32)
    # IEEE 754: positive floats are ordered as their bits, negative ones the other way round.
    ordered = np.where(raw >> 31, ~raw, raw | np.uint32(1 << 31))
    ordered[np.isnan(values)] = 0
    return (ordered >> (32 - bits)).astype(np.int64)
