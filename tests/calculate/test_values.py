"""Sheets: what is written into cells is read from them."""

import numpy as np
import pytest

from sheetgpt.calculate.values import BLANK, EMPTY, NUMBER, OTHER, Error, Sheet, Sheets, part
from sheetgpt.formula.cells import Area

CELL = Area("t", 2, 2, 2, 2)
BLOCK = Area("t", 1, 1, 2, 3)


@pytest.fixture
def sheets():
    return Sheets({"t": Sheet(4, 4)})


@pytest.mark.parametrize("value", [1.5, 0.0, "text", "", True, False, Error.NA])
def test_one_cell(sheets, value):
    sheets.write(CELL, value)
    found = sheets.read(CELL)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize("before", [1.5, "text", "", True, Error.NA])
@pytest.mark.parametrize("after", [2.5, "other", "", False, Error.REF])
def test_the_last_value_stays(sheets, before, after):
    sheets.write(CELL, before)
    sheets.write(CELL, after)
    found = sheets.read(CELL)
    assert found == after and type(found) is type(after)


def test_an_empty_cell(sheets):
    assert sheets.read(CELL) is None
    sheets.write(CELL, None)  # a formula that gives an empty cell shows 0
    assert sheets.read(CELL) == 0.0


def test_numbers(sheets):
    values = np.arange(6.0).reshape(2, 3)
    sheets.write(BLOCK, values)
    found = sheets.read(BLOCK)
    assert found.dtype == np.float64 and found.tolist() == values.tolist()
    assert sheets.read(BLOCK.cell(1, 2)) == 5.0


def test_mixed_values(sheets):
    values = np.array([[1.0, "a", True], [None, "", Error.DIV0]], dtype=object)
    sheets.write(BLOCK, values)
    assert sheets.read(BLOCK).tolist() == [[1.0, "a", True], [0.0, "", Error.DIV0]]


def test_one_value_fills_an_area(sheets):
    for value in (7.0, "", "x", Error.NUM):
        sheets.write(BLOCK, value)
        assert np.array(sheets.read(BLOCK), dtype=object).tolist() == [[value] * 3] * 2


def test_an_array_that_is_too_small_ends_in_na(sheets):
    sheets.write(BLOCK, np.array([[1.0, 2.0]]))  # a single row is repeated
    assert sheets.read(BLOCK).tolist() == [[1.0, 2.0, Error.NA]] * 2
    sheets.write(BLOCK, np.array([[1.0, 2.0, 3.0, 4.0]]))  # what is too much is not shown
    assert sheets.read(BLOCK).tolist() == [[1.0, 2.0, 3.0]] * 2


def test_beyond_the_used_cells_all_are_empty(sheets):
    sheets.write(Area("t", 4, 4, 4, 4), 1.0)
    assert sheets.read(Area("t", 9, 1, 9, 1)) is None
    assert sheets.read(Area("t", 4, 4, 5, 5)).tolist() == [[1.0, None], [None, None]]


def test_a_tab_that_is_not_there(sheets):
    assert sheets.read(Area("nowhere", 1, 1, 2, 2)) is Error.REF


def test_the_kinds_of_cells(sheets):
    for column, value in enumerate([None, 1.0, "", "x"], start=1):
        if value is not None:
            sheets.write(Area("t", 1, column, 1, column), value)
    kinds, numbers = sheets.cells(Area("t", 1, 1, 1, 5))
    assert kinds.tolist() == [[EMPTY, NUMBER, BLANK, OTHER, EMPTY]]
    assert numbers[0, 1] == 1.0


def test_parts_of_values():
    assert part(3.0, 9, 9) == 3.0
    assert part(np.array([[1.0], [2.0]]), 1, 9) == 2.0
    assert part(np.array([[1.0], [2.0]]), 2, 0) is Error.NA
    assert type(part(np.array([[1.0]]), 0, 0)) is float
