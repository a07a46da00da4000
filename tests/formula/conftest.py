"""The table of facts: what formulas give, recorded from LibreOffice.

`facts.toml` holds the facts in groups: a small sheet of constants, and the formulas beside them.
One workbook of all facts goes through every engine; `record_facts.py` writes the values.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula

from sheetgpt.formula.cells import Area, read_address
from sheetgpt.formula.evaluate import Engine
from sheetgpt.formula.parse import parse
from sheetgpt.formula.recalculate import Formula, recalculate
from sheetgpt.formula.values import Error, Scalar, Sheet, Sheets, part
from sheetgpt.xlsx import office

FACTS = Path(__file__).with_name("facts.toml")
FIRST = 27  # the column of the formulas, right of all constants
ERRORS = dict(enumerate(Error, start=1))  # as ERROR.TYPE numbers them
PROBES = {"error": "IF(ISERROR({0}),IFERROR(ERROR.TYPE({0}),-1),0)", "truth": "ISLOGICAL({0})*1"}


@dataclass(frozen=True)
class Fact:
    """A formula and its value.

    cells: the constants on the formula's tab, by address.
    area: the cells that the formula fills.
    array: whether it is an array formula.
    value: what LibreOffice gives: a number, a truth value, a text, an error's name; rows of these
        where the formula fills several cells.
    excel: what Excel gives where its documents say otherwise; `source` names them.
    ironcalc: False where IronCalc lacks a function or gives something else.
    """

    area: Area
    array: bool
    cells: Mapping[str, Any]
    formula: str
    value: Any = None
    excel: Any = None
    source: str = ""
    ironcalc: bool = True

    def __str__(self) -> str:
        return f"{self.area.tab}: {self.formula}"

    @property
    def excels(self) -> Any:
        return self.value if self.excel is None else self.excel


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


def evaluated(fact: Fact, utf16: bool = False) -> Any:
    """What our evaluator gives."""
    sheet = Sheet(64, 64)
    for address, constant in fact.cells.items():
        area = read_address(address, fact.area.tab)
        assert area is not None
        sheet.set(area.top, area.left, as_value(constant))
    sheets = Sheets({fact.area.tab: sheet})
    tree = parse(fact.formula, fact.area.tab, {})
    recalculate([Formula(fact.area, tree, fact.array)], Engine(sheets, utf16))
    rows, columns = fact.area.shape
    result = sheets.read(fact.area)
    cells = [[as_constant(part(result, r, c)) for c in range(columns)] for r in range(rows)]
    return cells if (rows, columns) != (1, 1) else cells[0][0]


# --- the workbook of all facts, for other engines ----------------------------------------------------


def save_workbook(path: Path) -> None:
    """Write every fact's formula, and beside it formulas that ask what kind of value it gives."""
    workbook = Workbook()
    workbook.remove(workbook.active)
    for number, fact in enumerate(facts()):
        if fact.area.tab not in workbook.sheetnames:
            sheet = workbook.create_sheet(fact.area.tab)
            for address, constant in fact.cells.items():
                sheet[address] = constant
        corner = fact.area.cell(0, 0).address
        text = "=" + fact.formula
        sheet[corner] = ArrayFormula(fact.area.address, text) if fact.array else text
        named = {f"fact.{number}": fact.area}
        for beside, (kind, probe) in enumerate(PROBES.items(), start=1):
            area = _beside(number, fact, beside)
            named[f"fact.{number}.{kind}"] = area
            for r, c in _places(fact):
                cell = fact.area.cell(r, c).address
                sheet[area.cell(r, c).address] = "=" + probe.format(cell)
        for name, area in named.items():
            workbook.defined_names[name] = DefinedName(name, attr_text=area.absolute)
    workbook.save(path)


def _beside(number: int, fact: Fact, beside: int) -> Area:
    """Where a probe of a fact stands: on no other's cells, whatever its tab holds."""
    rows, columns = fact.area.shape
    top, left = 100 + 10 * number, FIRST + 10 * beside
    return Area(fact.area.tab, top, left, top + rows - 1, left + columns - 1)


def _places(fact: Fact) -> list[tuple[int, int]]:
    rows, columns = fact.area.shape
    return [(r, c) for r in range(rows) for c in range(columns)]


def libreoffice_values(path: Path) -> list[Any]:
    """What LibreOffice gives for each fact; an error that only LibreOffice has is 'Err'."""
    save_workbook(path)
    names = [f"fact.{number}" for number in range(len(facts()))]
    with office.opened(path) as document:
        document.calculate()
        found = document.read([f"{name}{kind}" for name in names for kind in ("", ".error", ".truth")])
    return [
        _whole(fact, found[name], found[f"{name}.error"], found[f"{name}.truth"])
        for fact, name in zip(facts(), names, strict=True)
    ]


def _whole(fact: Fact, values: Any, errors: Any, truths: Any) -> Any:
    def one(r: int, c: int) -> Any:
        if errors[r][c]:
            return ERRORS[error].value if (error := int(errors[r][c])) in ERRORS else "Err"
        return bool(values[r][c]) if truths[r][c] else values[r][c]

    rows, columns = fact.area.shape
    cells = [[one(r, c) for c in range(columns)] for r in range(rows)]
    return cells if (rows, columns) != (1, 1) else cells[0][0]
