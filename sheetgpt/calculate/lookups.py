"""Functions that look up: a place in a list, and what stands at a place."""

import numpy as np

from sheetgpt.calculate.arguments import Arguments, Function
from sheetgpt.calculate.arrays import as_array, first, one, spread
from sheetgpt.calculate.conversion import ErrorValue, alike, as_number, compare
from sheetgpt.calculate.values import Array, Error, Scalar, Value, part
from sheetgpt.formula.cells import Area


def _index(arguments: Arguments) -> Value:
    """INDEX: one cell, or with 0 for the row or the column a whole column or row."""
    whole = _Whole(arguments)
    rows, columns = whole.shape
    places = [arguments.value(index) for index in range(1, len(arguments))]
    if len(places) == 1:  # one number counts along the only row, or down the rows
        places = [1.0, places[0]] if rows == 1 else [places[0], 1.0 if columns == 1 else 0.0]

    def part_at(row: Scalar, column: Scalar) -> Value:
        row, column = int(as_number(row)), int(as_number(column))
        if not (0 <= row <= rows and 0 <= column <= columns):
            raise ErrorValue(Error.REF)
        return whole.part(row, column)

    scalars = [place for place in places if not isinstance(place, np.ndarray)]
    if len(scalars) == len(places):
        return one(part_at, tuple(scalars))
    return spread(lambda *at: one(lambda *place: first(part_at(*place)), at), places)


class _Whole:
    """What INDEX takes a part of; of a range it reads no more than the part."""

    def __init__(self, arguments: Arguments) -> None:
        self._sheets = arguments.environment.sheets
        self._of: Area | Array = arguments.area(0) or arguments.matrix(0)
        self.shape = self._of.shape

    def part(self, row: int, column: int) -> Value:
        """One cell, or where a place is 0 all of that side."""
        rows = slice(row - 1, row) if row else slice(0, self.shape[0])
        columns = slice(column - 1, column) if column else slice(0, self.shape[1])
        if isinstance(self._of, Area):
            area = self._of.rows(rows.start, rows.stop).columns(columns.start, columns.stop)
            return self._sheets.read(area)
        found = self._of[rows, columns]
        return part(found, 0, 0) if found.size == 1 else found


def _match(arguments: Arguments) -> Value:
    """MATCH: with 0 the first equal; with 1 the last not above the key, with -1 not below it."""
    key, listed = arguments.value(0), as_array(arguments.cells(1)).ravel()
    if listed.size == 1 and isinstance(listed[0], Error):
        return listed[0]
    kind = one(as_number, (arguments.scalar(2),))
    if isinstance(kind, Error):
        return kind
    assert isinstance(kind, float)

    def find(each: Scalar) -> Scalar:
        if isinstance(each, Error):
            return each
        return _last_within(each, listed, kind) if kind else _first_equal(each, listed)

    return spread(find, [key])


def _first_equal(key: Scalar, listed: Array) -> Scalar:
    places = list(range(len(listed)))
    if listed.dtype == np.float64 and isinstance(key, float):  # only these can be equal
        places = np.flatnonzero(np.abs(listed - key) <= 1e-13 * abs(key)).tolist()
    for place in places:
        if alike(key, listed[place]) and compare(key, listed[place]) == 0:
            return float(place + 1)
    return Error.NA


def _last_within(key: Scalar, listed: Array, kind: float) -> Scalar:
    """The last place of a sorted list before its values pass the key; unlike kinds do not count."""
    start = 0
    if listed.dtype == np.float64 and isinstance(key, float) and kind > 0:
        start = int(np.searchsorted(listed, key, side="right"))  # what follows may still be equal
    found: Scalar = float(start) if start else Error.NA
    for place, value in enumerate(listed[start:], start=start + 1):
        if alike(key, value):
            if compare(value, key) * kind > 0:
                break
            found = float(place)
    return found


LOOKUPS: dict[str, Function] = {"INDEX": _index, "MATCH": _match}
