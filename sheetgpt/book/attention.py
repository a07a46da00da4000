"""The tab `attention`: one token, all blocks, all heads, and the token each looks at most."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sheetgpt.book.page import FIRST, GRID_HEADING, Page
from sheetgpt.book.prompt import Prompt
from sheetgpt.book.rules import itself
from sheetgpt.book.words import percent
from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import Expr, Range, call, when
from sheetgpt.gpt2.config import Config
from sheetgpt.steps import attention as formulas

CHOSEN, TOP = 5, 9  # the row of the input, and the row where the three grids begin
GRIDS = {"token": "attention token", "weight": "attention", "place": "integer"}  # their looks
STRONG, MIDDLING = 0.75, 0.4  # shares from which on a token has a colour

Shown = Callable[[Expr], Expr]  # what a formula is wrapped in where there may be no token


@dataclass(frozen=True)
class Looking:
    """Where the grids stand, a row for each block and a column for each head; and the sentences."""

    grids: Mapping[str, Area]
    sentences: Range

    def sentence(self, block: int) -> Range:
        """What there is to say of a block: the cell of its sentence."""
        return Range(self.sentences.area.row(block))


def looking(page: Page, config: Config) -> Looking:
    """Reserved before the blocks, which show the sentences about them."""
    blocks, heads = config.n_layer, config.n_head
    grids, top = {}, TOP + GRID_HEADING
    for name in GRIDS:
        grid = page.define(f"attention.{name}", page.area(top, FIRST, blocks, heads)).area
        grids[name], top = grid, grid.bottom + 2 + GRID_HEADING
    beside = page.area(grids["token"].top, FIRST + heads + 1, blocks)
    return Looking(grids, page.define("attention.sentence", beside))


class AttentionPage:
    """weights: of each block the attention weights of all heads, side by side."""

    def __init__(
        self, page: Page, reserved: Looking, prompt: Prompt, weights: Sequence[Range]
    ) -> None:
        self.page, self.grids, self.sentences = page, reserved.grids, reserved.sentences
        self.blocks, self.heads = self.grids["token"].shape
        page.widths |= {FIRST + head: 13 for head in range(self.heads)}
        beside = FIRST + self.heads + 1
        page.widths |= {beside - 1: 3, beside: 13, beside + 1: 13}
        chosen = self._chosen(prompt.text.area.shape[0])
        for name, grid in self.grids.items():
            self._headings(name, grid)
        there = call("AND", chosen >= 1, chosen <= call("COUNT", prompt.id))
        number = page.define("attention.number", page.area(CHOSEN + 1, 1))
        its_number = when(there, call("INT", chosen), prompt.n_tokens)
        page.compute(number.area, its_number, "integer")
        text = call("INDEX", prompt.text, number)

        def shown(tree: Expr) -> Expr:
            return when(number.equals(0), "", tree)

        begins = page.words.sentence("attention from", number=number, token=text)
        page.compute_named("attention.from", CHOSEN + 1, 2, shown(begins), "live")
        self._summary(shown)
        for block, whole in enumerate(weights):
            self._links(block, whole.area)
            for head in range(self.heads):
                self._cell(block, head, whole, number, prompt, shown)
        self._remarkable(number, text, shown)
        self._colours()

    def _chosen(self, context: int) -> Range:
        """The number of the token to look at; 0 for the last of the prompt."""
        page = self.page
        page.write(CHOSEN, 1, 0, "control")
        page.write(CHOSEN, 2, page.words.label("attention chosen"), "note")
        chosen = page.define("attention.chosen", page.area(CHOSEN, 1))
        page.allow(chosen.area, "chosen", "whole", 0, context)
        page.cursor = chosen.area
        return chosen

    def _headings(self, name: str, grid: Area) -> None:
        page, words = self.page, self.page.words
        are_numbers = name == "place"  # there the numbers of the heads are needed as numbers
        heads = () if are_numbers else range(self.heads)
        labels = [words.label("head", number=head) for head in heads]
        page.grid_heading(words.step(f"attention.{name}"), grid, labels)
        if are_numbers:
            page.fill(page.row, FIRST, np.arange(self.heads), "index", "attention.heads")

    def _links(self, block: int, to: Area) -> None:
        """Every row leads to the attention weights of its block."""
        for grid in self.grids.values():
            self.page.write(grid.top + block, 1, block, "index")
            self.page.write(grid.top + block, 2, to.tab, "link", to.cell(0, 0))

    def _cell(
        self, block: int, head: int, whole: Range, number: Range, prompt: Prompt, shown: Shown
    ) -> None:
        context = prompt.text.shape[0]
        assert isinstance(context, int)
        weights = Range(whole.area.columns(head * context, (head + 1) * context))
        here = {name: Range(grid.cell(block, head)) for name, grid in self.grids.items()}
        trees = {
            "token": call("INDEX", prompt.text, here["place"]),
            "weight": formulas.strongest(weights, number),
            "place": formulas.place(weights, number, here["weight"], prompt.number),
        }
        for name, tree in trees.items():
            self.page.compute(here[name].area, shown(tree), GRIDS[name])

    def _remarkable(self, number: Range, text: Expr, shown: Shown) -> None:
        """Of each block the head to look at, in a sentence."""
        page, words = self.page, self.page.words
        top, left = self.grids["place"].top, self.sentences.area.left
        heads = Range(page.names["attention.heads"], "attention.heads")
        for column, name in enumerate(("strength", "head"), start=left):
            page.write(top - 1, column, words.label(f"column {name}"), "heading center")
            page.define(f"attention.{name}", page.area(top, column, self.blocks))
        for block in range(self.blocks):
            weights, places, tokens = (
                Range(self.grids[name].row(block)) for name in ("weight", "place", "token")
            )
            strength, head = (Range(page.area(top + block, left + i)) for i in (0, 1))
            largest = formulas.most_remarkable(weights, places, number)
            page.compute(strength.area, shown(largest), "attention")
            found = formulas.head_of(weights, places, number, strength, heads)
            page.compute(head.area, shown(when(strength.equals(0), "", found)), "integer")
            its_number = Range(page.area(self.grids["token"].top + block, 1))
            parts: Mapping[str, Expr] = {"block": its_number, "token": text}
            sees = words.sentence(
                "attention sees",
                head=head,
                percent=percent(strength, 0),
                other=call("INDEX", tokens, head + 1),
                **parts,
            )
            rests = words.sentence("attention rests", **parts)
            sentence = when(strength.equals(0), rests, sees)
            page.compute(self.sentences.area.row(block), shown(sentence), "text")

    def _summary(self, shown: Shown) -> None:
        """The sentence of the block whose head is the most remarkable of all."""
        top, left = self.grids["place"].top, self.sentences.area.left
        strengths = Range(self.page.area(top, left, self.blocks))
        best = call("MATCH", call("MAX", strengths), strengths, 0)
        sentence = call("INDEX", Range(self.sentences.area), best)
        self.page.compute_named("attention.strongest", CHOSEN + 2, 2, shown(sentence), "live")

    def _colours(self) -> None:
        """The weights as a heat map, and the tokens in the colours of their weights."""
        tokens, weights = self.grids["token"], self.grids["weight"]
        self.page.heat.append(weights)
        weight = itself(weights)
        for look, least in (("strong", STRONG), ("middling", MIDDLING)):
            self.page.rule(tokens, call("AND", call("ISNUMBER", weight), weight >= least), look)
        place = self.grids["place"]
        self.page.row_groups.append((place.top - 1, place.bottom))
