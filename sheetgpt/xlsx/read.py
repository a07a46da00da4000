"""Reading a saved workbook: values, formulas, defined names, properties.

Reads what any application writes (shared strings, shared formulas, cells without an address).
Source: ECMA-376 Part 1, sections 18.2 (workbook), 18.3 (worksheet) and 18.4 (shared strings).
"""

import posixpath
import re
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Any
from zipfile import BadZipFile, ZipFile
from zlib import error as DeflateError

import numpy as np
from lxml import etree
from openpyxl.formula.tokenizer import TokenizerError
from openpyxl.formula.translate import Translator, TranslatorError

from sheetgpt.calculate.values import NUMBER, Block, Error, Scalar, Sheet, Sheets
from sheetgpt.errors import WorkbookError
from sheetgpt.formula.cells import (
    LAST_COLUMN,
    LAST_ROW,
    Area,
    column_letters,
    column_number,
    read_address,
    split_tab,
)
from sheetgpt.progress import Progress, silent
from sheetgpt.workers import Workers
from sheetgpt.xlsx.number_runs import Run, joined
from sheetgpt.xlsx.own_rows import OwnCell, without_own_rows
from sheetgpt.xlsx.parallel import sheets_without_runs

_FIXED = re.compile(r"\$[A-Za-z]+\$[0-9]+(:\$[A-Za-z]+\$[0-9]+)?\Z")
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_ERRORS = {error.value: error for error in Error}

# What no workbook needs: a sheet's last used row times its last used column (GPT-2 small has
# tabs of 39 million cells), and a part that is large and yet packed to next to nothing.
MOST_CELLS = 1_000_000_000
SUSPICIOUS_SIZE, SUSPICIOUS_RATIO = 50_000_000, 200  # bytes unpacked, and how many of one packed

# How every part is parsed: nothing is fetched or expanded, and only elements count.
_CAREFUL: dict[str, Any] = {
    "resolve_entities": False, "no_network": True, "load_dtd": False,
    "remove_comments": True, "remove_pis": True,
}  # fmt: skip

_UNREADABLE = (
    OSError, BadZipFile, DeflateError, EOFError, RuntimeError, etree.XMLSyntaxError,
    TokenizerError, TranslatorError, LookupError, ValueError,
)  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """What a file may ask for: the cells that a tab spans, how many formulas, and their work.

    work: cells that all formulas read and compute together.
    """

    span: int = MOST_CELLS
    formulas: int = MOST_CELLS
    work: int = MOST_CELLS


@dataclass(frozen=True)
class FormulaText:
    """A formula as the file has it, and the cells it fills."""

    area: Area
    text: str
    array: bool


@dataclass(frozen=True)
class RuleText:
    """A conditional format that holds by a formula: the addresses of its cells, and the formula."""

    tab: str
    addresses: str
    text: str


@dataclass(frozen=True)
class Workbook:
    """What a file holds. Names are in lower case, for spreadsheets ignore their case.

    odd_names: of names that do not simply stand for cells, what is odd about them.
    """

    values: Sheets
    formulas: list[FormulaText]
    names: Mapping[str, Area]
    properties: Mapping[str, str]
    odd_names: Mapping[str, str] = field(default_factory=dict)
    rules: Sequence[RuleText] = ()


def read(
    path: Path,
    progress: Progress = silent,
    limits: Callable[[Mapping[str, str]], Limits] = lambda properties: Limits(),
    jobs: int = 1,
) -> Workbook:
    """Read an .xlsx file; raises WorkbookError where it is missing, broken or something else.

    limits: what a file with these document properties may ask for.
    jobs: how many cores to use.
    """
    try:
        _refuse_special(path)
        with ZipFile(path) as archive, Workers(jobs) as workers:
            return _read(archive, progress, limits, workers)
    except FileNotFoundError as error:
        raise WorkbookError(
            f"{path}: there is no such file; build one with sheetgpt build"
        ) from error
    except _UNREADABLE as error:
        raise WorkbookError(
            f"{path}: not a readable .xlsx workbook ({_reason(error)}); "
            "build it again, or save it once more as .xlsx"
        ) from error


def _refuse_special(path: Path) -> None:
    """A pipe would be waited for, and a device has no end."""
    mode = path.stat().st_mode
    if not (S_ISREG(mode) or S_ISDIR(mode)):  # of a directory the system itself says what it is
        raise ValueError("it is no regular file")


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    said = str(error.args[0]) if error.args else type(error).__name__
    said = " ".join(said.split()).rstrip(".")[:200]
    return said if " " in said else f"it has no {said or 'name'}"


