"""The workbook of the lessons as a file, in every language: engines, editing, and what is seen."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width
from zipfile import ZipFile

import ironcalc
import openpyxl
import pytest

from sheetgpt.book.template import read_template
from sheetgpt.book.words import languages as all_languages
from sheetgpt.checkpoint import checkpoint
from sheetgpt.formula.parse import parse
from sheetgpt.lessons.book import FIRST, LESSONS, lessons_book
from sheetgpt.lessons.words import languages, load_words, path_of
from sheetgpt.office import libreoffice as office
from sheetgpt.xlsx.read import Workbook, read

NEAR = 1e-9
SAME = re.compile(
    r"[xwyb·]|x × w|Σ.*|ReLU|GELU|softmax|top-[kp]|e\^.*|\{a\} [−–] \{b\}( \+ \{c\})?"
)


@cache
def loaded(path: Path, *, values: bool = False) -> Any:
    return openpyxl.load_workbook(path, data_only=values)


@cache
def as_read(path: Path) -> Workbook:
    return read(path)


def sheets(path: Path) -> Iterator[Any]:
    yield from loaded(path).worksheets


def near(value: Any, other: Any) -> bool:
    if isinstance(value, float | int) and isinstance(other, float | int):
        return abs(value - other) <= NEAR * max(1, abs(value))
    return (value in (None, "") and other in (None, "")) or value == other


def differences(path: Path, found: dict[tuple[str, int, int], Any]) -> list[Any]:
    """What stands in the file and another engine sees otherwise."""
    book, wrong = as_read(path), []
    for (tab, row, column), value in found.items():
        stored = book.values.by_tab[tab].cell(row, column)
        if not near(stored, value):
            wrong.append((tab, row, column, stored, value))
    return wrong


def computed(path: Path) -> Iterator[tuple[str, int, int]]:
    """Every cell that a formula fills."""
    for formula in as_read(path).formulas:
        area = formula.area
        for row in range(area.top, area.bottom + 1):
            for column in range(area.left, area.right + 1):
                yield area.tab, row, column


# --- the file ------------------------------------------------------------------------------------


def test_small(workbook):
    assert workbook.stat().st_size < 1_000_000


def test_tabs(workbook):
    assert loaded(workbook).sheetnames == [FIRST, *LESSONS]
    assert len(LESSONS) == 8


def test_every_formula_is_an_array_formula_and_parses(workbook):
    """LibreOffice believes what is stored of other formulas, and would not answer an edit."""
    book = as_read(workbook)
    assert len(book.formulas) > 4000
    for formula in book.formulas:
        assert formula.array, formula.area
        parse(formula.text, formula.area.tab, book.names)


def test_nothing_volatile_and_nothing_newer_than_2013(workbook):
    newer = "OFFSET|INDIRECT|RAND|NOW|TODAY|LET|FILTER|SEQUENCE|TEXTJOIN|XLOOKUP|LAMBDA|UNIQUE|SORT"
    with ZipFile(workbook) as archive:
        assert not [name for name in archive.namelist() if "vba" in name.lower()]
        for name in archive.namelist():
            if name.startswith("xl/worksheets/sheet"):
                found = re.search(rf"<f[^>]*>[^<]*\b({newer})\(", archive.read(name).decode())
                assert not found, found


def test_no_error_is_shown(workbook):
    book = as_read(workbook)
    for tab, row, column in computed(workbook):
        value = book.values.by_tab[tab].cell(row, column)
        assert value is None or isinstance(value, float | str | bool), (tab, row, column, value)


# --- other engines -------------------------------------------------------------------------------


@pytest.mark.usefixtures("libreoffice")
def test_libreoffice_computes_the_same(workbook):
    """As it is loaded, and recalculated; every defined name, and no cell shows an error."""
    names = list(as_read(workbook).names)
    areas = as_read(workbook).names
    with office.opened(workbook) as document:
        for calculate in (False, True):
            if calculate:
                document.calculate()
            values = document.read(names)
            found = {
                (areas[name].tab, areas[name].top + i, areas[name].left + j): value
                for name, rows in values.items()
                for i, row in enumerate(rows)
                for j, value in enumerate(row)
            }
            assert differences(workbook, found) == []
        assert document.errors() == []


def test_ironcalc_computes_the_same(workbook):
    model = ironcalc.load_from_xlsx(str(workbook), "en", "UTC", "en")
    model.evaluate()
    tabs = [each["name"] for each in model.get_worksheets_properties()]
    found = {
        (tab, row, column): model.get_cell_value(tabs.index(tab), row, column)
        for tab, row, column in computed(workbook)
    }
    assert differences(workbook, found) == []


EDITS: list[tuple[dict[str, str | float], str, str | float]] = [
    ({"tokens.times": 20}, "tokens.1.pair", "l + o"),
    ({"tokens.words": "zz", "tokens.times": 99}, "tokens.1.pair", "z + z"),
    ({"tokens.own": "slowest"}, "tokens.own.0", " s  l  o  w  e  s  t  · "),
    ({"people.asked.1": "prince"}, "people.sum", 6.0),
    ({"company.asked": "cars"}, "company.nearest", "trucks"),
    ({"company.free": "we eat ripe plums", "company.asked": "plums"}, "company.nearest", "apples"),
    ({"neuron.b": 0.7}, "neuron.relu", 1.2),
    ({"fit.six": 0}, "fit.error", 0.1247),
    ({"hiker.start": -1.6}, "hiker.w", -1.6),
    ({"net.rate": 0}, "net.answers", 0.08),
    ({"hand.mask": 0}, "hand.weights", 1 / 3),
    ({"choose.seed": 7}, "choose.taken", "cloudy"),
    ({"choose.temperature": 0}, "choose.taken", "sunny"),
    ({"count.last": "the"}, "count.bigram.word", "dog"),
]


@pytest.fixture(scope="module")
def document(lessons_in, libreoffice) -> Iterator[office.Office]:
    """The English lessons in LibreOffice, into which one test after the other types."""
    with office.opened(lessons_in("en")) as opened:
        yield opened


def test_libreoffice_answers_what_is_typed(document):
    """As a person does: load, type, read; nobody asks for a recalculation."""
    for inputs, name, wanted in EDITS:
        document.set(inputs)
        value = document.read([name])[name][0][0]
        if isinstance(wanted, float):
            assert isinstance(value, float) and abs(value - wanted) < 1e-3, (name, value)
        else:
            assert value == wanted, inputs


def test_something_is_typed_into_every_lesson(workbook):
    names = as_read(workbook).names
    typed = {names[name].tab for inputs, _, _ in EDITS for name in inputs}
    yellow = {
        sheet.title
        for sheet in sheets(workbook)
        for row in sheet.iter_rows()
        for cell in row
        if not cell.protection.locked
    }
    assert typed == yellow - {FIRST} == set(LESSONS) - {"to a chat model"}


NUMBERS: tuple[str | float, ...] = ("", 0.0, -3.0, 1000.0)
WORDS = ("", " ", "NEWEST", "abcdefghijkl" * 9, "東京タワー", "서울", "😀", "12")


@pytest.mark.parametrize("turn", range(len(NUMBERS)))
def test_libreoffice_shows_no_error_whatever_is_typed(document, lessons_in, turn):
    """Into the first cell of every yellow field, one thing after the other."""
    names, tabs = as_read(lessons_in("en")).names, loaded(lessons_in("en"))
    typed: dict[str, str | float] = {}
    for number, (name, area) in enumerate(names.items()):
        cell = tabs[area.tab].cell(area.top, area.left)
        things = WORDS if cell.number_format == "@" else NUMBERS
        if not cell.protection.locked:
            typed[name] = things[(number + turn * len(things) // len(NUMBERS)) % len(things)]
    document.set(typed)
    document.read(list(names))  # what nobody looks at, it does not calculate
    assert document.errors() == []


# --- what a person sees --------------------------------------------------------------------------


def test_inputs_are_yellow_and_unlocked_and_the_rest_is_locked(workbook):
    seen = 0
    for sheet in sheets(workbook):
        assert sheet.protection.sheet and not sheet.protection.password
        for row in sheet.iter_rows():
            for cell in row:
                if not cell.protection.locked:
                    seen += 1
                    assert cell.fill.fgColor.rgb.endswith("FFF4C2"), cell
                    assert cell.border.left.style and cell.border.right.style
                    assert not (isinstance(cell.value, str) and cell.value.startswith("="))
    assert seen > 150


def test_charts_have_cells_and_a_text(workbook):
    charts = 0
    with ZipFile(workbook) as archive:
        for name in archive.namelist():
            text = archive.read(name).decode("utf-8", "replace")
            if re.fullmatch(r"xl/drawings/drawing\d+\.xml", name):
                descriptions = re.findall(r'descr="([^"]*)"', text)
                charts += len(descriptions)
                assert all(len(each) > 10 for each in descriptions)
    assert charts == 13


def width(text: str) -> float:
    """In figures of ten points; letters are a little narrower, and spaces half as wide."""
    wide = sum(east_asian_width(character) in "WF" for character in text)
    return 1.9 * wide + 0.88 * (len(text) - wide) - 0.44 * text.count(" ")


def test_no_text_is_cut(workbook):
    """A text has the width of its cell and of the empty cells behind it; centred, of its cell."""
    cut = []
    for sheet in loaded(workbook, values=True).worksheets:
        widths = {}
        for dimension in sheet.column_dimensions.values():
            for column in range(dimension.min, dimension.max + 1):
                widths[column] = dimension.width
        for row in sheet.iter_rows():
            for cell in row:
                if not isinstance(cell.value, str) or not cell.value.strip():
                    continue
                room, column = widths.get(cell.column, 9), cell.column + 1
                is_left = cell.alignment.horizontal in ("left", "general", None)
                while is_left and column <= cell.column + 30:
                    if sheet.cell(cell.row, column).value not in (None, ""):
                        break
                    room += widths.get(column, 9)
                    column += 1
                if (size := width(cell.value.strip()) * cell.font.size / 10) > room + 0.5:
                    cut.append((sheet.title, cell.coordinate, cell.value, size, room))
    assert cut == []


def has_font_for() -> set[str]:
    """Every character that a font here can draw, as fontconfig tells."""
    asked = ["fc-list", "--format", "%{charset}\n"]
    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    found: set[str] = set()
    for part in set(said.split()):
        first, _, last = part.partition("-")
        found.update(map(chr, range(int(first, 16), int(last or first, 16) + 1)))
    return found


@pytest.mark.skipif(shutil.which("fc-list") is None, reason="fontconfig's fc-list was not found")
def test_no_glyph_is_missing(workbook):
    values = as_read(workbook).values.by_tab.values()
    shown = {
        character
        for sheet in values
        for value in sheet.others.values()
        if isinstance(value, str)
        for character in value
    }
    assert "▸" in shown and "·" in shown
    assert shown - has_font_for() == set()


# --- words ---------------------------------------------------------------------------------------


def test_the_lessons_speak_as_many_languages_as_the_model():
    assert languages() == all_languages()


@pytest.mark.parametrize("language", languages())
def test_every_word_is_there_and_in_its_language(language):
    english, ours = (read_template(path_of(each), path_of("en")) for each in ("en", language))
    assert ours.keys() == english.keys()
    letters = {"en": "", "ja": "[ぁ-ヿ一-鿿]", "ko": "[가-힣]"}[language]
    for key, text in ours.items():
        assert re.search(letters, text) or SAME.fullmatch(text), key


def test_every_word_is_used(nano):
    """A key that no code names would be translated for nobody."""
    asked: set[str] = set()
    words = load_words("en")

    class Asked(dict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            asked.add(key)
            return super().__getitem__(key)

    watched = replace(
        words, labels=Asked(words.labels), steps=Asked(words.steps), tabs=Asked(words.tabs)
    )
    lessons_book(watched, checkpoint.load(nano))
    assert {*words.labels, *words.steps, *words.tabs} - asked == set()


def test_links_lead_on(workbook):
    names = loaded(workbook).sheetnames
    for number, sheet in enumerate(sheets(workbook)):
        links = [
            cell.hyperlink.location for row in sheet.iter_rows() for cell in row if cell.hyperlink
        ]
        tabs = {link.rsplit("!", 1)[0].strip("'") for link in links}
        assert tabs <= set(names)
        if number == 0:
            assert tabs == set(names[1:])
