"""What openpyxl writes of a workbook: every part but for what the worksheets hold.

openpyxl saves sheets without cells but with their charts. Its parts (workbook, styles, theme,
charts, drawings, properties) are taken over; of its sheets, only what leads to the charts.
"""

import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from posixpath import basename, dirname, join
from typing import Any
from zipfile import ZipFile

from lxml import etree
from openpyxl import Workbook
from openpyxl.formatting.rule import Rule
from openpyxl.packaging.custom import StringProperty
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.worksheet import Worksheet

from sheetgpt.book.book import Book
from sheetgpt.book.looks import LOOKS, RULES
from sheetgpt.xlsx.charts import drawn
from sheetgpt.xlsx.styles import difference, dress

STYLES = "xl/styles.xml"

# openpyxl has an order of its own for the parts of a font, which strict readers refuse; this is
# the schema's, ECMA-376 Part 1, 18.8.22 (CT_Font).
FONT = ("b", "i", "strike", "u", "vertAlign", "sz", "color", "name", "family", "scheme")


@dataclass(frozen=True)
class Skeleton:
    """A workbook's parts by their names, in order; the sheets among them have no cells.

    tabs: the tab of each part that is a sheet.
    drawings: of each tab with charts, the id of its relationship with their part.
    styles, differences: the number of each look, and of each conditional look, in the styles.
    """

    parts: Mapping[str, bytes]
    tabs: Mapping[str, str]
    drawings: Mapping[str, str]
    styles: Mapping[str, int]
    differences: Mapping[str, int]


def skeleton(book: Book) -> Skeleton:
    """Let openpyxl save the book without what its tabs hold."""
    workbook = Workbook()
    sheets = [workbook.active, *(workbook.create_sheet() for _ in book.tabs[1:])]
    workbook.calculation.fullCalcOnLoad = False  # every formula carries its value
    workbook.calculation.calcMode = "manual" if book.manual else "auto"
    for sheet, tab in zip(sheets, book.tabs, strict=True):
        sheet.title = tab.name
        for chart in tab.charts:
            sheet.add_chart(drawn(chart), chart.corner.address)
    for name, area in book.names.items():
        workbook.defined_names[name] = DefinedName(name, attr_text=area.absolute)
    for name, text in book.properties.items():
        workbook.custom_doc_props.append(StringProperty(name=name, value=text))
    styles = _styles(sheets[0], book)
    rules = _rules(sheets[0], book)
    parts = _saved(workbook)
    parts[STYLES] = _with_fonts_in_order(parts[STYLES])

    drawings = {}
    for sheet, tab in zip(sheets, book.tabs, strict=True):
        if tab.charts:
            drawings[tab.name], drawing = _drawing(parts, sheet.path)
            parts[drawing] = _with_descriptions(parts[drawing], [bars.about for bars in tab.charts])
    return Skeleton(
        parts,
        {sheet.path.lstrip("/"): tab.name for sheet, tab in zip(sheets, book.tabs, strict=True)},
        drawings,
        styles,
        {look: int(rule.dxfId or 0) for look, rule in rules.items()},
    )


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Lets an interrupt wait a moment, in which openpyxl would leave a temporary file behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)
    if came:
        signal.raise_signal(signal.SIGINT)


def _saved(workbook: Workbook) -> dict[str, bytes]:
    """The parts as openpyxl writes them."""
    file = BytesIO()
    with _undisturbed():
        workbook.save(file)
    with ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _styles(sheet: Worksheet, book: Book) -> dict[str, int]:
    """Make every look known to the workbook, by a cell that has it.

    Those of whole columns come first: most cells have them, and a short number saves space.
    """
    looks = dict.fromkeys([*(tab.default[1] for tab in book.tabs if tab.default), *LOOKS])
    return {name: dress(sheet.cell(row, 1), LOOKS[name]) for row, name in enumerate(looks, start=1)}


def _rules(sheet: Worksheet, book: Book) -> dict[str, Rule]:
    """The same for every conditional look of the book; saving gives each rule its number."""
    looks = dict.fromkeys(rule.look for tab in book.tabs for rule in tab.rules)
    rules = {
        look: Rule(type="expression", formula=["TRUE"], dxf=difference(RULES[look]))
        for look in looks
    }
    for rule in rules.values():
        sheet.conditional_formatting.add("A1", rule)
    return rules


def _drawing(parts: Mapping[str, bytes], sheet: str) -> tuple[str, str]:
    """The id of a sheet's relationship with its drawing, and the drawing's part."""
    name = join(dirname(sheet), "_rels", basename(sheet) + ".rels").lstrip("/")
    (relation,) = etree.fromstring(parts[name])  # a sheet of ours has no other
    return str(relation.get("Id")), str(relation.get("Target")).lstrip("/")


def _with_descriptions(drawing: bytes, texts: Sequence[str]) -> bytes:
    """Give charts a text for those who cannot see them, which openpyxl has no place for."""
    root = etree.fromstring(drawing)
    frames = root.iterfind(".//{*}graphicFrame/{*}nvGraphicFramePr/{*}cNvPr")
    for frame, text in zip(frames, texts, strict=True):
        frame.set("descr", text)
    return etree.tostring(root)


def _with_fonts_in_order(styles: bytes) -> bytes:
    root = etree.fromstring(styles)
    for font in root.iterfind("{*}fonts/{*}font"):
        font[:] = sorted(font, key=_place_in_font)
    return etree.tostring(root)


def _place_in_font(part: Any) -> int:
    return FONT.index(etree.QName(part).localname)
