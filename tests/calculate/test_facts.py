"""What formulas give: the same facts through our evaluator, LibreOffice and IronCalc.

`facts.toml` holds the facts in groups: a small sheet of constants, and the formulas beside them.
`record_facts.py` writes their values there, with the functions that stand here.
"""

import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from openpyxl import Workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula

from sheetgpt.calculate.environment import Environment
from sheetgpt.calculate.recalculate import Formula, recalculate
from sheetgpt.calculate.units import Units
from sheetgpt.calculate.values import Error, Scalar, Sheet, Sheets
from sheetgpt.formula.cells import Area, read_address
from sheetgpt.formula.expr import SHAPES, Call, Expr
from sheetgpt.formula.parse import parse
from sheetgpt.office import libreoffice as office

FACTS = Path(__file__).with_name("facts.toml")
FIRST = 27  # the column of the formulas, right of all constants
ERRORS = {  # LibreOffice's numbers for the errors that Excel has too
    503: "#NUM!", 519: "#VALUE!", 521: "#NULL!", 524: "#REF!", 525: "#NAME?", 532: "#DIV/0!",
    32767: "#N/A",
}  # fmt: skip


@dataclass(frozen=True)
class Fact:
    """A formula and its value.

    cells: the constants on the formula's tab, by address.
    area: the cells that the formula fills.
    array: whether it is an array formula.
    value: what LibreOffice gives: a number, a truth value, a text, an error's name; rows of these
        where the formula fills several cells.
    excel: what Excel gives where its documents say otherwise; `source` names them.
    utf16: whether they differ in the units of text, of which our evaluator knows both.
    ironcalc: False where IronCalc lacks a function or gives something else.
    """

    area: Area
    array: bool
    cells: Mapping[str, Any]
    formula: str
    value: Any = None
    excel: Any = None
    source: str = ""
    utf16: bool = False
    ironcalc: bool = True

    def __str__(self) -> str:
        return f"{self.area.tab}: {self.formula}"

    def ours(self, units: Units) -> Any:
        """What our evaluator should give: Excel's value."""
        as_libreoffice = self.excel is None or (self.utf16 and units is Units.POINTS)
        return self.value if as_libreoffice else self.excel


@cache
def groups() -> list[dict[str, Any]]:
    """The groups of `facts.toml`, as they stand there."""
    found: list[dict[str, Any]] = tomllib.loads(FACTS.read_text(encoding="utf-8"))["group"]
    return found


@cache
def facts() -> list[Fact]:
    found = []
    for number, group in enumerate(groups(), start=1):
        tab, row = f"facts {number}", 1
        for entry in group["facts"]:
            known = dict(entry)
            rows, columns = map(int, known.pop("fills", "1x1").split("x"))
            at = read_address(known.pop("at", ""), tab)
            area = at or Area(tab, row, FIRST, row + rows - 1, FIRST + columns - 1)
            found.append(Fact(area, at is None, group.get("cells", {}), **known))
            row += rows
    return found


def as_value(constant: Any) -> Scalar:
    """A constant of `facts.toml` as a value of our own."""
    if isinstance(constant, str) and constant.startswith("#"):
        return Error(constant)
    return float(constant) if type(constant) is int else constant


def as_constant(value: Any) -> Any:
    """A value of our own as `facts.toml` has it."""
    return value.value if isinstance(value, Error) else value


def evaluated(fact: Fact, units: Units = Units.POINTS) -> Any:
    """What our evaluator gives."""
    sheet = Sheet(64, 64)
    for address, constant in fact.cells.items():
        area = read_address(address, fact.area.tab)
        assert area is not None
        sheet.set(area.top, area.left, as_value(constant))
    sheets = Sheets({fact.area.tab: sheet})
    tree = parse(fact.formula, fact.area.tab, {})
    recalculate([Formula(fact.area, tree, fact.array)], Environment(sheets, units))
    return _of_cells(fact.area, lambda cell: as_constant(sheets.read(cell)))


def _of_cells(area: Area, value: Callable[[Area], Any]) -> Any:
    """The value of an area's one cell, or the rows of values of several."""
    rows, columns = area.shape
    if (rows, columns) == (1, 1):
        return value(area)
    return [[value(area.cell(row, column)) for column in range(columns)] for row in range(rows)]


def same(found: Any, wanted: Any) -> bool:
    """Whether a value is the one of a fact, but for the last digits; TRUE may be written as 1."""
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(same, found, wanted))
    if isinstance(wanted, float | int) and isinstance(found, float | int):
        return math.isclose(found, wanted, rel_tol=1e-12)
    return bool(found == wanted)


# --- the workbook of all facts, for other engines ----------------------------------------------


