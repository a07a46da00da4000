"""Formulas that are parsed once and filled in again are the trees that parsing each would give."""

import pytest

from sheetgpt.errors import WorkbookError
from sheetgpt.formula.cells import Area
from sheetgpt.formula.parse import parse
from sheetgpt.formula.skeleton import Parser
from sheetgpt.xlsx.read import read

NAMES = {"h.0.w": Area("w", 1, 1, 2, 2), "n1": Area("w", 9, 9, 9, 9)}


def test_every_formula_of_a_workbook(tiny_workbook):
    workbook = read(tiny_workbook)
    parser = Parser(workbook.names)
    for formula in workbook.formulas:
        tab = formula.area.tab
        assert parser.parse(formula.text, tab) == parse(formula.text, tab, workbook.names)


@pytest.mark.parametrize(
    "formulas",
    [
        ("A1+B2", "C3+D4", "AA10+XFD1048576", "$A$1+B$2", "'a b'!A1+x!B2", "'it''s'!A1+B2"),
        ("MMULT(A1:B2,h.0.w)", "MMULT(C3:D4,h.0.w)", "MMULT(C3:E5,A1:B3)"),
        ('IF(A1="","",B1)', 'IF(A2="","",B2)', 'IF(A2="A1","",B2)', 'IF(A2="A3","",B2)'),
        ("SUM(A1:B2)*2", "SUM(B2:A1)*2", "SUM(A1)*2", "SUM(A1:B9)*2"),
        ("h.0.w", "H.0.W", "A1", "LN(A1)", "A1+1E5", "A2+1E5"),
        ("-A1^2", "-B1^2", "- B1 ^2"),
    ],
)
def test_formulas_that_are_alike(formulas):
    parser = Parser(NAMES)
    for formula in formulas * 2:
        assert parser.parse(formula, "t") == parse(formula, "t", NAMES), formula


@pytest.mark.parametrize("formula", ["A1+", "A1+ZZZZ1", "A0+B1", "A1048577+B1", "MMULT(A1:B2,A1)"])
def test_what_cannot_be_read(formula):
    """Also where formulas of the same skeleton were read before."""
    parser = Parser(NAMES)
    parser.parse("A1+B1", "t")
    parser.parse("MMULT(A1:B2,A1:B2)", "t")
    with pytest.raises(WorkbookError) as wanted:
        parse(formula, "t", NAMES)
    with pytest.raises(WorkbookError) as found:
        parser.parse(formula, "t")
    assert str(found.value) == str(wanted.value)
