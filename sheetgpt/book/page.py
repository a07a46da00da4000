"""A tab while it is being laid out: a cursor that moves down, and what has been placed so far."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sheetgpt.book.book import (
    Bars,
    Blank,
    Computed,
    Diverging,
    Numbers,
    Plot,
    Rule,
    Tab,
    Text,
    Texts,
    Validation,
)
from sheetgpt.book.words import StepWords, Words
from sheetgpt.formula.cells import Area, is_legal_name
from sheetgpt.formula.expr import SO_FAR, Expr, Range
from sheetgpt.formula.notation import mathematics
from sheetgpt.steps.tokenize import Table

LABELS = 2  # the token's number and its text stand left of every row
FIRST = LABELS + 1  # the column where numbers begin, on every tab
LINKS = 2  # the row of the links
GRID_HEADING = 3  # rows above a grid


class Page:
    """Collects what stands on one tab. `names` is shared by all pages of a book."""

    def __init__(
        self,
        tab: str,
        names: dict[str, Area],
        words: Words,
        title: str,
        about: str,
        why: str = "",
    ) -> None:
        self.tab, self.names, self.words = tab, names, words
        self.about, self.why = about, why  # what happens on the tab, and what it is good for
        self.texts: list[Text] = []
        self.lists: list[Texts] = []
        self.numbers: list[Numbers] = []
        self.computed: list[Computed] = []
        self.blanks: list[Blank] = []
        self.rules: list[Rule] = []
        self.widths: dict[int, float] = {1: 8, 2: 24}
        self.heights: dict[int, float] = {1: 32, 3: 20}
        self.frozen = (3, LABELS)
        self.default: str | None = None
        self.heat: list[Area] = []
        self.diverging: list[Diverging] = []
        self.charts: list[Bars | Plot] = []
        self.opens_at_once = False  # it shows what is stored, without waiting for LibreOffice
        self.row_groups: list[tuple[int, int]] = []
        self.column_groups: list[tuple[int, int]] = []
        self.steps: dict[int, Area] = {}  # where each numbered step has its number
        self.color: str | None = None
        self.merged: list[Area] = []
        self.validations: list[Validation] = []
        self.cursor: Area | None = None
        self.write(1, 1, title, "title")
        self.write(3, 1, f"{about} {why}".strip(), "about")
        self.row = 5

    def area(self, row: int, column: int, rows: int = 1, columns: int = 1) -> Area:
        return Area(self.tab, row, column, row + rows - 1, column + columns - 1)

    @property
    def corner(self) -> Area:
        """Where a link to this tab leads."""
        return self.area(1, 1)

    def write(
        self, row: int, column: int, value: str | float, look: str, link: Area | None = None
    ) -> None:
        self.texts.append(Text(self.area(row, column), value, look, link))

    def write_or_leave(self, cell: Area, value: str | float, look: str) -> None:
        """A cell with its look, which may be empty."""
        if value == "":
            self.blanks.append(Blank(cell, look))
        else:
            self.write(cell.top, cell.left, value, look)

    def compute(self, area: Area, tree: Expr, look: str, link: Area | None = None) -> Range:
        self.computed.append(Computed(area, tree, look, not self.opens_at_once, link))
        return Range(area)

    def define(self, name: str, area: Area) -> Range:
        """Give an area a name that formulas, tools and people can use."""
        if not is_legal_name(name) or name in self.names:
            raise ValueError(f"{name} cannot be a defined name, or is one already")
        self.names[name] = area
        return Range(area, name)

    def compute_named(self, name: str, row: int, column: int, tree: Expr, look: str) -> Range:
        """One computed cell under a name."""
        cell = self.define(name, self.area(row, column))
        self.compute(cell.area, tree, look)
        return cell

    def fill(
        self, row: int, column: int, values: NDArray[np.generic], look: str, name: str | None = None
    ) -> Range:
        """A matrix of constants, or a vector as one row of them."""
        matrix = np.atleast_2d(values)
        area = self.area(row, column, *matrix.shape)
        self.numbers.append(Numbers(area, matrix, look))
        return self.define(name, area) if name else Range(area)

    def count(self, row: int, rows: int, first: int = 0) -> Area:
        """Numbers down column A: of tokens, of entries, of blocks."""
        return self.fill(row, 1, np.arange(first, first + rows)[:, None], "index").area

    def list_texts(self, row: int, column: int, values: Sequence[str], look: str) -> Area:
        """A column of constant texts."""
        area = self.area(row, column, len(values))
        self.lists.append(Texts(area, values, look))
        return area

    def allow(self, area: Area, name: str, kind: str, least: float, most: float) -> None:
        """What may be typed into an input: a number of a kind within limits."""
        title = self.words.label(f"column {name}")
        limits = (f"{limit:,.15g}" for limit in (least, most))
        sentence = self.words.label(f"allowed {kind}", least=next(limits), most=next(limits))
        self.validations.append(Validation(area, kind, least, most, title, sentence))

    def choose(self, area: Area, name: str, choices: Area) -> None:
        """An input that takes one of the texts in other cells of the tab."""
        title = self.words.label(f"column {name}")
        sentence = self.words.label("allowed list")
        self.validations.append(Validation(area, "list", 0, 0, title, sentence, choices))

    def rule(self, area: Area, condition: Expr, look: str) -> None:
        self.rules.append(Rule(area, condition, look))

    def table(
        self, name: str, columns: Mapping[str, float | str], top: int, left: int, length: int
    ) -> Table:
        """Reserve a table: a row of headings, a row of starting constants, then `length` rows."""
        areas = {}
        for column, (heading, start) in enumerate(columns.items(), start=left):
            area = self.area(top + 2, column, length)
            self.write(top, column, self.words.column(heading), "heading center")
            self.write(top + 1, column, start, "start")
            areas[heading] = self.define(f"{name}.{heading}", area).area
        return Table(areas)

    def heading(
        self,
        words: StepWords,
        panel: Expr | None = None,
        *,
        panels: int = 1,
        prefix: str = "",
        number: int | None = None,
    ) -> None:
        """A step's number, title, mathematics with the shape, and why; the cursor moves below it.

        panel: the formula that the mathematics says. prefix: what its names need not repeat.
        """
        if number is not None:
            self.write(self.row, 1, number, "step number")
            self.steps.setdefault(number, self.area(self.row, 1))
        self.write(self.row, 2, words.title, "step title")
        self.heights[self.row] = 22
        self.row += 1
        if panel is not None:
            rows, columns = ("t" if side == SO_FAR else str(side) for side in panel.shape)
            times = f"{panels} × " if panels > 1 else ""
            line = mathematics(panel).replace(prefix, "")
            self.write(self.row, 2, f"{line}     [{times}{rows} × {columns}]", "mathematics")
            self.row += 1
        self.write(self.row, 2, words.why, "why")
        self.row += 1

    def grid_heading(self, words: StepWords, grid: Area, headings: Sequence[str]) -> None:
        """What stands over a grid that has its place already: a title, why, the columns' heads."""
        self.row = grid.top - GRID_HEADING
        self.heading(words)
        for column, heading in enumerate(headings, start=grid.left):
            self.write(self.row, column, heading, "token heading")

    def finished(self, link_to: Sequence["Page"]) -> Tab:
        """The tab, with links to the first page, the one before and the one after, and to steps."""
        here = link_to.index(self)
        links = {"back": here - 1, "home": 0, "next": here + 1} if here else {"next": 1}
        for column, (label, to) in enumerate(links.items(), start=1):
            if to < len(link_to):
                self.write(LINKS, column, self.words.label(label), "link", link_to[to].corner)
        for column, (number, place) in enumerate(self.steps.items(), start=FIRST + 1):
            self.write(LINKS, column, self.words.label("step", number=number), "link", place)
        return Tab(
            self.tab,
            self.texts,
            self.lists,
            self.numbers,
            self.computed,
            self.blanks,
            self.widths,
            self.heights,
            self.frozen,
            self.heat,
            self.diverging,
            self.charts,
            (FIRST, self.default) if self.default else None,
            self.rules,
            self.row_groups,
            self.column_groups,
            self.color,
            self.validations,
            self.cursor,
            self.merged,
        )
