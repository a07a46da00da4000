"""What the witness reports, arranged as it stands on the tabs, and its fingerprints.

A fingerprint is the sum of a step's cells, each times the factor of its token and the factor of
its place in the token's row.  The factors are between 1/2 and 1 in size, spread as evenly as
multiples of an irrational number are, so that no two cells have the same; their signs are mixed,
so that errors of rounding cancel rather than add up.
"""

import math

import numpy as np
from numpy.typing import NDArray

from sheetgpt.book.book import Layout, StepRecord

Floats = NDArray[np.float64]

LEAST = 0.25  # what two factors come to at least
TOLERANCE = 1e-9  # how wrong a cell may be, as a part of the step's largest number
DIGITS = 15  # that every application keeps


def laid_out(record: StepRecord, values: NDArray[np.generic], first: int) -> Floats:
    """A trace as it stands on the tab, in the record's shape, NaN in the cells without a number.

    first: the row of the last token of the prompt; those before it need no prediction.
    """
    n, cells = len(values), np.full(record.shape, np.nan)
    if record.layout is Layout.TALL:
        cells[:, first:n] = values[first:].T
    elif record.layout is Layout.CAUSAL:  # [n, n_head, n], NaN where masked; heads side by side
        context = record.shape[0]
        cells.reshape(context, -1, context)[:n, :, :n] = values
    elif record.layout is Layout.SCALAR:
        cells[0, 0] = values[first]
    else:
        cells[:n] = values.reshape(n, -1)
    return cells


def factors_of_tokens(length: int) -> Floats:
    return _factors(length, math.sqrt(2), math.sqrt(3))


def factors_of_places(length: int) -> Floats:
    return _factors(length, (math.sqrt(5) - 1) / 2, math.sqrt(7))


def _factors(length: int, irrational: float, other: float) -> Floats:
    """The multiples of one number decide the sizes, those of another the signs."""
    multiples = np.arange(1, length + 1)
    size = np.round(0.5 + 0.5 * (multiples * irrational % 1), 7)
    factors: Floats = np.where(multiples * other % 1 < 0.5, size, -size)
    return factors


def fingerprint(record: StepRecord, values: Floats, first: int = 0) -> float:
    """The fingerprint of a step that is laid out as on its tab, or of its tokens from one on."""
    by_token = values.T if record.is_tall else values
    tokens, places = by_token.shape
    factors = factors_of_tokens(first + tokens)[first:, None] * factors_of_places(places)
    return rounded(float(np.nansum(by_token * factors)))


def rounded(value: float) -> float:
    """A number that stays the same whoever saves it."""
    return float(f"{value:.{DIGITS}g}")


def tolerance(values: Floats) -> float:
    """How far a fingerprint may be off: less than any cell that is wrong moves it."""
    largest = float(np.nanmax(np.abs(values), initial=0.0))
    return rounded(TOLERANCE * LEAST * largest)
