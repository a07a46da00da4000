"""What a person meets on every tab, read from the built file, in every language there is."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import openpyxl
import pytest
from lxml import etree
from openpyxl.cell import MergedCell
from openpyxl.utils import get_column_letter, range_boundaries

from sheetgpt.book.looks import HEAT, INK, LOOKS, RULES
from sheetgpt.book.words import languages, load_words
from sheetgpt.check import check
from sheetgpt.checkpoint import checkpoint
from sheetgpt.gpt2.reference import BLOCK_STEPS
from sheetgpt.steps.block import SIXTEEN
from tests.places import PLAIN

INPUTS = {
    "prompt", "new_tokens", "temperature", "top_k", "top_p", "seed", "attention.chosen", "lens.on",
    "switch.heads", "switch.mlp", "reasons.position", "reasons.token", "reasons.other",
    "reasons.rather", "reasons.block", "reasons.head",
    "microscope.step", "microscope.block", "microscope.token", "microscope.head",
    "microscope.column", "neighbours.word", "neighbours.sum.a", "neighbours.sum.b",
    "neighbours.sum.c", "neighbours.pair.a", "neighbours.pair.b",
}  # fmt: skip
FROZEN_ROWS = 3  # the title, the links and the sentence stay on every tab


@pytest.fixture(scope="module", params=languages())
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def path(language: str, tiny_workbook_in: Callable[[str], Path]) -> Path:
    return tiny_workbook_in(language)


@cache
def loaded(path: Path, *, values: bool = True) -> Any:
    return openpyxl.load_workbook(path, data_only=values)


def sheets(path: Path) -> list[Any]:
    return list(loaded(path).worksheets)


def area(path: Path, name: str) -> tuple[Any, tuple[int, int, int, int]]:
    """A defined name's sheet, and its first column, first row, last column, last row."""
    tab, address = loaded(path).defined_names[name].attr_text.rsplit("!", 1)
    return loaded(path)[tab.strip("'")], range_boundaries(address.replace("$", ""))


def links(sheet: Any) -> dict[str, str]:
    """Where the links of a sheet lead, by their cells."""
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.hyperlink]
    return {cell.coordinate: cell.hyperlink.location for cell in cells}


def tab_of(location: str) -> str:
    return location.rsplit("!", 1)[0].strip("'")


def test_it_holds(path):
    """Whatever the language, the formulas compute the same."""
    assert check(path).holds


# --- every tab -----------------------------------------------------------------------------------


def test_titles(path, language):
    """In A1 of each tab stands its title, and in row 3 what happens there and why."""
    words = load_words(language)
    titles = {re.sub(r"\d+", "#", tab.title.format(block="#")) for tab in words.tabs.values()}
    for sheet in sheets(path):
        assert re.sub(r"\d+", "#", sheet["A1"].value) in titles
        assert len(sheet["A3"].value) > 10, sheet.title
        assert sheet["A1"].font.size >= 18


def test_links_lead_home_back_and_on(path, language):
    words, tabs = load_words(language), [sheet.title for sheet in sheets(path)]
    for number, sheet in enumerate(sheets(path)):
        found = links(sheet)
        shown = {
            sheet[ref].value: tab_of(to) for ref, to in found.items() if re.fullmatch("[A-C]2", ref)
        }
        if number:
            assert shown[words.label("home")] == tabs[0]
            assert shown[words.label("back")] == tabs[number - 1]
        if sheet is not sheets(path)[-1]:
            assert shown[words.label("next")] == tabs[number + 1]
        for to in found.values():
            assert tab_of(to) in tabs, to


def test_the_map_leads_everywhere(path):
    """`start` has a link to each other tab, with what happens there and why."""
    start = sheets(path)[0]
    led = {}
    for ref, to in links(start).items():
        if ref.startswith("A") and ref != "A2":
            led[tab_of(to)] = [start[ref].offset(column=column).value for column in (2, 8)]
    assert set(led) == {sheet.title for sheet in sheets(path)[1:]}
    assert all(all(texts) for texts in led.values())


def test_frozen_headings_and_one_merged_cell(path):
    """Only the prompt's is merged, so that it is as wide as a sentence where columns are narrow."""
    for sheet in sheets(path):
        prompt = area(path, "prompt")[1][:2] if sheet.title == "start" else None
        assert [(r.min_col, r.min_row) for r in sheet.merged_cells.ranges] == [prompt] * bool(
            prompt
        )
        pane = sheet.sheet_view.pane
        assert pane.state == "frozen" and pane.ySplit >= FROZEN_ROWS, sheet.title
        if sheet.title.startswith(("block", "embeddings", "layer", "logits", "softmax")):
            assert pane.xSplit == 2, sheet.title  # the tokens' numbers and texts


def test_only_inputs_can_be_typed_into(path):
    """Every sheet is locked, without a password; widths, heights and columns may be changed."""
    unlocked = set()
    for sheet in sheets(path):
        protection = sheet.protection
        assert protection.sheet and not protection.password and not protection.hashValue
        assert not protection.formatColumns and not protection.formatRows
        assert not protection.selectLockedCells
        for row in sheet.iter_rows():
            own = [cell for cell in row if not isinstance(cell, MergedCell)]  # not their first's
            unlocked |= {(sheet.title, c.coordinate) for c in own if not c.protection.locked}
    named = set()
    for name in INPUTS:
        sheet, (left, top, right, bottom) = area(path, name)
        for column, row in product(range(left, right + 1), range(top, bottom + 1)):
            named.add((sheet.title, f"{get_column_letter(column)}{row}"))
    assert unlocked == named


