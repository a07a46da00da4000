"""A tab that teaches: numbered sections of a few lines, yellow cells to type in, things to try."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sheetgpt.book.book import Blank, Rule, Tab, Validation
from sheetgpt.book.lines import broken
from sheetgpt.book.page import LINKS, Page
from sheetgpt.book.rules import itself
from sheetgpt.book.words import Words
from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import Expr, Number, Range, call, join, when

LINE = 165  # letters in a line, as many as a small screen shows at 100 %
TRY = "▸ "  # before each line of what to try
WARNING = 5  # the column, in the row of the links, that warns of a text where a number belongs

Limits = tuple[str, float, float]  # the kind of what may be typed, the least and the most of it
NUMBERS: Limits = ("decimal", -1000, 1000)


class Lesson(Page):
    """The words of section `pairs` of the tab `learn tokens` go by `learn tokens.pairs`."""

    def __init__(self, tab: str, names: dict[str, Area], words: Words) -> None:
        about = words.tab(tab)
        super().__init__(tab, names, words, about.title, about.about, about.why)
        self.widths = {1: 8, 2: 16}
        self.frozen = (3, 0)
        self._sections = 0
        self._numbers: list[Area] = []  # inputs that take numbers

    def section(self, key: str) -> None:
        """A title with its number and the lines below it; the cursor moves below them."""
        words = self.words.step(f"{self.tab}.{key}")
        self._sections += 1
        self.write(self.row, 1, self._sections, "step number")
        self.write(self.row, 2, words.title, "step title")
        self.heights[self.row] = 22
        self.row += 1
        self.say(words.why, "why")

    def say(self, text: str, look: str = "text") -> None:
        """A text in as many lines as it needs."""
        for line in broken(text, LINE):
            self.write(self.row, 2, line, look)
            self.row += 1

    def tries(self, *keys: str) -> None:
        """What to type and what to look at, and an empty row."""
        for key in keys:
            first, *rest = broken(self.label(key), LINE)
            for line in (TRY + first, *("   " + each for each in rest)):
                self.write(self.row, 2, line, "try")
                self.row += 1
        self.row += 1

    def label(self, key: str, **parts: object) -> str:
        return self.words.label(f"{self.tab}.{key}", **parts)

    def headings(self, row: int, column: int, *keys: str, look: str = "heading center") -> None:
        """Headings side by side."""
        for place, key in enumerate(keys, start=column):
            self.write(row, place, self.label(key), look)

    def input(
        self, name: str, row: int, column: int, value: float | str, look: str = "control",
        limits: Limits | None = None,
    ) -> Range:  # fmt: skip
        """A yellow cell under a name."""
        return self.inputs(name, row, column, [[value]], look, limits)

    def control(self, name: str, value: float, key: str, limits: Limits = NUMBERS) -> Range:
        """A yellow cell with a note of what it does beside it; the cursor moves below it."""
        self.write(self.row, 3, self.label(key), "note")
        self.row += 1
        return self.input(name, self.row - 1, 2, value, limits=limits)

    def inputs(
        self, name: str, row: int, column: int, values: Sequence[Sequence[float | str]], look: str,
        limits: Limits | None = None,
    ) -> Range:  # fmt: skip
        """Yellow cells side by side; where a value is "", the cell is empty.

        look: `control` for numbers, `word` for texts. limits: what may be typed; of numbers, if it
        is not said, those from -1000 to 1000, so that no power of them is too large to be computed.
        """
        for i, line in enumerate(values):
            for j, value in enumerate(line):
                cell = self.area(row + i, column + j)
                if value == "":
                    self.blanks.append(Blank(cell, look))
                else:
                    self.write(cell.top, cell.left, value, look)
        cells = self.area(row, column, len(values), len(values[0]))
        if look == "control":
            limits = limits or NUMBERS
            self._numbers.append(cells)
        if limits is not None:
            kind, least, most = limits
            title = self.words.tab(self.tab).title
            sentence = self.words.label(f"allowed {kind}", least=f"{least:,}", most=f"{most:,}")
            self.validations.append(Validation(cells, kind, least, most, title, sentence))
        return self.define(name, cells)

    def constants(
        self,
        row: int,
        column: int,
        values: Sequence[float] | NDArray[np.float64],
        look: str = "index",
        *,
        down: bool = False,
    ) -> Range:
        """Numbers in a row, or down a column."""
        matrix = np.asarray(values, dtype=np.float64)
        return self.fill(row, column, matrix[:, None] if down else matrix, look)

    def show(self, name: str, row: int, column: int, tree: Expr, look: str = "formula") -> Range:
        """One formula under a name, which fills as many cells as it has values."""
        rows, columns = tree.shape
        assert isinstance(rows, int) and isinstance(columns, int)
        return self.place(name, self.area(row, column, rows, columns), tree, look)

    def place(self, name: str, area: Area, tree: Expr, look: str = "formula") -> Range:
        """One formula that fills an area, under a name."""
        self.compute(area, tree, look)
        return self.define(name, area)

    def finished(self, link_to: Sequence[Page]) -> Tab:
        """The tab, which warns of a text that somebody has pasted where a number belongs.

        The formulas stay as short as the lesson says them: what has no value then is not seen.
        """
        if self._numbers:
            n_texts: Expr = Number(0)
            for area in self._numbers:
                cells = Range(area)
                n_filled = call("SUM", when(cells.equals(""), 0, 1))
                n_texts = n_texts + n_filled - call("COUNT", cells)
            warning = when(n_texts > 0, self.words.label("no number"), "")
            self.compute(self.area(LINKS, WARNING), warning, "message")
            areas = [each.area for each in self.computed]
            rows, columns = max(a.bottom for a in areas), max(a.right for a in areas)
            whole = self.area(1, 1, rows, columns)
            self.rules.insert(0, Rule(whole, call("ISERROR", itself(whole)), "error"))
        return super().finished(link_to)


def at(whole: Range, row: int, column: int = 0) -> Range:
    """One cell of a range, counted from 0."""
    return Range(whole.area.cell(row, column))


def text_at(whole: Range, row: int) -> Expr:
    """What one cell says; nothing, not 0, where it is empty."""
    return join(at(whole, row), "")


def row_of(whole: Range, row: int) -> Range:
    return Range(whole.area.row(row))


def column_of(whole: Range, column: int) -> Range:
    return Range(whole.area.columns(column, column + 1))


def largest_place(values: Range) -> Expr:
    """The place of the largest number, the first of equals."""
    return call("MATCH", call("MAX", values), values, 0)
