"""A book as an .xlsx file: openpyxl writes its structure, `rows.py` its cells."""

import os
import re
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.drawing.graphic import GraphicFrame
from openpyxl.drawing.spreadsheet_drawing import SpreadsheetDrawing
from openpyxl.formatting.rule import ColorScaleRule, Rule
from openpyxl.packaging.custom import StringProperty
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.styles.numbers import NumberFormat
from openpyxl.utils import get_column_letter
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet._writer import WorksheetWriter
from openpyxl.worksheet.dimensions import ColumnDimension
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

from sheetgpt.book.book import Book, Tab
from sheetgpt.book.looks import HEAT, LINE, LOOKS, RULES, Look
from sheetgpt.calculate.values import Sheets
from sheetgpt.errors import WorkbookError
from sheetgpt.formula.cells import Area
from sheetgpt.xlsx.archive import Archive, Deflate, compact, fast, fast_numbers, plain
from sheetgpt.xlsx.charts import drawn
from sheetgpt.xlsx.rows import sheet_rows

WIDTH = 9  # of a column of numbers, in characters
_NO_EXTENT = b'<dimension ref="A1:A1"/>'  # what openpyxl says of a sheet without cells
FEW = 2_000_000  # numbers in a book, up to which cells say where they stand and speed is no matter
MANY = 1_000_000  # numbers on a tab, from which on it is a tab of numbers and little else
BYTES_A_NUMBER = 36  # at most, as text in a part

_EMPTY_ROWS = re.compile(rb"<sheetData\s*/>|<sheetData>\s*</sheetData>")


Progress = Callable[[str, int, int], None]  # the tab, how many numbers are written, of how many


@dataclass(frozen=True)
class Form:
    """How a book becomes bytes.

    compact: deflate longer, for a file a fifth smaller; weights then have no look of their own.
    addresses: whether every weight's cell says where it stands, which some readers want and a
        spreadsheet does not need; None leaves it out where there are many.
    """

    compact: bool = False
    addresses: bool | None = None

    def has_addresses(self, n_numbers: int) -> bool:
        return n_numbers <= FEW if self.addresses is None else self.addresses


FORM = Form()


def save(
    book: Book,
    values: Sheets,
    path: Path,
    form: Form = FORM,
    progress: Progress = lambda tab, done, of: None,
) -> None:
    """Write a book with the values of its formulas; `path` changes only when all is written.

    Raises WorkbookError if the file cannot be written.
    """
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name[:50]}.", dir=path.parent)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        with os.fdopen(handle, "wb") as file:
            _write(book, values, file, form, progress)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)


def _unwritable(path: Path, error: OSError) -> WorkbookError:
    reason = error.strerror or str(error)
    return WorkbookError(
        f"{path}: the workbook cannot be written ({reason}); "
        "choose another place with -o, or make room and build again"
    )


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _write(book: Book, values: Sheets, file: Any, form: Form, progress: Progress) -> None:
    workbook = Workbook()
    workbook.remove(workbook.active)
    workbook.calculation.fullCalcOnLoad = False  # every formula carries its value
    workbook.calculation.calcMode = "manual" if book.manual else "auto"
    for tab in book.tabs:
        _shell(workbook, tab)
    for name, area in book.names.items():
        workbook.defined_names[name] = DefinedName(name, attr_text=area.absolute)
    for name, text in book.properties.items():
        workbook.custom_doc_props.append(StringProperty(name=name, value=text))
    with Archive(file, "w", ZIP_DEFLATED) as archive:
        writer = _Writer(workbook, archive)
        writer.take(book, values, form, progress)
        writer.save()


class _Writer(ExcelWriter):  # type: ignore[misc]
    """openpyxl's writer, with the rows of every sheet streamed into the archive by us."""

    def take(self, book: Book, values: Sheets, form: Form, progress: Progress) -> None:
        self.tabs = {tab.name: tab for tab in book.tabs}
        self.sheet_values, self.progress = values, progress
        self.styles = _styles(self.workbook)
        self.numbers, self.n_numbers = 0, book.n_numbers  # written, of how many
        self.addresses = form.has_addresses(book.n_numbers)
        self.form = form

    def write_worksheet(self, worksheet: Any) -> None:
        tab = self.tabs[worksheet.title]
        worksheet._drawing = _Drawing()
        worksheet._drawing.charts, worksheet._drawing.images = worksheet._charts, worksheet._images
        writer = WorksheetWriter(worksheet, out=BytesIO())
        worksheet._hyperlinks = _links(tab)
        writer.write()
        worksheet._rels = writer._rels
        head, tail = _EMPTY_ROWS.split(writer.out.getvalue())
        extent = Area(tab.name, 1, 1, *tab.extent)
        head = head.replace(_NO_EXTENT, f'<dimension ref="{extent.address}"/>'.encode())
        size = BYTES_A_NUMBER * tab.n_numbers
        with self._archive.streamed(worksheet.path[1:], size, self._deflate(tab)) as part:
            part.write(head + b"<sheetData>")
            sheet, looks = self.sheet_values.by_tab[tab.name], not self.form.compact
            rows = sheet_rows(tab, sheet, self.styles, self.addresses, looks)
            for number, row in enumerate(rows):
                part.write(row)
                if number % 100 == 0:
                    done = tab.n_numbers * number // tab.extent[0]
                    self.progress(tab.name, self.numbers + done, self.n_numbers)
            part.write(b"</sheetData>" + tail)
        self.numbers += tab.n_numbers
        self.manifest.append(worksheet)

    def _deflate(self, tab: Tab) -> Deflate:
        if self.n_numbers <= FEW:
            return plain
        if self.form.compact:
            return compact
        return fast if tab.n_numbers < MANY else fast_numbers


