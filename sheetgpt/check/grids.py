"""Small grids of expected values; None where a cell should be blank."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from sheetgpt.check.file import Floats, Grid

ANYTHING = object()  # stands for a cell that may hold whatever it likes
SOMETHING = object()  # stands for a text that is not empty
NEAR = 1e-9  # logits and weights closer than this may change places


def cell(value: float | str) -> Grid:
    return np.array([[value]], dtype=object)


def down(length: int, first: int, values: Sequence[object]) -> Grid:
    """Values in a column from row `first` on; None in the other rows."""
    column = np.full((length, 1), None, dtype=object)
    column[first : first + len(values), 0] = values
    return column


def each(ids: Grid, function: Callable[[int], object]) -> Grid:
    values = np.full(ids.shape, None, dtype=object)
    for place, i in np.ndenumerate(ids):
        values[place] = None if i is None else function(i)
    return values


def as_id(value: object, n_vocab: int) -> int | None:
    """What a cell shows, if it is an id."""
    if isinstance(value, float) and value.is_integer() and 0 <= value < n_vocab:
        return int(value)
    return None


def as_good(ranked: NDArray[np.int64], shown: Grid | None, logits: Floats) -> Grid:
    """These ids in a column, but for those that the workbook has in another, equally good order."""
    ids = ranked.astype(object)[:, None]
    if shown is None or shown.shape != ids.shape:
        return ids
    for row, value in enumerate(shown[:, 0]):
        other = as_id(value, len(logits))
        if other is not None and abs(logits[other] - logits[ids[row, 0]]) <= NEAR:
            ids[row, 0] = other
    return ids