def test_formulas_are_no_inputs(path):
    formulas = loaded(path, values=False)
    for name in INPUTS:
        tab, address = formulas.defined_names[name].attr_text.rsplit("!", 1)
        left, top, right, bottom = range_boundaries(address.replace("$", ""))
        for row in formulas[tab.strip("'")].iter_rows(top, bottom, left, right):
            assert all(cell.data_type != "f" for cell in row)


# --- steps ---------------------------------------------------------------------------------------


def test_every_step_says_what_it_does(path, language):
    """Number, title, mathematics with the shape, and one sentence, above the step's own cells."""
    words = load_words(language)
    for number, names in enumerate(SIXTEEN, start=1):
        for name in names:
            for block in (0, 1):
                sheet, (_, top, _, _) = area(path, f"h.{block}.{name}")
                title = next(r for r in (top - 5, top - 6) if sheet.cell(r, 1).value is not None)
                assert sheet.cell(title, 1).value == number
                assert sheet.cell(title, 2).value == words.step(f"h.b.{name}").title
                assert re.search(r"\[.*×.*\]$", sheet.cell(title + 1, 2).value), name
                assert sheet.cell(title + 2, 2).value == words.step(f"h.b.{name}").why


def test_keys_of_template_steps_and_witness_are_the_same(language):
    in_template = {name for name in load_words(language).steps if name.startswith("h.b.")}
    assert in_template == {f"h.b.{name}" for name in BLOCK_STEPS}
    assert in_template == {f"h.b.{name}" for names in SIXTEEN for name in names}


def test_blocks_have_one_layout(path):
    for step in BLOCK_STEPS:
        assert area(path, f"h.0.{step}")[1] == area(path, f"h.1.{step}")[1]
    first, second = (loaded(path)[f"block {b}"] for b in (0, 1))
    assert links(first).keys() == links(second).keys()


def test_heads_are_numbered(path, language):
    """Over the first column of each head, in every step that has heads."""
    words, n_head = load_words(language), checkpoint.load(PLAIN).config.n_head
    for step in ("q", "k", "v", "scores", "weights", "heads"):
        sheet, (left, top, right, _) = area(path, f"h.0.attn.{step}")
        width = (right - left + 1) // n_head
        shown = [sheet.cell(top - 2, left + width * head).value for head in range(n_head)]
        assert shown == [words.label("head", number=head) for head in range(n_head)]


def test_tokens_stand_on_both_sides_of_the_heat_map(path):
    sheet, (left, top, _, bottom) = area(path, "h.0.attn.weights")
    below = [sheet.cell(row, 2).value for row in range(top, bottom + 1)]
    above = [sheet.cell(top - 1, left + i).value for i in range(len(below))]
    assert below == above
    assert any(below)


def test_steps_fold_away(path):
    """A step's numbers, the rows without a token, and the columns behind the first few."""
    sheet, (_, top, _, bottom) = area(path, "h.0.mlp.gelu")
    levels = [sheet.row_dimensions[row].outlineLevel for row in range(top - 5, bottom + 2)]
    assert levels == [0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 0]
    assert sheet.column_dimensions["K"].outlineLevel == 1
    assert not sheet.sheet_properties.outlinePr.summaryBelow


def test_masked_cells_look_unlike_zero(path):
    """They are empty, and hatched as long as their row has a token."""
    sheet, (left, top, _, _) = area(path, "h.0.attn.scores")
    assert sheet.cell(top, left + 1).value is None
    fills = [
        rule.dxf.fill.patternType
        for ranges in sheet.conditional_formatting
        if f"{get_column_letter(left)}{top}:" in str(ranges.sqref)
        for rule in ranges.rules
        if rule.dxf is not None and rule.dxf.fill is not None
    ]
    assert fills == ["lightUp"]


# --- charts --------------------------------------------------------------------------------------


def test_charts_show_something(path):
    book, seen = loaded(path), 0
    for sheet in sheets(path):
        for chart in sheet._charts:
            seen += 1
            for series in chart.series:
                across, up = series.cat or series.xVal, series.val or series.yVal
                for reference in (up.numRef, across.numRef or across.strRef):
                    tab, address = reference.f.rsplit("!", 1)
                    cells = book[tab.strip("'")][address.replace("$", "")]
                    rows = cells if isinstance(cells, tuple) else ((cells,),)
                    assert all(cell.value not in (None, "") for (cell,) in rows)
    assert seen == 5


def test_charts_have_a_text_for_those_who_cannot_see_them(path, language):
    words, found = load_words(language), set()
    with ZipFile(path) as archive:
        for name in archive.namelist():
            if re.fullmatch(r"xl/drawings/drawing\d+\.xml", name):
                found |= {frame.get("descr") for frame in frames(archive.read(name))}
    shown = ("chart", "lens chart", "microscope sum chart", "microscope curve chart")
    assert found == {words.label(name) for name in (*shown, "neighbours chart")}


def frames(drawing: bytes) -> Iterator[Any]:
    return etree.fromstring(drawing).iterfind(".//{*}graphicFrame/{*}nvGraphicFramePr/{*}cNvPr")


# --- colours --------------------------------------------------------------------------------------


def luminance(color: str) -> float:
    """WCAG 2.1, relative luminance."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(text: str, ground: str) -> float:
    light, dark = sorted((luminance(text), luminance(ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", LOOKS)
def test_contrast(name):
    look = LOOKS[name]
    assert contrast(look.color, look.fill or "FFFFFF") >= 4.5


@pytest.mark.parametrize("name", RULES)
def test_contrast_where_a_condition_holds(name):
    look = RULES[name]
    found = contrast(look.color, look.fill or "FFFFFF")
    assert found == 1 if name == "error" else found >= 4.5  # which nobody is to see


@pytest.mark.parametrize("color", HEAT)
def test_contrast_on_the_heat_map(color):
    """Between these three colours the others lie, and so do their contrasts."""
    assert contrast(INK, color) >= 4.5
