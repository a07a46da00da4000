"""The saved file itself: its zip, its XML, its formulas, its names."""

import re
import struct
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import openpyxl
import pytest
from lxml import etree

from sheetgpt.calculate.recalculate import Formula, in_order, reads
from sheetgpt.check.formulas import overlap
from sheetgpt.checkpoint import checkpoint
from sheetgpt.formula.cells import Area, column_number, is_legal_name, read_address
from sheetgpt.formula.parse import parse
from sheetgpt.gpt2 import reference
from sheetgpt.gpt2.weights import shapes
from sheetgpt.xlsx.read import Workbook, read
from tests.places import PLAIN

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"

# Functions that Excel 2013 and LibreOffice 7.4 both have, as a file spells them. None of them is
# volatile, and none computes an address (INDEX only where it takes a part of a given range;
# ADDRESS only makes the text of a link).
ALLOWED = {
    *(
        "ABS",
        "ACOS",
        "ADDRESS",
        "AND",
        "AVERAGE",
        "CHOOSE",
        "COUNT",
        "COUNTIF",
        "EXACT",
        "EXP",
        "HYPERLINK",
        "IF",
        "IFERROR",
    ),
    *(
        "INDEX",
        "INT",
        "ISNUMBER",
        "LARGE",
        "LEN",
        "LN",
        "MATCH",
        "MAX",
        "MID",
        "MIN",
        "MMULT",
        "MOD",
    ),
    *(
        "NORMSDIST",
        "NOT",
        "OR",
        "PI",
        "REPT",
        "ROUND",
        "SMALL",
        "SQRT",
        "SUM",
        "SUMPRODUCT",
        "TANH",
    ),
    *("TRANSPOSE", "VARP", "_xlfn.UNICHAR", "_xlfn.UNICODE"),
}


@pytest.fixture(params=["tiny", "short_nano"])
def workbook(request: pytest.FixtureRequest) -> Path:
    path: Path = request.getfixturevalue(f"{request.param}_workbook")
    return path


@cache
def contents(path: Path) -> Workbook:
    return read(path)


@cache
def formulas(path: Path) -> list[Formula]:
    book = contents(path)
    return [
        Formula(each.area, parse(each.text, each.area.tab, book.names), each.array)
        for each in book.formulas
    ]


def sheets(path: Path) -> Iterator[tuple[str, Any]]:
    """Each part that is a worksheet, parsed."""
    with ZipFile(path) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/sheet"):
                yield name, etree.fromstring(archive.read(name))


# --- the zip -------------------------------------------------------------------------------------


def test_zip(workbook):
    """Excel shows its repair prompt for some zip64 and streamed files: there is neither."""
    with ZipFile(workbook) as archive:
        assert archive.testzip() is None
        assert len(set(archive.namelist())) == len(archive.namelist())
        parts = archive.infolist()
    data = workbook.read_bytes()
    for part in parts:
        assert not part.flag_bits & 0x08, "a data descriptor"
        assert part.extract_version <= 20 and not part.extra
        header = struct.unpack("<4sHHHHHLLLHH", data[part.header_offset : part.header_offset + 30])
        signature, version, flags, *_, crc, packed, size, name_length, extra_length = header
        assert (signature, version, flags & 0x08) == (b"PK\x03\x04", 20, 0)
        assert (crc, packed, size) == (part.CRC, part.compress_size, part.file_size)
        assert (name_length, extra_length) == (len(part.filename), 0)


def test_every_part_is_well_formed(workbook):
    with ZipFile(workbook) as archive:
        for name in archive.namelist():
            root = etree.fromstring(archive.read(name))
            assert not root.getroottree().docinfo.doctype


# --- worksheets ----------------------------------------------------------------------------------


def test_cells(workbook):
    """Rows and cells say where they are, in rising order, and every formula carries its value."""
    for name, sheet in sheets(workbook):
        rows = sheet.findall(f"{MAIN}sheetData/{MAIN}row")
        numbers = [int(row.get("r")) for row in rows]
        assert numbers == sorted(set(numbers)), name
        (dimension,) = sheet.iterfind(f"{MAIN}dimension")
        extent = read_address(dimension.get("ref"), name)
        for number, row in zip(numbers, rows, strict=True):
            columns = []
            for cell in row:
                letters, digits = re.fullmatch(r"([A-Z]+)(\d+)", cell.get("r")).groups()
                assert int(digits) == number
                columns.append(column_number(letters))
                kind, texts = cell.get("t", "n"), [child.tag for child in cell]
                if f"{MAIN}f" in texts:
                    assert texts == [f"{MAIN}f", f"{MAIN}v"], (name, cell.get("r"))
                    assert kind in ("n", "str"), (name, cell.get("r"), kind)
                if kind == "n" and f"{MAIN}v" in texts:
                    float(cell[-1].text)
            assert all(a < b for a, b in pairwise(columns)), (name, number)
            assert extent.bottom >= number and extent.right >= max(columns, default=1)


