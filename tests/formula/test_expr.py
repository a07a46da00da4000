"""Trees: operators build them, and a mistake of shape rises where it is made."""

import re

import pytest

from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import SO_FAR, Call, Number, Range, Text, call, expr, join, past, split

X = Range(Area("t", 1, 1, 4, 6), "x")  # 4 tokens, 6 numbers each
ROW = Call("row", (X,))
W = Range(Area("t", 11, 1, 16, 2), "w")  # 6 x 2
CELL = Range(Area("t", 1, 1, 1, 1))


def test_operators_build_calls():
    difference, power = 2 - CELL, -(CELL**2)
    assert difference == Call("-", (Number(2), CELL))
    assert power == Call("neg", (Call("^", (CELL, Number(2))),))
    assert (CELL >= "a").op == ">="
    assert CELL.equals(1) == Call("=", (CELL, Number(1)))
    assert join("a", CELL, 1) == Call("&", (Call("&", (Text("a"), CELL)), Number(1)))


def test_negative_constants_are_a_sign_and_a_number():
    assert expr(-2) == -Number(2)


@pytest.mark.parametrize("value", [-1.0, float("inf"), float("nan")])
def test_numbers_that_no_formula_can_hold(value):
    with pytest.raises(ValueError, match="is not a number that formula text can hold"):
        Number(value)


@pytest.mark.parametrize(
    ("tree", "shape"),
    [
        (ROW, (1, 6)),
        (past(ROW), (SO_FAR, 6)),
        (Call("seen", (X,)), (1, SO_FAR)),
        (Call("column", (X,)), (4, 1)),
        (ROW @ W, (1, 2)),
        (ROW @ past(ROW).T, (1, SO_FAR)),
        (X + ROW, (4, 6)),
        (ROW + Call("column", (X,)), (4, 6)),
        (2 * ROW, (1, 6)),
        (call("SUM", X), (1, 1)),
        (call("IF", CELL, ROW, ""), (1, 6)),
        (call("INDEX", X, 2, 0), (1, 6)),
        (call("INDEX", X, 0, 2), (4, 1)),
        (call("INDEX", X, 2, 3), (1, 1)),
        (call("MATCH", ROW, X, 0), (1, 6)),
    ],
)
def test_shapes(tree, shape):
    assert tree.shape == shape


@pytest.mark.parametrize(
    ("mistake", "sentence"),
    [
        (lambda: W @ W, "MMULT cannot take arguments of 6 x 2, 6 x 2 cells"),
        (lambda: X + W, "+ cannot take arguments of 4 x 6, 6 x 2 cells"),
        (lambda: call("IF", X, W, ""), "IF cannot take arguments of 4 x 6, 6 x 2, 1 x 1 cells"),
        (lambda: call("EXP"), "EXP cannot take arguments of no cells"),
        (lambda: call("SUM"), "SUM cannot take arguments of no cells"),
        (lambda: call("PI", 1), "PI cannot take arguments of 1 x 1 cells"),
        (lambda: call("LARGE", X), "LARGE cannot take arguments of 4 x 6 cells"),
        (lambda: call("MATCH", 1, X), "MATCH cannot take arguments of 1 x 1, 4 x 6 cells"),
        (lambda: call("MID", "a", 1), "MID cannot take arguments of 1 x 1, 1 x 1 cells"),
        (lambda: call("INDEX", X), "INDEX cannot take arguments of 4 x 6 cells"),
        (lambda: call("row", X + 1), "row cannot take arguments of 4 x 6 cells"),
        (lambda: call("VLOOKUP", 1), "VLOOKUP is not a function that these formulas use"),
        (lambda: split(ROW, 4), "t!A1:F4 does not split into 4 equal parts"),
    ],
)
def test_mistakes_of_shape_rise_where_they_are_made(mistake, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        mistake()


def test_parts_lie_side_by_side():
    parts = [part.arguments[0] for part in split(ROW, 3)]
    assert [part.area.address for part in parts] == ["A1:B4", "C1:D4", "E1:F4"]
