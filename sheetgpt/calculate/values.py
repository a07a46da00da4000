"""What a cell or a formula can hold, and the sheets that hold it.

One value is a float, a str, a bool, an Error, or None for an empty cell.  Many values are a
two-dimensional NumPy array: float64 where all are numbers, else object.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from sheetgpt.calculate.numerals import Float32Numerals
from sheetgpt.calculate.sparse_memory import zeros
from sheetgpt.formula.cells import Area


class Error(Enum):
    """Excel's error values; they travel through formulas like any other value."""

    NULL = "#NULL!"
    DIV0 = "#DIV/0!"
    VALUE = "#VALUE!"
    REF = "#REF!"
    NAME = "#NAME?"
    NUM = "#NUM!"
    NA = "#N/A"


Scalar = float | str | bool | Error | None
Array = NDArray[np.float64] | NDArray[np.object_]
Value = Scalar | Array


# What stands in a cell; BLANK is the text "", which fills every row that has no token yet.
EMPTY, NUMBER, BLANK, OTHER = range(4)


@dataclass(frozen=True)
class Block:
    """Constants that stand apart from the grid of their sheet: weights, ids, the vocabulary."""

    area: Area
    values: Array | Float32Numerals

    def holds(self, area: Area) -> bool:
        """Whether all cells of an area are among the block's."""
        mine = self.area
        return (
            mine.top <= area.top
            and area.bottom <= mine.bottom
            and mine.left <= area.left
            and area.right <= mine.right
        )

    def place(self, area: Area) -> tuple[slice, slice]:
        """Where in `values` the cells of an area are, as far as the block has them."""
        top, left = self.area.top, self.area.left
        return (
            slice(max(area.top - top, 0), max(area.bottom + 1 - top, 0)),
            slice(max(area.left - left, 0), max(area.right + 1 - left, 0)),
        )


class Sheet:
    """The values of one tab: a dense grid of numbers, and beside it the few other values.

    Many constants side by side, which no formula may overwrite, are blocks beside the grid; it
    reaches no farther than the rest.
    """

    def __init__(self, rows: int, columns: int, blocks: Iterable[Block] = ()) -> None:
        self.numbers = zeros((rows, columns), np.float64)
        self.kinds = zeros((rows, columns), np.uint8)
        self.others: dict[tuple[int, int], str | bool | Error] = {}
        self.blocks = list(blocks)

    def cell(self, row: int, column: int) -> Scalar:
        """The value at a row and a column, both counted from 1."""
        rows, columns = self.kinds.shape
        kind = EMPTY if row > rows or column > columns else self.kinds[row - 1, column - 1]
        if kind == NUMBER:
            return float(self.numbers[row - 1, column - 1])
        if kind == OTHER:
            return self.others[row, column]
        if kind == BLANK:
            return ""
        for block in self.blocks:
            area = Area(block.area.tab, row, column, row, column)
            if block.holds(area):
                return part(block.values[block.place(area)], 0, 0)
        return None

    def set(self, row: int, column: int, value: Scalar) -> None:
        kind = _kind(value)
        self.kinds[row - 1, column - 1] = kind
        if kind == OTHER:
            assert isinstance(value, bool | str | Error)
            self.others[row, column] = value
        elif kind == NUMBER:
            assert isinstance(value, float | int)
            self.numbers[row - 1, column - 1] = float(value)

    def fill(self, area: Area, values: NDArray[np.float64]) -> None:
        """Put numbers into the grid, [rows, columns] as many as the area has."""
        self.numbers[area.slices] = values
        self.kinds[area.slices] = NUMBER


def is_numbers(values: Array) -> TypeGuard[NDArray[np.float64]]:
    return values.dtype == np.float64


def _kind(value: Scalar) -> int:
    if value is None:
        return EMPTY
    if isinstance(value, bool | Error) or (isinstance(value, str) and value):
        return OTHER
    return BLANK if value == "" else NUMBER


@dataclass
class Sheets:
    """The values of a workbook, by tab."""

    by_tab: dict[str, Sheet] = field(default_factory=dict)

    def read(self, area: Area) -> Value:
        """The value of one cell, or the array of several."""
        sheet = self.by_tab.get(area.tab)
        if sheet is None:
            return Error.REF
        if area.shape == (1, 1):
            return sheet.cell(area.top, area.left)
        for block in sheet.blocks:
            if block.holds(area):
                return block.values[block.place(area)]
        where = area.slices
        kinds = sheet.kinds[where]
        if kinds.shape == area.shape and (kinds == NUMBER).all():
            return sheet.numbers[where]
        return _mixed(sheet, area, kinds)

    def factor(self, area: Area) -> Value | Float32Numerals:
        """What `read` gives, but rows of a large matrix as they are stored, to be multiplied."""
        sheet = self.by_tab.get(area.tab)
        for block in sheet.blocks if sheet is not None else ():
            if block.holds(area) and isinstance(block.values, Float32Numerals):
                rows, columns = block.place(area)
                if columns == slice(0, block.values.shape[1]):
                    return block.values.rows(rows)
        return self.read(area)

    def cells(self, area: Area) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """What kind of value stands in each cell of an area, and the numbers among them."""
        sheet = self.by_tab[area.tab]
        where = area.slices
        kinds, numbers = np.zeros(area.shape, dtype=np.uint8), np.zeros(area.shape)
        rows, columns = sheet.kinds[where].shape
        kinds[:rows, :columns] = sheet.kinds[where]
        numbers[:rows, :columns] = sheet.numbers[where]
        return kinds, numbers

    def write(self, area: Area, value: Value) -> None:
        """Fill an area with a formula's result: one value everywhere, or an array spread out."""
        sheet = self.by_tab[area.tab]
        where = area.slices
        if isinstance(value, np.ndarray) and is_numbers(value) and value.shape == area.shape:
            sheet.fill(area, value)
        elif isinstance(value, str) and not value:
            sheet.kinds[where] = BLANK
        else:
            for row, column in _places(area):
                shown = part(value, row - area.top, column - area.left)
                sheet.set(row, column, 0.0 if shown is None else shown)  # as Excel shows empty


def _mixed(sheet: Sheet, area: Area, kinds: NDArray[np.uint8]) -> Array:
    """The array of an area that holds more than numbers, or reaches beyond the grid."""
    rows, columns = kinds.shape
    values = np.full(area.shape, None, dtype=object)
    inside = values[:rows, :columns]
    numbers = kinds == NUMBER
    block = sheet.numbers[area.slices]
    inside[numbers] = block[numbers]
    inside[kinds == BLANK] = ""
    for row, column in np.argwhere(kinds == OTHER).tolist():
        inside[row, column] = sheet.others[area.top + row, area.left + column]
    for apart in sheet.blocks:
        found = apart.values[apart.place(area)]
        top, left = max(apart.area.top - area.top, 0), max(apart.area.left - area.left, 0)
        values[top : top + found.shape[0], left : left + found.shape[1]] = found
    return values


def _places(area: Area) -> Iterable[tuple[int, int]]:
    for row in range(area.top, area.bottom + 1):
        for column in range(area.left, area.right + 1):
            yield row, column


def part(value: Value, row: int, column: int) -> Scalar:
    """One value of an array that is spread over a larger shape; #N/A where it does not reach."""
    if not isinstance(value, np.ndarray):
        return value
    rows, columns = value.shape
    row, column = 0 if rows == 1 else row, 0 if columns == 1 else column
    if row >= rows or column >= columns:
        return Error.NA
    found: Scalar = value[row, column]
    return float(found) if isinstance(found, np.floating) else found
