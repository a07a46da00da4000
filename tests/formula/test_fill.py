"""Formulas that are filled down, and the one that somebody changed."""

import pytest

from sheetgpt.formula.fill import misfit
from sheetgpt.formula.parse import parse

ROWS = 8


def filled(formula):
    """The trees of one formula filled down; `{0}` is its row, `{1}` the one above."""
    return [parse(formula.format(row, row - 1), "t", {}) for row in range(10, 10 + ROWS)]


FORMULAS = [
    "MMULT(A{0}:D{0},F1:G4)+2",  # a row moves along, the matrix stays
    "MMULT(A{0}:D{0},TRANSPOSE(A10:D{0}))*2",  # the rows so far: one side stays
    "IF(A{0}>2,B{1}+1,INDEX(F1:F9,A{0}))",  # reads the row above
]


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_filled_formula_fits(formula):
    assert misfit(filled(formula)) is None


CHANGES = [
    ("MMULT(A{0}:D{0},F1:G4)+2", "MMULT(A{0}:D{0},F1:G4)+3"),  # another constant
    ("MMULT(A{0}:D{0},F1:G4)+2", "MMULT(A{1}:D{1},F1:G4)+2"),  # an operand shifted by one row
    ("MMULT(A{0}:D{0},F1:G4)+2", "MMULT(B{0}:E{0},F1:G4)+2"),  # or by one column
    ("MMULT(A{0}:D{0},F1:G4)+2", "MMULT(A{0}:D{0},F2:G5)+2"),  # another matrix
    ("MMULT(A{0}:D{0},F1:G4)+2", "MMULT(A{0}:D{0},F1:G4)-2"),  # another operator
    ("MMULT(A{0}:D{0},F1:G4)+2", "MMULT(A{0}:D{0},other!F1:G4)+2"),  # another tab
    ("AVERAGE(A{0}:D{0})", "SUM(A{0}:D{0})"),  # another function
    ("AVERAGE(A{0}:D{0})", "AVERAGE($A$1:$D$1)"),  # absolute instead of relative
    ("AVERAGE(A{0}:D{0})", "AVERAGE(A{0}:C{0})"),  # a shorter range
    ("AVERAGE(A{0}:D{0})", "AVERAGE(A{0}:D{0},1)"),  # one argument more
    ("A{0}*2", "A{0}*A{0}"),  # a range for a number
    ('IF(A{0}=1,"a","b")', 'IF(A{0}=1,"a","c")'),  # another text
    ("SUM(A10:A{0})", "SUM(A10:A{1})"),  # the sum of one row less
]


@pytest.mark.parametrize("at", [0, 1, ROWS // 2, ROWS - 2, ROWS - 1])
@pytest.mark.parametrize(("formula", "changed"), CHANGES)
def test_the_changed_formula_is_found(formula, changed, at):
    if changed == "SUM(A10:A{1})" and at == 0:
        changed = "SUM(A10:A11)"  # there is no row above the first
    trees = filled(formula)
    trees[at] = filled(changed)[at]
    assert misfit(trees) == at


def test_two_formulas_prove_nothing():
    assert misfit(filled("A{0}")[:1]) is None
    assert misfit([filled("A{0}")[0], filled("B{0}+1")[1]]) is None


def test_filled_to_the_right():
    trees = [parse(f"MMULT(wte!A1:B9,{column}1:{column}2)", "t", {}) for column in "CDEFGH"]
    assert misfit(trees) is None
    trees[2] = trees[1]
    assert misfit(trees) == 2