def _shell(workbook: Workbook, tab: Tab) -> None:
    """A sheet without cells: widths, groups, frozen panes, charts, and its lock."""
    sheet = workbook.create_sheet(tab.name)
    sheet.sheet_view.showGridLines = False
    sheet.sheet_properties.tabColor = tab.color
    sheet.sheet_properties.outlinePr.summaryBelow = False  # a step's title stands above it
    sheet.sheet_properties.outlinePr.summaryRight = False
    sheet.sheet_format.defaultColWidth = WIDTH
    sheet.sheet_format.defaultRowHeight = 15.75
    sheet.sheet_format.customHeight = True
    sheet.sheet_format.outlineLevelRow = 2 if tab.row_groups else 0
    _columns(sheet, tab)
    rows, stay = tab.frozen
    sheet.freeze_panes = f"{get_column_letter(stay + 1)}{rows + 1}"
    _lock(sheet)

    for area in tab.heat:
        sheet.conditional_formatting.add(area.address, _heat())
    for rule in tab.rules:
        when = Rule(type="expression", formula=[rule.condition], dxf=_difference(RULES[rule.look]))
        sheet.conditional_formatting.add(rule.area.address, when)
    for chart in tab.charts:
        sheet.add_chart(drawn(chart), chart.corner.address)


def _columns(sheet: Worksheet, tab: Tab) -> None:
    """Widths, the look of the columns of numbers, and the groups that fold away."""
    first, look = tab.default or (tab.extent[1] + 1, "")
    grouped = {each for first, last in tab.column_groups for each in range(first, last + 1)}

    def kind(column: int) -> tuple[float, bool, bool]:
        return tab.widths.get(column, WIDTH), column in grouped, column >= first

    last = max(tab.extent[1], first if look else 1)
    for (width, is_grouped, has_look), run in groupby(range(1, last + 1), key=kind):
        columns = list(run)
        letter = get_column_letter(columns[0])
        same = ColumnDimension(sheet, letter, width=width, min=columns[0], max=columns[-1])
        same.outlineLevel = int(is_grouped)
        if has_look:
            _format(same, LOOKS[look])
        sheet.column_dimensions[letter] = same


def _lock(sheet: Worksheet) -> None:
    """Against slips, not against people: no password, and widths and heights may be changed."""
    sheet.protection.sheet = True
    sheet.protection.formatColumns = sheet.protection.formatRows = False  # False allows it


def _heat() -> ColorScaleRule:
    """White for 0, the strongest for 1: the same colours in every heat map."""
    low, middle, high = HEAT
    return ColorScaleRule(
        start_type="num", start_value=0, start_color=low,
        mid_type="num", mid_value=0.5, mid_color=middle,
        end_type="num", end_value=1, end_color=high,
    )  # fmt: skip


class _Drawing(SpreadsheetDrawing):  # type: ignore[misc]
    """Charts with a text for those who cannot see them, which openpyxl has no place for."""

    __elements__ = SpreadsheetDrawing.__elements__  # which openpyxl does not inherit

    def _chart_frame(self, idx: int) -> GraphicFrame:
        frame = super()._chart_frame(idx)
        frame.nvGraphicFramePr.cNvPr.descr = self.charts[idx - 1].about
        return frame


def _links(tab: Tab) -> list[Hyperlink]:
    return [
        Hyperlink(ref=text.area.address, location=str(text.link), display=str(text.value))
        for text in tab.texts
        if text.link is not None
    ]


def _styles(workbook: Workbook) -> dict[str, int]:
    """The number of each look among the workbook's cell formats."""
    sheet = workbook.worksheets[0]
    return {name: _format(Cell(sheet, row=1, column=1), look) for name, look in LOOKS.items()}


def _format(cell: Cell | ColumnDimension, look: Look) -> int:
    """Give a cell or a column a look; returns the look's number."""
    cell.font = Font(
        name="Calibri",
        size=look.size,
        bold=look.bold,
        italic=look.italic,
        color=look.color,
        underline="single" if look.underline else None,
    )
    cell.fill = (
        PatternFill(look.pattern, fgColor=look.fill, bgColor="FFFFFF")
        if look.fill
        else PatternFill()
    )
    cell.border = _frame(look)
    cell.number_format = look.format
    cell.alignment = Alignment(
        horizontal=look.horizontal,
        vertical=look.vertical,
        wrap_text=look.wrap,
        indent=look.indent,
    )
    cell.protection = Protection(locked=not look.input)
    return int(cell.style_id)


def _difference(look: Look) -> DifferentialStyle:
    """What a conditional look changes: only what is unlike that of any other cell."""
    plain, fill = Look(), None
    if look.fill and look.pattern == "solid":  # of a conditional fill the background shows
        fill = PatternFill(bgColor=look.fill)
    elif look.fill:
        fill = PatternFill(look.pattern, fgColor=look.fill, bgColor="FFFFFF")
    return DifferentialStyle(
        font=Font(bold=look.bold, color=look.color) if look.color != plain.color else None,
        numFmt=NumberFormat(200, look.format) if look.format != plain.format else None,
        fill=fill,
        border=_frame(look) if look.frame else None,
    )


def _frame(look: Look) -> Border:
    return Border(**{side: Side("thin", LINE) for side in look.frame})
