"""The doubles nearest to the shortest decimals of float32, without making text of them.

The decimals that a float32 x may be written as lie less than half an ulp from it, an ulp being
the distance of its neighbours. Let k be the least number of decimals with 10^-k <= ulp. Then
at most one number of k - 1 decimals lies there: if one does, it is the shortest, or equal to it;
else it is the nearest of k decimals. Either is an integer m through a power of ten; both are
exact in a double, so their quotient is the double nearest to the decimal (IEEE 754, division).
"""

import numpy as np
from numpy.typing import NDArray


def _powers(less: int) -> NDArray[np.float64]:
    """10^(k - less) for each exponent field; NaN where it is not exact or below 1."""
    decimals = [len(str((1 << max(150 - field, 0)) - 1)) for field in range(256)]
    powers = [10.0 ** (k - less) if 1 <= k <= 22 else np.nan for k in decimals]
    return np.array(powers[:150] + [np.nan] * 106)  # from 2^23 on there are integers only


# By the exponent field of a float32.
_POWER, _LESS = _powers(0), _powers(1)
_HALF = np.array([2.0 ** (max(field, 1) - 151) for field in range(256)])  # half an ulp

CLOSE = 1e-6  # to a tie, or to the end of what may be written: too close to be told in doubles


def nearest(values: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The doubles for a row of float32, and the indices of those that cannot be told this way."""
    bits = values.view(np.uint32)
    field = (bits >> 23).astype(np.uint8)
    power, less, half = _POWER.take(field), _LESS.take(field), _HALF.take(field)
    exact = values.astype(np.float64)

    scaled = exact * power
    integer = np.rint(scaled)
    found = integer / power
    np.abs(np.subtract(scaled, integer, out=scaled), out=scaled)
    unclear = ~(scaled < 0.5 - CLOSE)

    shorter = np.rint(exact * less) / less
    away = np.abs(shorter - exact)
    away /= half
    np.copyto(found, shorter, where=away < 1)
    unclear |= np.abs(away - 1) < CLOSE
    unclear |= bits & 0x7FFFFF == 0  # below a power of two, an ulp is half as long
    return found, np.flatnonzero(unclear)