def _read(
    archive: ZipFile,
    progress: Progress,
    limits: Callable[[Mapping[str, str]], Limits],
    workers: Workers,
) -> Workbook:
    for part in archive.infolist():
        if part.file_size > max(SUSPICIOUS_SIZE, SUSPICIOUS_RATIO * part.compress_size):
            raise ValueError(f"its part {part.filename} would unpack to {part.file_size:,} bytes")
    book = _part(archive, "xl/workbook.xml")
    properties = dict(_properties(archive))
    most = limits(properties)
    targets = {
        relation.get("Id"): relation.get("Target", "")
        for relation in _part(archive, "xl/_rels/workbook.xml.rels")
    }
    strings = list(_shared_strings(archive))
    parts: dict[str, str] = {}
    for sheet in book.iterfind("{*}sheets/{*}sheet"):
        identifier = next((sheet.get(key) for key in sheet.attrib if key.endswith("}id")), "id")
        path = posixpath.normpath(posixpath.join("/xl", targets[identifier]))
        parts[sheet.get("name", "")] = path.lstrip("/")
    tabs = {part: name for name, part in parts.items()}
    found: dict[str, tuple[Sheet, list[FormulaText]]] = {}
    rules: list[RuleText] = []
    for at, (pieces, runs) in sheets_without_runs(archive, tabs, workers):
        progress(tabs[at])
        reader = _SheetReader(tabs[at], strings, runs, most)
        found[tabs[at]] = reader.read(pieces), reader.formulas
        rules += reader.rules
        if sum(len(formulas) for _, formulas in found.values()) > most.formulas:
            raise ValueError(f"it has more than {most.formulas:,} formulas")
    values = Sheets({name: found[name][0] for name in parts})
    all_formulas = [formula for name in parts for formula in found[name][1]]
    names, odd = _names(book)
    return Workbook(values, all_formulas, names, properties, odd, rules)


def _part(archive: ZipFile, name: str) -> Any:
    with archive.open(name) as part:
        root = etree.parse(part, etree.XMLParser(**_CAREFUL)).getroot()
    _refuse_doctype(root)
    return root


def _refuse_doctype(element: Any) -> None:
    """No workbook declares a document type; what does may want entities that grow without end."""
    if element.getroottree().docinfo.doctype:
        raise ValueError("its XML declares a document type, which no workbook has")


def _names(book: Any) -> tuple[dict[str, Area], dict[str, str]]:
    """The names that stand for cells, and what is odd about a name that does not simply do so."""
    found: dict[str, Area] = {}
    odd: dict[str, str] = {}
    for each in book.iterfind("{*}definedNames/{*}definedName"):
        name, text = each.get("name", "").lower(), each.text or ""
        tab, address = split_tab(text)
        area = read_address(address, tab or "")
        if each.get("localSheetId") is not None:
            if not name.startswith("_xlnm."):  # such as what is to be printed of a tab
                odd.setdefault(name, "means something else on one tab")
        elif area is None:
            odd[name] = f"stands for {text[:100] or 'nothing'}"
        else:
            if name in found:
                odd[name] = "stands for two things"
            elif not _FIXED.match(address):
                odd[name] = f"is {text}, without $, so that it means other cells in each formula"
            found[name] = area
    return found, odd


def _properties(archive: ZipFile) -> Iterator[tuple[str, str]]:
    if "docProps/custom.xml" in archive.namelist():
        for each in _part(archive, "docProps/custom.xml"):
            yield each.get("name", ""), "".join(each.itertext())


def _shared_strings(archive: ZipFile) -> Iterator[str]:
    if "xl/sharedStrings.xml" in archive.namelist():
        for item in _part(archive, "xl/sharedStrings.xml"):
            yield _string(item)


def _string(item: Any) -> str:
    """The text of a string element: its runs, without the phonetic reading of East Asian text."""
    found = [text.text or "" for text in item.iterfind("{*}t")]
    found += [text.text or "" for text in item.iterfind("{*}r/{*}t")]
    return _unescaped("".join(found))


def _unescaped(text: str) -> str:
    if "_x" not in text:
        return text
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)


