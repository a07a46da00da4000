"""The model's steps on their tabs, one below the other, with a row for each token."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sheetgpt.book.book import Layout, StepRecord
from sheetgpt.book.page import FIRST, Page
from sheetgpt.book.rules import beside, column_number, is_blank, over, row_number
from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import SO_FAR, Call, Expr, Range, call, when, within
from sheetgpt.formula.row import for_token, of_entries

PART = {Layout.ROW: "row", Layout.CAUSAL: "seen", Layout.TALL: "column"}  # of one token
MOST_MULTIPLIED = 4_000_000  # cells of the matrix that one formula multiplies
TEXT = 2  # the column of the tokens' texts
ALWAYS_SHOWN = 8  # columns of numbers that stay when the others are folded away


@dataclass(frozen=True)
class Tokens:
    """What the rows are made for, on every page.

    text, id: of each token, empty in the rows that have none: a row without an id shows nothing,
        and costs nothing, since IF leaves the other branch alone. The text does not decide, for
        some programs take invisible characters for no text.
    active: how many rows have a token when the workbook is built; those behind fold away on their
        own.
    """

    text: Range
    id: Range
    active: int


class TokenRows:
    """Places steps on a page.

    records: the steps by their names; prefix: what stands before these, such as `h.0.`.
    marks: what stands over the equal parts of a step's rows, such as the heads.
    live: a sentence that the sheet writes itself, below the others of a step.
    entries: the texts of the vocabulary, for steps that have a row for each of its entries.
    """

    def __init__(
        self,
        page: Page,
        tokens: Tokens,
        records: Mapping[str, StepRecord],
        prefix: str = "",
        marks: Mapping[str, Sequence[str]] | None = None,
        live: Mapping[str, Range] | None = None,
        entries: Sequence[str] = (),
    ) -> None:
        self.page, self.tokens, self.ids, self.entries = page, tokens.text, tokens.id, entries
        self.prefix, self.records = prefix, records
        self.marks, self.live = marks or {}, live or {}
        self.context, self.active = tokens.id.area.shape[0], tokens.active
        page.default = "number"

    def __call__(self, name: str, *panels: Expr, only: Expr | None = None) -> Call:
        record = self.records[self.prefix + name]
        place = self._place_columns if record.is_tall else self._place_rows
        try:
            area = place(record, name, panels, only)
        except ValueError as error:
            raise ValueError(f"step {record.name}: {error}") from error
        if area.shape != record.shape:
            raise ValueError(f"step {record.name}: {area.shape} cells, expected {record.shape}")
        if record.is_share:
            self.page.heat.append(area)
        seen = within(record.window) if record.layout is Layout.CAUSAL else ()
        return Call(PART[record.layout], (self.page.define(record.name, area), *seen))

    def _place_rows(
        self, record: StepRecord, name: str, panels: Sequence[Expr], only: Expr | None
    ) -> Area:
        page, first = self.page, self._heading(record, name, panels)
        widths = [self._width(panel) for panel in panels]
        look = "attention" if record.is_share else "number"
        left = FIRST
        for panel, width in zip(panels, widths, strict=True):
            causal = panel.shape[1] == SO_FAR
            heading = "token heading" if record.is_share else "token heading right"
            self._column_headings(first - 1, left, width, heading if causal else "")
            for token in range(self.context):
                start, stop = (_first_seen(record, token), token + 1) if causal else (0, width)
                area = page.area(first + token, left + start, 1, stop - start)
                page.compute(area, self._wrapped(for_token(panel, token), token, only), look)
            left += width
        whole = page.area(first, FIRST, self.context, left - FIRST)
        self._mark(name, whole)
        if record.layout is Layout.CAUSAL:
            self._mask(whole, widths[0], record.window)
        self._labels(first)
        page.row_groups.append((first - (2 if name in self.marks else 1), whole.bottom))
        if self.active < self.context:
            page.row_groups.append((first + self.active, whole.bottom))
        page.column_groups = _wider(page.column_groups, whole.right)
        page.row = whole.bottom + 2
        return whole

    def _place_columns(
        self, record: StepRecord, name: str, panels: Sequence[Expr], only: Expr | None
    ) -> Area:
        """A step of the vocabulary: a column is a token, a row is an entry of the vocabulary."""
        (panel,) = panels
        page, first = self.page, self._heading(record, name, panels)
        height = panel.shape[0]
        assert isinstance(height, int)
        for token in range(self.context):
            column = FIRST + token
            page.write(first - 2, column, token + 1, "column index")
            text = Range(self.tokens.area.row(token))
            page.compute(page.area(first - 1, column), text, "token heading right")
            tree = for_token(panel, token)
            for start, stop in _pieces(panel):
                area = page.area(first + start, column, stop - start, 1)
                part = self._wrapped(of_entries(tree, start, stop), token, only)
                page.compute(area, part, "number")
        numbers = page.area(first - 2, FIRST, 1, self.context)
        page.rule(numbers, is_blank(over(numbers, first - 1)), "no token")
        page.count(first, height)
        page.list_texts(first, 2, self.entries, "token")
        page.frozen = (first - 1, page.frozen[1])
        page.row = first + height + 1
        return page.area(first, FIRST, height, self.context)

    def _heading(self, record: StepRecord, name: str, panels: Sequence[Expr]) -> int:
        """Number, title, mathematics, sentences; returns the row where the numbers begin."""
        page = self.page
        page.heading(
            page.words.step(record.words),
            panels[0],
            panels=len(panels),
            prefix=self.prefix,
            number=record.number,
        )
        if name in self.live:
            page.compute_named(f"live.{record.name}", page.row, 2, self.live[name], "live")
            page.row += 1
        return page.row + 2

    def _mask(self, whole: Area, width: int, window: int) -> None:
        """Nothing may stand where a token would look at one that it does not see."""
        texts = beside(whole, TEXT), over(whole, whole.top - 1)
        there = (call("LEN", text) > 0 for text in texts)
        key, query = call("MOD", column_number(whole), width), row_number(whole)
        hidden: Expr = key > query
        if 0 < window < width:
            hidden = call("OR", hidden, key <= query - window)
        self.page.rule(whole, call("AND", *there, hidden), "masked")

    def _mark(self, name: str, whole: Area) -> None:
        """What the parts of a row are, above each; and a line between them."""
        marks = self.marks.get(name, ())
        for part, mark in enumerate(marks):
            width = whole.shape[1] // len(marks)
            self.page.write(whole.top - 2, FIRST + part * width, mark, "head")
            if part == 1:
                column, is_token = column_number(whole), call("LEN", beside(whole, TEXT)) > 0
                begins = column > 0, call("MOD", column, width).equals(0)
                self.page.rule(whole, call("AND", is_token, *begins), "edge")

    def _labels(self, first: int) -> None:
        page = self.page
        numbers = page.count(first, self.context, first=1)
        page.rule(numbers, is_blank(beside(numbers, TEXT)), "no token")
        for token in range(self.context):
            page.compute(page.area(first + token, 2), Range(self.tokens.area.row(token)), "token")

    def _column_headings(self, row: int, left: int, width: int, tokens: str) -> None:
        """The tokens, in a look, or else the numbers of the columns."""
        page = self.page
        if tokens:
            page.compute(page.area(row, left, 1, width), Range(self.tokens.area).T, tokens)
        else:
            page.fill(row, left, np.arange(width), "column index")

    def _width(self, panel: Expr) -> int:
        width = panel.shape[1]
        return width if isinstance(width, int) else self.context

    def _wrapped(self, tree: Expr, token: int, only: Expr | None) -> Expr:
        """The formula of one token's row, which shows nothing where there is no token."""
        if only is not None:
            tree = when(for_token(only, token), tree, "")
        return when(Range(self.ids.area.row(token)).equals(""), "", tree)


