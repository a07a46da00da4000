"""A saved workbook whose XML a test may change, as a person or a program might."""

import re
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from lxml import etree
from openpyxl.formula.translate import Translator

import sheetgpt
from sheetgpt.check.file import ModelInFile
from sheetgpt.check.written import written
from sheetgpt.formula.cells import Area, column_letters, read_address, split_tab

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


class Editor:
    """The parts of an .xlsx file; rows and columns count from 0 within a defined name."""

    def __init__(self, path: Path, to: Path) -> None:
        self.to = to
        with ZipFile(path) as archive:
            self.parts = {name: archive.read(name) for name in archive.namelist()}
        self.book = etree.fromstring(self.parts["xl/workbook.xml"])
        tabs = [sheet.get("name") for sheet in self.book.iterfind(f"{MAIN}sheets/{MAIN}sheet")]
        self.part_of = {tab: f"xl/worksheets/sheet{i}.xml" for i, tab in enumerate(tabs, start=1)}
        self.open: dict[str, Any] = {}

    def save(self) -> Path:
        self.parts["xl/workbook.xml"] = etree.tostring(self.book)
        for tab, sheet in self.open.items():
            self.parts[self.part_of[tab]] = etree.tostring(sheet)
        with ZipFile(self.to, "w", ZIP_DEFLATED, compresslevel=1) as archive:
            for name, data in self.parts.items():
                archive.writestr(name, data)
        return self.to

    # Defined names.

    def _name(self, name: str) -> Any:
        return next(
            each
            for each in self.book.iterfind(f"{MAIN}definedNames/{MAIN}definedName")
            if each.get("name") == name
        )

    def area(self, name: str) -> Area:
        tab, address = split_tab(self._name(name).text)
        area = read_address(address, tab or "")
        assert area is not None
        return area

    def remove(self, name: str) -> None:
        element = self._name(name)
        element.getparent().remove(element)

    def point(self, name: str, area: Area | str) -> None:
        self._name(name).text = area if isinstance(area, str) else area.absolute

    # Cells.

    def sheet(self, tab: str) -> Any:
        """The element of a tab, which will be saved."""
        if tab not in self.open:
            self.open[tab] = etree.fromstring(self.parts[self.part_of[tab]])
        return self.open[tab]

    def cell(self, area: Area) -> Any:
        """The element of an area's first cell."""
        address = f"{column_letters(area.left)}{area.top}"
        (found,) = self.sheet(area.tab).xpath(f".//*[local-name()='c'][@r='{address}']")
        return found

    def at(self, name: str, row: int = 0, column: int = 0) -> Any:
        return self.cell(self.area(name).cell(row, column))

    def beside(self, name: str, row: int, *, rows: int = 0, columns: int = 0) -> Any:
        """A cell outside of a named area: so many rows below and columns right of its row."""
        area = self.area(name).cell(row, 0)
        return self.cell(
            replace(
                area,
                top=area.top + rows,
                bottom=area.bottom + rows,
                left=area.left + columns,
                right=area.right + columns,
            )
        )

    def change(self, name: str, old: str, new: str, row: int | None = None, part: int = 0) -> None:
        """Replace a pattern in a step's formula of one row, or in the formulas of all its rows."""
        area = self.area(name)
        changed = 0
        for formula in self.formulas(area) if row is None else [self.at(name, row, part)[0]]:
            text, found = re.subn(old, new, formula.text, count=1)
            formula.text = text
            changed += found
        assert changed, f"no formula of {name} has {old}"

    def formulas(self, area: Area) -> list[Any]:
        """The formulas that begin in an area."""
        self.cell(area)
        found = []
        for formula in self.open[area.tab].iter(f"{MAIN}f"):
            here = read_address(formula.getparent().get("r"), area.tab)
            if (
                here
                and area.top <= here.top <= area.bottom
                and area.left <= here.left <= area.right
            ):
                found.append(formula)
        return found

    def shift(self, name: str, rows: int, columns: int) -> None:
        """Let every formula of a step read what lies so many rows and columns further."""
        for formula in self.formulas(self.area(name)):
            text = Translator("=" + formula.text, origin="Z100").translate_formula(
                row_delta=rows, col_delta=columns
            )
            formula.text = text[1:]

    @staticmethod
    def paste(cell: Any, value: float | str | None = None) -> None:
        """A value in the place of a formula: the one it showed, or another."""
        cell.remove(cell.find(f"{MAIN}f"))
        if value is not None:
            Editor.put(cell, value)

    @staticmethod
    def put(cell: Any, value: float | str) -> None:
        """Another value; the formula, if there is one, stays."""
        for child in cell:
            if child.tag != f"{MAIN}f":
                cell.remove(child)
        text = etree.SubElement(cell, f"{MAIN}v")
        text.text = str(value)
        if isinstance(value, str):
            cell.set("t", "str")
        else:
            cell.attrib.pop("t", None)


@pytest.fixture(scope="session")
def compiled() -> list[tuple[object, object]]:
    """What was compiled from what, for all tests."""
    return []


@pytest.fixture(autouse=True)
def compiled_once(compiled: list[tuple[Any, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Most changes leave alone what the book is compiled again from: then it is the same book."""

    def once(model: ModelInFile) -> Any:
        prompt = model.texts("checks.prompt")
        source = sheetgpt.__version__, model.said, prompt, model.tokenizer
        for known, result in compiled:
            if known == source:
                return result
        del compiled[:-9]  # a book takes megabytes
        compiled.append((source, written(model)))
        return compiled[-1][1]

    monkeypatch.setattr(import_module("sheetgpt.check.check"), "written", once)


@pytest.fixture
def edit(tiny_workbook: Path, tmp_path: Path) -> Callable[[], Editor]:
    """A function that opens the tiny workbook for changing."""
    return lambda: Editor(tiny_workbook, tmp_path / "edited.xlsx")