class _SheetReader:
    """Collects one sheet's cells as they stream by."""

    def __init__(self, tab: str, strings: list[str], runs: list[Run], most: Limits) -> None:
        self.tab, self.strings, self.runs, self.most = tab, strings, runs, most
        self.filled = 0  # cells that formulas fill
        self.formulas: list[FormulaText] = []
        self.rules: list[RuleText] = []
        self.shared: dict[str, tuple[str, str]] = {}  # index -> text and address of the first
        self.rows, self.columns, self.numbers = array("q"), array("q"), array("d")
        self.others: list[tuple[int, int, Scalar]] = []
        self.last_row = 0

    def read(self, pieces: Iterator[bytes]) -> Sheet:
        tags = ("{*}row", "{*}conditionalFormatting")
        parser = etree.XMLPullParser(events=("end",), tag=tags, **_CAREFUL)
        for xml in without_own_rows(pieces, self._own_row):
            parser.feed(xml)
            self._elements(parser)
        parser.close()
        self.formulas.sort(key=lambda formula: (formula.area.top, formula.area.left))
        return self._sheet()

    def _elements(self, parser: Any) -> None:
        for _, element in parser.read_events():
            if not self.last_row:
                _refuse_doctype(element)
            if element.tag.endswith("row"):
                self._row(element)
            else:
                self._rules(element)
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]

    def _rules(self, element: Any) -> None:
        for formula in element.iterfind("{*}cfRule[@type='expression']/{*}formula"):
            self.rules.append(RuleText(self.tab, element.get("sqref", ""), formula.text or ""))

    def _own_row(self, row: int, cells: list[OwnCell]) -> None:
        self.last_row = row
        for letters, _, kind, ref, formula, value, inline in cells:
            column = column_number(letters)
            self._refuse_outside(row, column, f"{letters}{row}")
            if formula is not None:
                self._fill(row, column, ref, formula)
            if inline is not None:
                self.others.append((row, column, _unescaped(inline)))
            if value is not None:
                self._value(row, column, kind or "n", value)

    def _row(self, row: Any) -> None:
        number = int(row.get("r") or self.last_row + 1)
        self.last_row = number
        column = 0
        namespace = row.tag[: -len("row")]
        for cell in row:
            address = cell.get("r")
            column = column_number(address.rstrip("0123456789")) if address else column + 1
            self._refuse_outside(number, column, address)
            self._cell(cell, number, column, namespace)

    def _refuse_outside(self, row: int, column: int, address: str | None) -> None:
        if not (1 <= column <= LAST_COLUMN and 1 <= row <= LAST_ROW):
            raise ValueError(f"tab '{self.tab}' has a cell {address or (row, column)}")

    def _cell(self, cell: Any, row: int, column: int, namespace: str) -> None:
        text = None
        for child in cell:
            name = child.tag.removeprefix(namespace)
            if name == "v":
                text = child.text or ""
            elif name == "f":
                self._formula(child, row, column)
            elif name == "is":
                self.others.append((row, column, _string(child)))
        if text is not None:
            self._value(row, column, cell.get("t", "n"), text)

    def _value(self, row: int, column: int, kind: str, text: str) -> None:
        if kind == "n" and text:
            value = float(text)
            if not isfinite(value):
                raise ValueError(f"tab '{self.tab}' has a cell that says {text}")
            self.rows.append(row)
            self.columns.append(column)
            self.numbers.append(value)
        elif text or kind == "str":
            self.others.append((row, column, self._other(kind, text)))

    def _other(self, kind: str, text: str) -> Scalar:
        if kind == "s":
            return self.strings[int(text)]
        if kind == "b":
            return text in ("1", "true")
        if kind == "e":
            return _ERRORS.get(text, Error.VALUE)
        return _unescaped(text)

    def _formula(self, element: Any, row: int, column: int) -> None:
        text, kind = element.text or "", element.get("t", "normal")
        here = f"{column_letters(column)}{row}"
        if kind == "shared":
            index = element.get("si", "")
            if text:
                self.shared[index] = text, here
            else:
                first, origin = self.shared[index]
                text = Translator("=" + first, origin=origin).translate_formula(here)[1:]
        elif kind == "dataTable":
            text = "TABLE()"
        self._fill(row, column, element.get("ref", here) if kind == "array" else None, text)

    def _fill(self, row: int, column: int, ref: str | None, text: str) -> None:
        """Keep a formula; `ref` says which cells it fills if it is an array formula."""
        area = (
            Area(self.tab, row, column, row, column) if ref is None else read_address(ref, self.tab)
        )
        if area is None:
            here = f"{column_letters(column)}{row}"
            raise ValueError(f"tab '{self.tab}', cell {here}: the formula fills {ref}")
        rows, columns = area.shape
        self.filled += rows * columns
        if self.filled > self.most.span or len(self.formulas) >= self.most.formulas:
            raise ValueError(f"the formulas of tab '{self.tab}' fill cells as far as {area}")
        self.formulas.append(FormulaText(area, text, array=ref is not None))

    def _sheet(self) -> Sheet:
        rows, columns = np.array(self.rows, dtype=np.int64), np.array(self.columns, dtype=np.int64)
        blocks = [] if self.formulas else self._blocks()
        runs = self.runs if self.formulas else []
        places = [(row, column) for row, column, _ in self.others]
        places += [(formula.area.bottom, formula.area.right) for formula in self.formulas]
        places += [(run.bottom, run.right) for run in runs]
        height = max([rows.max(initial=0), *(row for row, _ in places)])
        width = max([columns.max(initial=0), *(column for _, column in places)])
        if height * width > self.most.span:
            raise ValueError(f"tab '{self.tab}' has cells as far as row {height}, column {width}")
        sheet = Sheet(int(height), int(width), blocks)
        sheet.numbers[rows - 1, columns - 1] = np.array(self.numbers)
        sheet.kinds[rows - 1, columns - 1] = NUMBER
        for run in runs:
            sheet.fill(run.area(self.tab), run.values)
        for row, column, value in self.others:
            sheet.set(row, column, value)
        return sheet

    def _blocks(self) -> list[Block]:
        return [Block(run.area(self.tab), run.values) for run in joined(self.runs)]
