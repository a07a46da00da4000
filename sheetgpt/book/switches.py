"""The tab `switches`: for every head and every MLP a cell by which what it writes is multiplied."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sheetgpt.book.book import Diverging
from sheetgpt.book.looks import heading_over
from sheetgpt.book.page import FIRST, GRID_HEADING, Page
from sheetgpt.book.prompt import Prompt
from sheetgpt.book.rules import itself
from sheetgpt.book.trace import factors_of_places
from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import OWN, Expr, Range, call, fixed, when
from sheetgpt.gpt2.config import Config
from sheetgpt.gpt2.effects import Effects
from sheetgpt.steps import switches as formulas
from sheetgpt.steps.block import Switches

SENTENCE, SAYS, GRIDS = 5, 8, 13  # the rows where the parts begin
SAID = {"token": "token", "probability": "chance", "ahead": "vote"}  # the looks of a next token
DIGITS = 9  # behind the point, which every application keeps
WIDTH = 12  # of a column, in characters


@dataclass(frozen=True)
class Switching:
    """The grids, each with a row for each block, a column for each head, and one for the MLP.

    typed: where a person types. effects: what happens without each part; None where nobody
        asked. read: what the blocks read. changed: how many are not 1.
    """

    typed: Area
    effects: Area | None
    read: Area
    changed: Range

    @property
    def grids(self) -> list[Area]:
        """All of them, from top to bottom."""
        return [each for each in (self.typed, self.effects, self.read) if each is not None]

    def of_block(self, block: int) -> Switches:
        heads, mlp = _parted(self.read.row(block))
        return Switches(Range(heads, "switches.heads", OWN), Range(mlp, "switches.mlp", OWN))


def switching(page: Page, config: Config, *, effects: bool) -> Switching:
    """Reserved before the blocks, which read the switches."""
    rows, columns = config.n_layer, config.n_head + 1
    typed = page.area(GRIDS + GRID_HEADING, FIRST, rows, columns)
    below = page.area(typed.bottom + 2 + GRID_HEADING, FIRST, rows, columns)
    at = below.bottom if effects else typed.bottom + 2  # a sentence instead of the effects
    read = page.area(at + 2 + GRID_HEADING, FIRST, rows, columns)
    for name, grid in (("switch", typed), ("switches", read)):
        for part, area in zip(("heads", "mlp"), _parted(grid), strict=True):
            page.define(f"{name}.{part}", area)
    changed = page.define("switches.changed", page.area(SENTENCE, 1))
    return Switching(typed, below if effects else None, read, changed)


def _parted(grid: Area) -> tuple[Area, Area]:
    """The heads' part of a grid, and the MLPs'."""
    heads = grid.shape[1] - 1
    return grid.columns(0, heads), grid.columns(heads, heads + 1)


@dataclass(frozen=True)
class Now:
    """What the tab says of the next token is made of these.

    typed, was: the prompt's cell, and what stood there at build time. texts: the vocabulary's.
    """

    prompt: Prompt
    typed: Range
    was: Range
    texts: Range
    softmax: Range


class SwitchesPage:
    """built: what the witness says of the built prompt; None where nobody will ask.

    heads: of each block where its heads are, to which the rows lead.
    """

    def __init__(
        self,
        page: Page,
        grids: Switching,
        now: Now,
        heads: Sequence[Area],
        built: Effects | None,
        *,
        manual: bool,
    ) -> None:
        self.page, self.grids = page, grids
        rows, columns = grids.typed.shape
        self.built = built or Effects(0, 0.0, 0.0, np.zeros((rows, columns)))
        page.widths |= {FIRST + column: WIDTH for column in range(columns)}
        self._typed(grids.typed)
        if grids.effects is not None and self.built.of_parts is not None:
            self._effects(grids.effects, self.built.of_parts)
        else:
            page.write(grids.typed.bottom + 2, 2, page.words.label("effects off"), "why")
        self._read()
        for grid in grids.grids:
            for block, area in enumerate(heads):
                page.write(grid.top + block, 2, area.tab, "link", area.cell(0, 0))
        self._sentence(manual=manual)
        self._says(now)
        self.mark = self._mark() if manual else None

    def _headings(self, name: str, grid: Area) -> None:
        """A row for each block, a column for each head, and the last for the MLP."""
        page, label, (rows, columns) = self.page, self.page.words.label, grid.shape
        parts = [*(label("head", number=head) for head in range(columns - 1)), label("mlp")]
        page.grid_heading(page.words.step(name), grid, parts)
        page.count(grid.top, rows)

    def _typed(self, grid: Area) -> None:
        self._headings("switch.heads", grid)
        page = self.page
        for part in _parted(grid):
            page.fill(part.top, part.left, np.ones(part.shape), "control")
        page.allow(grid, "switch", "decimal", formulas.LEAST, formulas.MOST)
        switch = itself(grid)
        is_one = call("AND", call("ISNUMBER", switch), switch.equals(1))
        page.rule(grid, call("NOT", is_one), "differs")
        page.cursor = grid.cell(0, 0)

    def _read(self) -> None:
        """What the formulas take each switch for."""
        page, grid = self.page, self.grids.read
        self._headings("switches.heads", grid)
        page.row_groups.append((grid.top - 1, grid.bottom))
        for place in np.ndindex(grid.shape):
            tree = formulas.understood(Range(self.grids.typed.cell(*place)))
            page.compute(grid.cell(*place), tree, "formula plain")

    def _mark(self) -> Expr:
        """A number that tells how the switches stand from any other way that one would try."""
        page, typed = self.page, self.grids.typed
        rows, columns = typed.shape
        factors = factors_of_places(rows * columns).reshape(rows, columns)
        top = self.grids.read.bottom + 2
        page.row_groups.append((top, top + rows - 1))
        return call("SUMPRODUCT", Range(typed), page.fill(top, FIRST, factors, "factor"))

    def _effects(self, area: Area, of_parts: NDArray[np.float64]) -> None:
        page = self.page
        self._headings("switches.effect", area)
        page.fill(area.top, area.left, np.round(of_parts, DIGITS), "vote", "switches.effect")
        page.diverging.append(Diverging(area, float(np.abs(of_parts).max()) or 1.0))
        lead = fixed(Range(page.area(SAYS + 2, FIRST + 2)))
        page.rule(area, lead + itself(area) < 0, "turned")

    def _sentence(self, *, manual: bool) -> None:
        """How many switches are not 1, in a number and in words, and the way back."""
        page, words, changed = self.page, self.page.words, self.grids.changed
        page.compute(changed.area, formulas.changed(Range(self.grids.read)), "integer")
        some = words.sentence("switches changed", count=changed)
        sentence = when(changed > 0, some, words.label("switches all on"))
        page.compute_named("switches.sentence", SENTENCE, 2, sentence, "live")
        page.write(SENTENCE + 1, 2, words.label("switches back"), "why")
        if manual:
            page.write(SENTENCE + 2, 2, words.label("calculation manual"), "notice")

    def _built(self) -> Range:
        """What the witness said of the next token, which the tab `checks` keeps digests of."""
        for column, name, value in (
            (FIRST + 1, "probability", self.built.probability),
            (FIRST + 2, "ahead", self.built.lead),
            (FIRST + 4, "token", self.built.token),
        ):
            number = np.array([[round(value, DIGITS)]])
            look = "chip id" if name == "token" else SAID[name]
            said = self.page.fill(SAYS + 2, column, number, look, f"switches.{name}")
        return said

    def _says(self, now: Now) -> None:
        """The likeliest next token now, and with all parts on when the workbook was built."""
        page, label, names = self.page, self.page.words.label, self.page.names
        for column, name in enumerate((*SAID, "now share", "id"), start=FIRST):
            look = heading_over(SAID.get(name, "chance"))
            page.write(SAYS, column, label(f"column {name}"), look)
        for row, which in enumerate(("now", "built"), start=SAYS + 1):
            page.write(row, 2, label(f"switches {which}"), "text")
        first = {
            name: Range(names[f"candidates.{name}"].row(0)) for name in ("token", "before", "logit")
        }
        second = min(1, now.texts.area.shape[0] - 1)  # the rank of the next best token
        of_next = {
            "token": first["token"],
            "probability": first["before"],
            "ahead": first["logit"] - Range(names["candidates.logit"].row(second)),
        }
        for column, (name, tree) in enumerate(of_next.items(), start=FIRST):
            shown = when(now.prompt.n_tokens.equals(0), "", tree)
            page.compute_named(f"switches.now.{name}", SAYS + 1, column, shown, SAID[name])
        row, token = SAYS + 2, self._built()
        text = call("INDEX", now.texts, token + 1)
        page.compute_named("switches.built.token", row, FIRST, text, "token")
        same = call("EXACT", now.typed, now.was)
        share = call("INDEX", now.softmax, token + 1, now.prompt.n_tokens)
        shown = when(same, share, label("checks other"))
        page.compute_named("switches.built.now", row, FIRST + 3, shown, "chance")
