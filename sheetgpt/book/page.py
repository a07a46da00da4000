"""A tab while it is being laid out: a cursor that moves down, and what has been placed so far."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sheetgpt.book.book import Bars, Blank, Computed, Numbers, Tab, Text, Texts
from sheetgpt.book.words import Words
from sheetgpt.formula.cells import Area, is_legal_name
from sheetgpt.formula.expr import SO_FAR, Call, Expr, Range, when
from sheetgpt.formula.notation import mathematics
from sheetgpt.formula.row import for_token
from sheetgpt.steps.tokenize import Table

LABELS = 2  # the token's number and its text stand left of every row
SHARES = ("attn.weights",)  # steps whose numbers are shares, shown as a heat map
FIRST = LABELS + 1  # the column where numbers begin, on every tab


class Page:
    """Collects what stands on one tab. `names` is shared by all pages of a book."""

    def __init__(
        self, tab: str, names: dict[str, Area], words: Words, title: str, about: str
    ) -> None:
        self.tab, self.names, self.words, self.about = tab, names, words, about
        self.texts: list[Text] = []
        self.lists: list[Texts] = []
        self.numbers: list[Numbers] = []
        self.computed: list[Computed] = []
        self.blanks: list[Blank] = []
        self.widths: dict[int, float] = {1: 6, 2: 16}
        self.heights: dict[int, float] = {1: 26}
        self.frozen = (3, LABELS)
        self.default: str | None = None
        self.heat: list[Area] = []
        self.charts: list[Bars] = []
        self.write(1, 1, title, "title")
        self.write(3, 1, about, "about")
        self.row = 5

    def area(self, row: int, column: int, rows: int = 1, columns: int = 1) -> Area:
        return Area(self.tab, row, column, row + rows - 1, column + columns - 1)

    def write(
        self, row: int, column: int, value: str | float, look: str, link: str | None = None
    ) -> None:
        self.texts.append(Text(self.area(row, column), value, look, link))

    def compute(self, area: Area, tree: Expr, look: str) -> Range:
        self.computed.append(Computed(area, tree, look))
        return Range(area)

    def define(self, name: str, area: Area) -> Range:
        """Give an area a name that formulas, tools and people can use."""
        if not is_legal_name(name) or any(name.lower() == other.lower() for other in self.names):
            raise ValueError(f"{name} cannot be a defined name, or is one already")
        self.names[name] = area
        return Range(area, name)

    def fill(
        self, row: int, column: int, values: NDArray[np.generic], look: str, name: str | None = None
    ) -> Range:
        """A matrix of constants, or a vector as one row of them."""
        matrix = np.atleast_2d(values)
        area = self.area(row, column, *matrix.shape)
        self.numbers.append(Numbers(area, matrix, look))
        return self.define(name, area) if name else Range(area)

    def list_texts(self, row: int, column: int, values: Sequence[str], look: str) -> Area:
        """A column of constant texts."""
        area = self.area(row, column, len(values))
        self.lists.append(Texts(area, values, look))
        return area

    def table(
        self, name: str, columns: Mapping[str, float | str], top: int, left: int, length: int
    ) -> Table:
        """Reserve a table: a row of headings, a row of starting constants, then `length` rows."""
        areas = {}
        for column, (heading, start) in enumerate(columns.items(), start=left):
            area = self.area(top + 2, column, length)
            self.write(top, column, self.words.label(f"column {heading}"), "heading")
            self.write(top + 1, column, start, "start")
            areas[heading] = self.define(f"{name}.{heading}", area).area
        return Table(areas)

    def finished(self, link_to: Sequence["Page"]) -> Tab:
        """The tab, with links to the first page, the one before and the one after."""
        here = link_to.index(self)
        links = {"back": here - 1, "home": 0, "next": here + 1} if here else {"next": 1}
        for column, (label, to) in enumerate(links.items(), start=1):
            if to < len(link_to):
                self.write(2, column, self.words.label(label), "link", link=link_to[to].tab)
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
            self.charts,
            (FIRST, self.default) if self.default else None,
        )


class TokenRows:
    """Places steps on a page, one below the other, with a row for each token.

    tokens: the text of each token, empty in the rows that have none: a row without a token
        shows nothing, and costs nothing, since IF leaves the other branch alone.
    prefix: what stands before the names of the steps, such as `h.0.`.
    key: the same as the words in the template have it, such as `h.b.`.
    numbers: the number of a step, by its name.
    entries: the texts of the vocabulary, for steps that have a row for each of its entries.
    """

    def __init__(
        self,
        page: Page,
        tokens: Range,
        prefix: str = "",
        key: str = "",
        numbers: Mapping[str, int] | None = None,
        entries: Sequence[str] = (),
    ) -> None:
        self.page, self.tokens, self.entries = page, tokens, entries
        self.prefix, self.key, self.numbers = prefix, key, numbers or {}
        self.context = tokens.area.shape[0]
        page.default = "number"

    def __call__(self, name: str, *panels: Expr, only: Expr | None = None) -> Call:
        rows, columns = panels[0].shape
        causal, tall = columns == SO_FAR, rows != 1
        kind = "seen" if causal else "column" if tall else "row"
        place = self._place_columns if tall else self._place_rows
        try:
            area = place(name, panels, only)
        except ValueError as error:
            raise ValueError(f"step {self.prefix}{name}: {error}") from error
        if name in SHARES:
            self.page.heat.append(area)
        return Call(kind, (self.page.define(self.prefix + name, area),))

    def _place_rows(self, name: str, panels: Sequence[Expr], only: Expr | None) -> Area:
        page, first = self.page, self._heading(name, panels[0], len(panels))
        widths = [self._width(panel) for panel in panels]
        left = FIRST
        for head, (panel, width) in enumerate(zip(panels, widths, strict=True)):
            if len(panels) > 1:
                page.write(first - 2, left, page.words.label("head", number=head), "head")
            self._column_headings(first - 1, left, width, causal=panel.shape[1] == SO_FAR)
            for token in range(self.context):
                shown = token + 1 if panel.shape[1] == SO_FAR else width
                area = page.area(first + token, left, 1, shown)
                page.compute(area, self._shown(panel, token, first + token, only), "number")
                if shown < width:
                    masked = page.area(first + token, left + shown, 1, width - shown)
                    page.blanks.append(Blank(masked, "masked"))
            left += width
        self._labels(first)
        page.row = first + self.context + 1
        return page.area(first, FIRST, self.context, left - FIRST)

    def _place_columns(self, name: str, panels: Sequence[Expr], only: Expr | None) -> Area:
        """A step of the vocabulary: a column is a token, a row is an entry of the vocabulary."""
        (panel,) = panels
        page, first = self.page, self._heading(name, panel, 1)
        height = panel.shape[0]
        assert isinstance(height, int)
        for token in range(self.context):
            column = FIRST + token
            page.write(first - 2, column, token + 1, "index")
            label = page.compute(
                page.area(first - 1, column), Range(self.tokens.area.row(token)), "token"
            )
            area = page.area(first, column, height, 1)
            page.compute(area, self._wrapped(for_token(panel, token), label, token, only), "number")
        page.fill(first, 1, np.arange(height)[:, None], "index")
        page.list_texts(first, 2, self.entries, "token")
        page.row = first + height + 1
        return page.area(first, FIRST, height, self.context)

    def _heading(self, name: str, panel: Expr, heads: int) -> int:
        """Number, title, shape, mathematics and why; returns the row where the numbers begin."""
        page, words = self.page, self.page.words.step(self.key + name)
        row = page.row
        if name in self.numbers:
            page.write(row, 1, self.numbers[name], "step number")
        page.write(row, 2, words.title, "step title")
        rows, columns = ("t" if side == SO_FAR else str(side) for side in panel.shape)
        times = f"{heads} × " if heads > 1 else ""
        line = mathematics(panel).replace(self.prefix, "")
        page.write(row + 1, 2, f"{line}     [{times}{rows} × {columns}]", "mathematics")
        page.write(row + 2, 2, words.why, "why")
        page.heights[row] = 20
        return row + 5

    def _labels(self, first: int) -> None:
        page = self.page
        for token in range(self.context):
            page.write(first + token, 1, token + 1, "index")
            page.compute(page.area(first + token, 2), Range(self.tokens.area.row(token)), "token")

    def _column_headings(self, row: int, left: int, width: int, *, causal: bool) -> None:
        page = self.page
        if causal:
            page.compute(page.area(row, left, 1, width), Range(self.tokens.area).T, "token heading")
        else:
            page.fill(row, left, np.arange(width), "index")

    def _width(self, panel: Expr) -> int:
        width = panel.shape[1]
        return width if isinstance(width, int) else self.context

    def _shown(self, panel: Expr, token: int, row: int, only: Expr | None) -> Expr:
        label = Range(self.page.area(row, 2))
        return self._wrapped(for_token(panel, token), label, token, only)

    def _wrapped(self, tree: Expr, label: Range, token: int, only: Expr | None) -> Expr:
        if only is not None:
            tree = when(for_token(only, token), tree, "")
        return when(label.equals(""), "", tree)