START = "xl/worksheets/sheet1.xml"


def test_every_formula_is_an_array_formula(workbook):
    """Its area starts at its cell, and meets no other's."""
    for name, sheet in sheets(workbook):
        taken: set[tuple[int, int]] = set()
        for formula in sheet.iter(f"{MAIN}f"):
            here = formula.getparent().get("r")
            assert formula.get("t") == "array", (name, here)
            area = read_address(formula.get("ref", here), name)
            assert area is not None
            assert area.cell(0, 0).address == here
            cells = {
                (row, column)
                for row in range(area.top, area.bottom + 1)
                for column in range(area.left, area.right + 1)
            }
            assert not taken & cells, (name, here)
            taken |= cells


def test_openpyxl_reads_it(tiny_workbook):
    """In both of its ways; the streaming one believes what the file says of its extent."""
    for how in ({}, {"read_only": True}):
        book = openpyxl.load_workbook(tiny_workbook, data_only=True, **how)
        assert book["start"]["B4"].value == "ab c"
        assert book["wte"].max_column == 10
        book.close()


# --- formulas ------------------------------------------------------------------------------------


def test_functions(workbook):
    used = {
        name
        for each in contents(workbook).formulas
        for name in re.findall(r"([A-Za-z_][\w.]*)\(", re.sub(r'"[^"]*"|\'[^\']*\'', "", each.text))
    }
    assert used <= ALLOWED
    assert not any(
        re.search(r"[A-Z]:[A-Z](?!\w)", each.text) for each in contents(workbook).formulas
    )


def test_no_formula_depends_on_itself(workbook):
    assert len(list(in_order(formulas(workbook)))) == len(contents(workbook).formulas)


def test_no_cell_shows_an_error(workbook):
    for tab, sheet in contents(workbook).values.by_tab.items():
        errors = [
            (tab, *at) for at, value in sheet.others.items() if not isinstance(value, str | bool)
        ]
        assert errors == []


def test_a_row_looks_at_no_later_row(tiny_workbook):
    """The causal mask is the shape of the ranges; so an added token changes no row above it."""
    book = contents(tiny_workbook)
    steps = [name for name in book.names if name.startswith(("h.0", "h.1", "embed.", "ln_f"))]
    steps = [name for name in steps if not name.endswith((".w", ".g", ".b"))]
    areas = [book.names[name] for name in steps]
    seen = 0
    for formula in formulas(tiny_workbook):
        for area in areas:
            if overlap(formula.area, area):
                row = formula.area.top - area.top
                for read_ in reads(formula.tree):
                    for other in areas:
                        if overlap(read_, other):
                            seen += 1
                            assert read_.bottom - other.top <= row, (str(formula.area), str(read_))
    assert seen > 400


# --- defined names -------------------------------------------------------------------------------


def test_names(workbook, nano):
    book = contents(workbook)
    where = nano if workbook.stem == "short-nano" else PLAIN
    config = checkpoint.load(where).config
    with ZipFile(workbook) as archive:
        root = etree.fromstring(archive.read("xl/workbook.xml"))
    spelled = [each.get("name") for each in root.iter(f"{MAIN}definedName")]
    assert all(is_legal_name(name) for name in spelled)
    assert len({name.lower() for name in spelled}) == len(spelled)
    assert set(book.names) == {name.lower() for name in spelled}
    promised = {"prompt", "n_tokens", "tokens.id", "logits", "softmax", "predicted.id"}
    promised |= {"predicted.token", *reference.step_names(config), *shapes(config)}
    assert promised <= set(spelled)
    for name, area in book.names.items():
        rows, columns = book.values.by_tab[area.tab].kinds.shape
        assert isinstance(area, Area) and area.top <= rows and area.left <= columns, name
    for name, shape in shapes(config).items():
        assert book.names[name.lower()].shape == (1, *shape)[-2:]