def _first_seen(record: StepRecord, token: int) -> int:
    """The position of the first token that the one at `token` sees."""
    return max(0, token + 1 - record.window) if record.window else 0


def _wider(groups: Sequence[tuple[int, int]], right: int) -> list[tuple[int, int]]:
    """The group of columns that folds away, when another step reaches as far as this column."""
    right = max([right, *(last for _, last in groups)])
    first = FIRST + ALWAYS_SHOWN
    return [(first, right)] if first <= right else []


def _pieces(panel: Expr) -> list[tuple[int, int]]:
    """The rows of a tall step that one formula fills: all, unless it multiplies a matrix."""
    height = panel.shape[0]
    assert isinstance(height, int)
    product = panel.arguments[0] if isinstance(panel, Call) and panel.op == "+" else panel
    if isinstance(product, Call) and product.op == "MMULT":
        width = product.arguments[0].shape[1]
        assert isinstance(width, int)
        return pieces(height, width)
    return [(0, height)]


def pieces(height: int, width: int) -> list[tuple[int, int]]:
    """The rows of a matrix that one formula multiplies: all, or fewer where it is so large that an
    application would need as much memory again for it.
    """
    step = max(1, MOST_MULTIPLIED // width)
    return [(start, min(start + step, height)) for start in range(0, height, step)]
