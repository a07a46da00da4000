"""Conditions of conditional formats: trees for the first cell of an area, moving from cell to cell.

A range that is fixed on one side says of each cell where it is: `ROWS(C$10:C10)` counts its rows.
"""

from sheetgpt.formula.cells import BEGINS, Area
from sheetgpt.formula.expr import Call, Expr, Range, call

SAME_COLUMN = (False, True, False, True)  # the sides that are fixed
SAME_ROW = (True, False, True, False)


def beside(area: Area, column: int) -> Range:
    """The cell of another column, in the row of each cell."""
    return Range(Area(area.tab, area.top, column, area.top, column), fixed=SAME_COLUMN)


def over(area: Area, row: int) -> Range:
    """The cell of another row, in the column of each cell."""
    return Range(Area(area.tab, row, area.left, row, area.left), fixed=SAME_ROW)


def itself(area: Area) -> Range:
    """Each cell."""
    return Range(area.cell(0, 0))


def row_number(area: Area) -> Call:
    """In which row of the area each cell is, counted from 0."""
    return call("ROWS", Range(area.cell(0, 0), fixed=BEGINS)) - 1


def column_number(area: Area) -> Call:
    """In which column of the area each cell is, counted from 0."""
    return call("COLUMNS", Range(area.cell(0, 0), fixed=(False, True, False, False))) - 1


def is_blank(cell: Expr) -> Call:
    return call("LEN", cell).equals(0)


def is_at_least(size: Expr, cell: Expr) -> Call:
    """Whether a cell has a number of this size or more, whatever its sign."""
    return call("AND", call("LEN", cell) > 0, call("ABS", cell) >= size)


def begins_with(mark: str, cell: Expr) -> Call:
    return call("MID", cell, 1, len(mark)).equals(mark)