def save_workbook(path: Path) -> None:
    """Write every fact's formula, and far beside it formulas that ask LibreOffice for its error."""
    workbook = Workbook()
    workbook.remove(workbook.active)
    for name, fact in _named():
        if fact.area.tab not in workbook.sheetnames:
            sheet = workbook.create_sheet(fact.area.tab)
            for address, constant in fact.cells.items():
                sheet[address] = constant
        text = "=" + fact.formula
        corner = fact.area.cell(0, 0).address
        sheet[corner] = ArrayFormula(fact.area.address, text) if fact.array else text
        errors = _beside(fact.area)
        for r, c in np.ndindex(fact.area.shape):
            cell = fact.area.cell(r, c).address
            sheet[errors.cell(r, c).address] = f"=IFERROR(ERRORTYPE({cell}),0)"
        for each, area in ((name, fact.area), (name + ".error", errors)):
            workbook.defined_names[each] = DefinedName(each, attr_text=area.absolute)
    workbook.save(path)


def _named() -> list[tuple[str, Fact]]:
    return [(f"fact.{number}", fact) for number, fact in enumerate(facts())]


def _beside(area: Area) -> Area:
    return replace(area, left=area.left + 100, right=area.right + 100)


def libreoffice_values(path: Path) -> list[Any]:
    """What LibreOffice gives for each fact; of an error that Excel lacks, its number: Err:502."""
    save_workbook(path)
    with office.opened(path) as document:
        document.calculate()
        found = document.read([each for name, _ in _named() for each in (name, name + ".error")])
    return [_value(fact, found[name], found[name + ".error"]) for name, fact in _named()]


def _value(fact: Fact, values: Any, errors: Any) -> Any:
    def value(cell: Area) -> Any:
        row, column = cell.top - fact.area.top, cell.left - fact.area.left
        if code := int(errors[row][column]):
            return ERRORS.get(code, f"Err:{code}")
        return values[row][column]

    return _of_cells(fact.area, value)


def ironcalc_values(path: Path) -> list[Any]:
    """What IronCalc gives for each fact; None where it cannot read the cell."""
    ironcalc = pytest.importorskip(
        "ironcalc", reason="the third engine is missing; pip install ironcalc"
    )
    save_workbook(path)
    model = ironcalc.load_from_xlsx(str(path), "en", "UTC", "en")
    model.evaluate()
    tabs = list(dict.fromkeys(fact.area.tab for fact in facts()))

    def value(area: Area) -> Any:
        return model.get_cell_value(tabs.index(area.tab), area.top, area.left)

    return [_of_cells(fact.area, value) for fact in facts()]


# --- the tests ---------------------------------------------------------------------------------


@pytest.mark.parametrize("units", [Units.UTF16, Units.POINTS])
@pytest.mark.parametrize("fact", facts(), ids=str)
def test_our_evaluator_gives_the_fact(fact: Fact, units: Units) -> None:
    found, wanted = evaluated(fact, units), fact.ours(units)
    assert same(found, wanted), f"{found} is not {wanted}"
    assert _kinds(found) == _kinds(wanted)


def _kinds(value: Any) -> Any:
    """Of what kind a value is, or all in it: here TRUE is not 1."""
    if isinstance(value, list):
        return [_kinds(each) for each in value]
    return type(value) if isinstance(value, bool | str) else float


def test_libreoffice_still_gives_every_fact(libreoffice: None, tmp_path: Path) -> None:
    values = libreoffice_values(tmp_path / "facts.xlsx")
    assert _differences(values, [fact.value for fact in facts()]) == {}


def test_ironcalc_gives_every_fact_that_it_knows(tmp_path: Path) -> None:
    values = ironcalc_values(tmp_path / "facts.xlsx")
    wanted = [fact.ours(Units.POINTS) if fact.ironcalc else None for fact in facts()]
    assert _differences(values, wanted) == {}
    assert wanted.count(None) < len(wanted) / 10


def _differences(found: list[Any], wanted: list[Any]) -> dict[str, Any]:
    return {
        str(fact): (value, expected)
        for fact, value, expected in zip(facts(), found, wanted, strict=True)
        if expected is not None and not same(value, expected)
    }


def test_every_function_has_facts() -> None:
    def functions(tree: Expr) -> set[str]:
        below = tree.arguments if isinstance(tree, Call) else ()
        own = {tree.op} if isinstance(tree, Call) else set()
        return own.union(*map(functions, below))

    seen = set().union(*(functions(parse(fact.formula, "", {})) for fact in facts()))
    assert set(SHAPES) - seen == {"row", "past", "seen", "column"}  # these are no functions


def test_every_departure_from_libreoffice_names_its_source() -> None:
    assert [str(fact) for fact in facts() if (fact.excel is None) != (fact.source == "")] == []
