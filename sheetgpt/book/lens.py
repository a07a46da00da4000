"""The tab `logit lens`: what the model would say if it stopped after each block."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sheetgpt.book.book import Bars
from sheetgpt.book.looks import heading_over
from sheetgpt.book.page import FIRST, Page
from sheetgpt.book.prompt import Prompt
from sheetgpt.book.words import percent
from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import Call, Expr, Range, call, when
from sheetgpt.formula.row import for_token
from sheetgpt.steps import lens
from sheetgpt.steps.head import Head
from sheetgpt.steps.step import Weights, layer_norm

SWITCH, TABLE = 5, 9  # the row of the switch, and the row where the answers begin
ANSWERS = {"token": "token", "id": "integer", "probability": "share", "final": "share"}
HEADINGS = ("likeliest", "id", "how likely", "final")


@dataclass(frozen=True)
class LensInputs:
    """What the lens looks at and through.

    residuals: the last step of each block. texts: the vocabulary; entries: the same, to be shown
        once more. chosen: the id that was chosen in the end.
    """

    residuals: Sequence[Range]
    weights: Weights
    epsilon: Expr
    head: Head
    texts: Range
    entries: Sequence[str]
    chosen: Range


class LensPage:
    """A row for each block, and at the bottom a column for each, over the whole vocabulary.

    The unembedding is the largest matrix of a model, so it is read by one formula for all blocks
    together, and by none where the switch is off.
    """

    def __init__(self, page: Page, prompt: Prompt, seen: LensInputs) -> None:
        self.page, self.prompt, self.seen = page, prompt, seen
        self.blocks = len(seen.residuals)
        page.default = "number"
        page.widths |= {FIRST + 1: 11, FIRST + 2: 12}
        self.shown = self._switch()
        self.answers = self._headings()
        self._steps()
        self.logits = self._logits()
        for block in range(self.blocks):
            self._answer(block)
        self._summary()

    def says(self, block: int, otherwise: str) -> Expr:
        """A sentence of what a block would say; another where the lens is off."""
        token, probability = (
            Range(self.answers[name].row(block)) for name in ("token", "probability")
        )
        sentence = self.page.words.sentence(
            "block says", token=token, percent=percent(probability, 0)
        )
        return when(self.shown.equals(0), otherwise, sentence)

    def _when_shown(self, tree: Expr) -> Expr:
        return when(self.shown.equals(0), "", tree)

    def _switch(self) -> Range:
        """1 where there is something to compute: the switch is on, and there is a token."""
        page = self.page
        page.write(SWITCH, 1, 1, "control")
        page.write(SWITCH, 2, page.words.label("lens on"), "note")
        switch = page.define("lens.on", page.area(SWITCH, 1))
        page.allow(switch.area, "lens", "whole", 0, 1)
        page.write(SWITCH + 1, 2, page.words.label("lens shown"), "note")
        is_on = when(call("AND", switch.equals(1), self.prompt.n_tokens > 0), 1, 0)
        return page.compute_named("lens.shown", SWITCH + 1, 1, is_on, "integer")

    def _headings(self) -> dict[str, Area]:
        """The table of answers: the token and its id, how likely it is, and the chosen one."""
        page = self.page
        page.row = TABLE
        page.heading(page.words.step("lens.token"))
        page.write(page.row, 1, page.words.label("column block"), "heading center")
        for column, (heading, look) in enumerate(
            zip(HEADINGS, ANSWERS.values(), strict=True), start=2
        ):
            page.write(page.row, column, page.words.label(f"column {heading}"), heading_over(look))
        areas = {}
        for column, name in enumerate(ANSWERS, start=2):
            area = page.area(page.row + 1, column, self.blocks)
            areas[name] = page.define(f"lens.{name}", area).area
        page.count(page.row + 1, self.blocks)
        page.heat += [areas["probability"], areas["final"]]
        about, corner = page.words.label("lens chart"), page.area(page.row, FIRST + 4)
        labels = page.area(page.row + 1, 1, self.blocks)
        height = 0.53 * (self.blocks + 1)  # of the table beside it, whose rows have 15 points
        page.charts.append(Bars(labels, areas["final"], corner, about, 12, height))
        page.row += self.blocks + 3
        return areas

    def _steps(self) -> None:
        """The residuals, one row for each block, and the final layer norm of each."""
        residual = Range(self.seen.residuals[0].area, "h.b.mlp.residual")
        rows = [
            lens.of_token(Range(each.area), self.prompt.n_tokens) for each in self.seen.residuals
        ]
        x = self._place("lens.residual", lens.of_token(residual, self.prompt.n_tokens), rows)

        def step(name: str, *panels: Expr, only: Expr | None = None) -> Call:
            (panel,) = panels
            trees = [for_token(panel, block) for block in range(self.blocks)]
            return self._place(f"lens.{name}", panel, trees)

        layer_norm(step, "ln_f", x, self.seen.weights, self.seen.epsilon)

    def _place(self, name: str, panel: Expr, trees: Sequence[Expr]) -> Call:
        page = self.page
        page.heading(page.words.step(name), panel)
        first, width = page.row + 2, panel.shape[1]
        assert isinstance(width, int)
        page.fill(first - 1, FIRST, np.arange(width), "column index")
        page.count(first, self.blocks)
        area = page.define(name, page.area(first, FIRST, self.blocks, width))
        for block, (tree, residual) in enumerate(zip(trees, self.seen.residuals, strict=True)):
            page.write(first + block, 2, residual.area.tab, "link", residual.area.cell(0, 0))
            page.compute(area.area.row(block), self._when_shown(tree), "number")
        page.row_groups.append((first - 2, area.area.bottom))
        page.row = area.area.bottom + 2
        return Call("row", (area,))

    def _logits(self) -> Area:
        """The one formula that reads the unembedding."""
        page, rows = self.page, Range(self.page.names["lens.ln_f"], "lens.ln_f")
        tree = self.seen.head.logits(rows)
        page.heading(page.words.step("lens.logits"), tree)
        first, entries = page.row + 2, self.seen.head.matrix.area.shape[0]
        page.fill(first - 1, FIRST, np.arange(self.blocks), "column index")
        page.count(first, entries)
        page.list_texts(first, 2, self.seen.entries, "token")
        area = page.define("lens.logits", page.area(first, FIRST, entries, self.blocks)).area
        page.compute(area, self._when_shown(tree), "number")
        return area

    def _answer(self, block: int) -> None:
        logits = Range(self.logits.columns(block, block + 1))
        here = {name: Range(area.row(block)) for name, area in self.answers.items()}
        trees = {
            "id": lens.likeliest(logits),
            "token": call("INDEX", self.seen.texts, here["id"] + 1),
            "probability": lens.share(logits, here["id"]),
            "final": lens.share(logits, self.seen.chosen),
        }
        for name, tree in trees.items():
            self.page.compute(here[name].area, self._when_shown(tree), ANSWERS[name])

    def _summary(self) -> None:
        """From which block on the answer stays what it is in the end."""
        page, words = self.page, self.page.words
        ids = self.answers["id"]
        numbers = Range(page.area(ids.top, 1, self.blocks))
        stays = call("MAX", when(Range(ids).differs(self.seen.chosen), numbers + 1, 0))
        block = page.compute_named("lens.from", SWITCH + 2, 1, self._when_shown(stays), "integer")
        token = call("INDEX", self.seen.texts, self.seen.chosen + 1)
        sentence = when(
            block >= self.blocks,
            words.sentence("lens never", token=token),
            words.sentence("lens from", block=block, token=token),
        )
        page.compute_named("lens.sentence", SWITCH + 2, 2, self._when_shown(sentence), "live")
