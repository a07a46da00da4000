"""The tab `switches`: for every head and every MLP a cell by which what it writes is multiplied."""

import numpy as np
from numpy.typing import NDArray

from sheetgpt.book.book import Diverging
from sheetgpt.book.looks import heading_over
from sheetgpt.book.page import FIRST, Page
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


class SwitchesPage:
    """Begun before the blocks, which read the switches, and finished after them.

    built: what the witness says of the built prompt; None where nobody will ask. effects: whether
        it was asked what happens without each part.
    """

    def __init__(
        self, page: Page, config: Config, built: Effects | None, *, effects: bool, manual: bool
    ) -> None:
        self.page, self.blocks, self.heads = page, config.n_layer, config.n_head
        self.second = min(1, config.n_vocab - 1)  # the rank of the next best token
        self.built = built or Effects(0, 0.0, 0.0, np.zeros((self.blocks, self.heads + 1)))
        page.widths |= {FIRST + column: WIDTH for column in range(self.heads + 1)}
        page.row = GRIDS
        self.typed = self._grid("switch.heads")
        self._type(self.typed)
        whole = self._split("switch", self.typed)
        page.allow(whole, "switch", "decimal", formulas.LEAST, formulas.MOST)
        switch = itself(whole)
        is_one = call("AND", call("ISNUMBER", switch), switch.equals(1))
        page.rule(whole, call("NOT", is_one), "differs")
        page.cursor = whole.cell(0, 0)
        self.links = [whole]
        if effects and self.built.of_parts is not None:
            self._effects(self.built.of_parts)
        else:
            page.write(page.row, 2, page.words.label("effects off"), "why")
            page.row += 2
        self.read = self._grid("switches.heads")
        self.links.append(self.read)
        page.row_groups.append((self.read.top - 1, self.read.bottom))
        for place in np.ndindex(self.read.shape):
            tree = formulas.understood(Range(self.typed.cell(*place)))
            page.compute(self.read.cell(*place), tree, "formula plain")
        self._split("switches", self.read)
        self.changed = self._sentence(manual=manual)

    def of_block(self, block: int) -> Switches:
        heads = self.read.row(block).columns(0, self.heads)
        mlp = self.read.cell(block, self.heads)
        return Switches(Range(heads, "switches.heads", OWN), Range(mlp, "switches.mlp", OWN))

    def mark(self) -> Expr:
        """A number that tells how the switches stand from any other way that one would try."""
        page, (rows, columns) = self.page, self.typed.shape
        factors = factors_of_places(rows * columns).reshape(rows, columns)
        top = self.read.bottom + 2
        page.row_groups.append((top, top + rows - 1))
        return call("SUMPRODUCT", Range(self.typed), page.fill(top, FIRST, factors, "factor"))

    def finish(
        self, prompt: Prompt, typed: Range, texts: Range, softmax: Range, to: list[Area]
    ) -> None:
        """The next token now and as built, and where the links of each row lead.

        typed: the prompt's cell. texts: the vocabulary's.
        """
        for grid in self.links:
            for block, area in enumerate(to):
                self.page.write(grid.top + block, 2, area.tab, "link", area.cell(0, 0))
        self._says(prompt, typed, texts, softmax)

    def _grid(self, name: str) -> Area:
        """A row for each block, a column for each head, and the last for the MLP."""
        page, label = self.page, self.page.words.label
        page.heading(page.words.step(name))
        for head in range(self.heads):
            page.write(page.row, FIRST + head, label("head", number=head), "token heading")
        page.write(page.row, FIRST + self.heads, label("mlp"), "token heading")
        area = page.area(page.row + 1, FIRST, self.blocks, self.heads + 1)
        page.count(area.top, self.blocks)
        page.row = area.bottom + 2
        return area

    def _type(self, area: Area) -> None:
        ones = np.ones((self.blocks, self.heads + 1))
        self.page.fill(area.top, area.left, ones[:, :-1], "control")
        self.page.fill(area.top, area.left + self.heads, ones[:, -1:], "control")

    def _split(self, kind: str, area: Area) -> Area:
        """Names for the heads' part of a grid and the MLPs'; returns the grid."""
        self.page.define(f"{kind}.heads", area.columns(0, self.heads))
        self.page.define(f"{kind}.mlp", area.columns(self.heads, self.heads + 1))
        return area

    def _effects(self, of_parts: NDArray[np.float64]) -> None:
        page, area = self.page, self._grid("switches.effect")
        page.fill(area.top, area.left, np.round(of_parts, DIGITS), "vote", "switches.effect")
        page.diverging.append(Diverging(area, float(np.abs(of_parts).max()) or 1.0))
        lead = fixed(Range(page.area(SAYS + 2, FIRST + 2)))
        page.rule(area, lead + itself(area) < 0, "turned")
        self.links.append(area)

    def _sentence(self, *, manual: bool) -> Range:
        """How many switches are not 1, in a number and in words, and the way back."""
        page, words = self.page, self.page.words
        changed = page.compute_named(
            "switches.changed", SENTENCE, 1, formulas.changed(Range(self.read)), "integer"
        )
        some = words.sentence("switches changed", count=changed)
        sentence = when(changed > 0, some, words.label("switches all on"))
        page.compute_named("switches.sentence", SENTENCE, 2, sentence, "live")
        page.write(SENTENCE + 1, 2, words.label("switches back"), "why")
        if manual:
            page.write(SENTENCE + 2, 2, words.label("calculation manual"), "notice")
        return changed

    def _says(self, prompt: Prompt, typed: Range, texts: Range, softmax: Range) -> None:
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
        now = {
            "token": first["token"],
            "probability": first["before"],
            "ahead": first["logit"] - Range(names["candidates.logit"].row(self.second)),
        }
        for column, (name, tree) in enumerate(now.items(), start=FIRST):
            shown = when(prompt.n_tokens.equals(0), "", tree)
            page.compute_named(f"switches.now.{name}", SAYS + 1, column, shown, SAID[name])
        built, row = self.built, SAYS + 2
        for column, name, value in (
            (FIRST + 1, "probability", built.probability),
            (FIRST + 2, "ahead", built.lead),
            (FIRST + 4, "token", built.token),
        ):
            number = np.array([[round(value, DIGITS)]])
            look = "chip id" if name == "token" else SAID[name]
            token = page.fill(row, column, number, look, f"switches.{name}")
        text = call("INDEX", texts, token + 1)
        page.compute_named("switches.built.token", row, FIRST, text, "token")
        same = call("EXACT", typed, Range(names["checks.prompt"]))
        share = call("INDEX", softmax, token + 1, prompt.n_tokens)
        shown = when(same, share, label("checks other"))
        page.compute_named("switches.built.now", row, FIRST + 3, shown, "chance")
