"""Whole workbooks: every formula after those that it reads."""

import numpy as np
import pytest

from sheetgpt.calculate.environment import Environment
from sheetgpt.calculate.recalculate import Formula, in_order, recalculate
from sheetgpt.calculate.values import Sheet, Sheets
from sheetgpt.errors import WorkbookError
from sheetgpt.formula.cells import read_address
from sheetgpt.formula.parse import parse


def formula(address, text, tab="t"):
    return Formula(read_address(address, tab), parse(text, tab, {}))


def values(formulas, rows=40, columns=8):
    sheets = Sheets({"t": Sheet(rows, columns), "other": Sheet(rows, columns)})
    recalculate(formulas, Environment(sheets))
    return lambda address, tab="t": sheets.read(read_address(address, tab))


def test_each_formula_comes_after_what_it_reads():
    formulas = [
        formula("A1", "B1+B2"),
        formula("B1", "C1*2"),
        formula("B2", "B1+other!A1"),
        formula("C1", "5"),
        formula("A1", "t!C1+1", tab="other"),
    ]
    order = list(in_order(formulas))
    assert sorted(order) == [0, 1, 2, 3, 4]
    assert order.index(3) < order.index(1) < order.index(2) < order.index(0)
    assert order.index(4) < order.index(2)
    assert values(formulas)("A1") == 10 + 16


def test_a_chain_of_20000_formulas_in_the_worst_order():
    length = 20_000
    chain = [formula(f"A{row}", f"A{row - 1}+1") for row in range(length, 1, -1)]
    assert values([*chain, formula("A1", "1")], rows=length)(f"A{length}") == length


def test_a_formula_in_the_middle_of_a_tall_area():
    tall = 50_000
    formulas = [
        formula("C1", f"SUM(B1:B{tall})"),
        formula("B7", "A7*10"),  # in the middle of what is read
        formula(f"A1:A{tall}", "D1"),  # one formula fills the whole column
        formula("D1", "3"),
    ]
    assert values(formulas, rows=tall)("C1") == 30


def test_rows_that_read_all_rows_above():
    rows = [formula("A1", "1")] + [formula(f"A{r}", f"SUM(A1:A{r - 1})") for r in range(2, 21)]
    assert values(rows[::-1])("A20") == 2**18


def test_columns_that_read_their_left_neighbours():
    columns = [formula("A1:A9", "1")]
    columns += [
        formula(f"{b}1:{b}9", f"{a}1:{a}9*2") for a, b in zip("ABCDEF", "BCDEFG", strict=True)
    ]
    assert np.all(values(columns[::-1])("G1:G9") == 64)


def test_an_area_that_reaches_beyond_all_formulas():
    assert values([formula("C1", "SUM(A1:B1000)"), formula("A40", "4")])("C1") == 4


@pytest.mark.parametrize(
    ("formulas", "named"),
    [
        ([("A1", "A1+1")], "t!A1"),
        ([("A1", "B1"), ("B1", "A1")], "t!A1"),
        ([("A1", "B1"), ("B1", "C1"), ("C1", "D1"), ("D1", "B1")], "t!B1"),
        ([("A1", "IF(1=1,2,B1)"), ("B1", "A1")], "t!A1"),  # a branch may be taken some day
        ([("A1:C1", "SUM(B1:D1)")], "t!A1:C1"),
        ([("A2:A9", "SUM(A1:A8)")], "t!A2:A9"),
    ],
)
def test_a_circle_is_named(formulas, named):
    with pytest.raises(WorkbookError) as caught:
        values([formula(*each) for each in formulas])
    sentence = str(caught.value)
    assert sentence.startswith(f"{named}: the formula depends on itself; ")
    assert "undo the last change" in sentence


def test_cells_that_two_formulas_fill_are_no_circle():
    assert values([formula("A1:A3", "1"), formula("A2", "2"), formula("B1", "SUM(A1:A3)")])(
        "B1"
    ) in (3, 4)


def test_a_formula_that_is_no_array_formula_takes_the_cell_in_line():
    cells = [formula("A1", "1"), formula("A2", "2"), formula("A3", "3")]
    plain = Formula(read_address("B2", "t"), parse("A1:A3*10", "t", {}), array=False)
    assert values([plain, *cells])("B2") == 20


def test_progress_is_told():
    told = []
    sheets = Sheets({"t": Sheet(1200, 1)})
    recalculate(
        [formula(f"A{row}", "1") for row in range(1, 1101)], Environment(sheets), told.append
    )
    assert told == [f"calculating formulas ({done:,})" for done in (0, 500, 1000)]


def test_nothing_to_do():
    assert list(in_order([])) == []
