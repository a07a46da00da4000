"""The tab `predicted token`: how each new token is chosen, and what else might have been."""

from dataclasses import dataclass, replace

import numpy as np

from sheetgpt.book.looks import heading_over
from sheetgpt.book.page import Page
from sheetgpt.book.prompt import Prompt
from sheetgpt.book.records import CANDIDATES, CONTROLS, LIKELIEST
from sheetgpt.book.rules import beside, is_blank
from sheetgpt.formula.cells import BEGINS, Area
from sheetgpt.formula.expr import Expr, Range, call, join, when
from sheetgpt.steps.head import ranked_id
from sheetgpt.steps.sample import (
    REPLACEMENT,
    Controls,
    Vocabulary,
    choices,
    columns,
    is_chosen,
    understood,
    weights,
)
from sheetgpt.steps.tokenize import Row, Table

LOOKS = {
    "id": "integer", "token": "token", "text": "text", "probability": "probability",
    "before": "share", "after": "share", "from": "number", "to": "number",
    "uniform": "number", "largest": "number", "cut_k": "number", "weight_k": "number",
    "cut": "number", "weight": "number", "logit": "number", "taken": "mark",
}  # fmt: skip
CANDIDATES_TOP = 14  # the row of the first candidate


@dataclass(frozen=True)
class Predicted:
    """What `start` shows: the next token, the likeliest ones, and all that was written."""

    token: Range
    tokens: Range
    probabilities: Range
    completion: Range


@dataclass(frozen=True)
class Choosing:
    """Where each new token is chosen, which the tokens' own rows read: a row for each token.

    controls: those of `start` as the formulas take them, whatever was typed there.
    """

    table: Table
    controls: Controls
    n_shown: int  # new tokens whose candidates are listed
    n_ranks: int

    @property
    def id(self) -> Range:
        """The id chosen after each token, blank where none is."""
        return self.table["id"]

    @property
    def beside(self) -> Area:
        """A cell with room below it, under the controls."""
        last = self.controls.seed.area
        return replace(last, top=last.top + 2, bottom=last.bottom + 2)


def choosing(page: Page, context: int, n_vocab: int) -> Choosing:
    """Reserved before the model's rows, which need to know where the chosen ids will stand."""
    n_shown, n_ranks = min(LIKELIEST, context), min(LIKELIEST, n_vocab)
    top = CANDIDATES_TOP + n_shown * n_ranks + 4
    table = page.table("choice", columns(n_vocab), top, 3, context)
    cells = {
        name: page.define(f"control.{name}", page.area(row, len(CANDIDATES) + 2))
        for row, name in enumerate(CONTROLS, start=CANDIDATES_TOP)
    }
    return Choosing(table, Controls(**cells), n_shown, n_ranks)


class PredictedPage:
    """The new token, the candidates of each new token, and how each was chosen."""

    def __init__(
        self,
        page: Page,
        reserved: Choosing,
        typed: Controls,
        prompt: Prompt,
        vocabulary: Vocabulary,
        softmax: Range,
    ) -> None:
        self.page, self.table, self.controls = page, reserved.table, reserved.controls
        self.n_shown, self.n_ranks = reserved.n_shown, reserved.n_ranks
        page.widths = {1: 7, 2: 26, 3: 22, 4: 12, 5: 12, 6: 12, 7: 12, 8: 12, 9: 12, 10: 9}
        self._controls(typed)
        self._headlines(prompt.n_tokens, vocabulary, softmax)
        self._candidates(prompt.n_tokens, vocabulary, softmax)
        self._choices(prompt, vocabulary)
        self.shown = Predicted(
            Range(page.names["predicted.token"]),
            self._first_ranks("token"),
            self._first_ranks("before"),
            Range(page.names["completion"]),
        )

    def _controls(self, typed: Controls) -> None:
        page = self.page
        for name, tree in understood(typed).items():
            cell = getattr(self.controls, name).area
            page.compute(cell, tree, "formula plain")
            page.write(cell.top, cell.left + 1, page.words.label(f"column {name}"), "note")
        page.write(CANDIDATES_TOP - 1, cell.left, page.words.label("understood"), "heading")

    def _headlines(self, n_tokens: Range, vocabulary: Vocabulary, softmax: Range) -> None:
        page = self.page
        page.row = 5
        last = n_tokens + call("COUNT", self.table["id"]) - 1
        misses = call("INDEX", self.table["need"], last) > 0
        whole = join(call("INDEX", self.table["text"], last), when(misses, REPLACEMENT, ""))
        first = call("INDEX", self.table["id"], n_tokens)
        chosen = self._headline("predicted.id", when(n_tokens.equals(0), "", first), "integer left")
        for name, tree, look in (
            ("predicted.token", call("INDEX", vocabulary.text, chosen + 1), "live"),
            ("predicted.probability", call("INDEX", softmax, chosen + 1, n_tokens), "probability"),
            ("completion", whole, "text"),
        ):
            self._headline(name, when(n_tokens.equals(0), "", tree), look)

    def _headline(self, name: str, tree: Expr, look: str) -> Range:
        page, words = self.page, self.page.words.step(name)
        page.write(page.row, 2, words.title, "step title")
        page.write(page.row, 5, words.why, "why")
        page.heights[page.row] = 20
        area = page.define(name, page.area(page.row, 3))
        page.compute(area.area, tree, look)
        page.row += 1
        return area

    def _first_ranks(self, column: str) -> Range:
        """The candidates of the first new token."""
        return Range(self.page.names[f"candidates.{column}"].rows(0, self.n_ranks))

    def _candidates(self, n_tokens: Range, vocabulary: Vocabulary, softmax: Range) -> None:
        """The likeliest of each new token, with what the two cuts leave of their probability.

        Laid out in the order of their ids the probabilities fill the line from 0 to 1; the token
        is taken whose stretch, from `from` to `to`, the random number falls on.
        """
        page, top, length = self.page, CANDIDATES_TOP, self.n_shown * self.n_ranks
        page.row = top - 3
        page.heading(page.words.step("predicted.candidates"))
        areas = {}
        for column, heading in enumerate(CANDIDATES, start=1):
            look = heading_over(LOOKS.get(heading, "index"))
            page.write(top - 1, column, page.words.label(f"column {heading}"), look)
            areas[heading] = page.area(top, column, length)
            if heading not in ("draw", "rank"):
                page.define(f"candidates.{heading}", areas[heading])
        draws, ranks = (np.arange(each) + 1 for each in (self.n_shown, self.n_ranks))
        page.fill(top, 1, np.repeat(draws, self.n_ranks)[:, None], "index")
        page.fill(top, 3, np.tile(ranks, self.n_shown)[:, None], "index")
        for column in (1, 3):
            area = page.area(top, column, length)
            page.rule(area, is_blank(beside(area, 2)), "no token")
        table = Table(areas)
        for index in range(length):
            cells = table.row(index)
            formulas = self._candidate(cells, index, n_tokens, vocabulary, softmax)
            is_hidden = cells["draw"] > call("COUNT", self.table["id"])
            for name, tree in formulas.items():
                page.compute(cells[name].area, when(is_hidden, "", tree), LOOKS[name])

    def _candidate(
        self,
        here: Row,
        index: int,
        n_tokens: Range,
        vocabulary: Vocabulary,
        softmax: Range,
    ) -> dict[str, Expr]:
        controls = self.controls
        position = n_tokens + here["draw"] - 1
        logits = call("INDEX", vocabulary.logits, 0, position)
        is_greedy = controls.temperature <= 0

        def chosen(column: str) -> Expr:
            return call("INDEX", self.table[column], position)

        def above(column: str) -> Range:
            """The column from its heading down to the row before this one."""
            area = here[column].area
            area = replace(area, top=area.top - index - 1, bottom=area.bottom - 1)
            return Range(area, fixed=BEGINS)

        equals = when(above("draw").equals(here["draw"]), above("logit").equals(here["logit"]), 0)
        taken = here["id"].equals(chosen("id"))
        weight = call("EXP", (here["logit"] - chosen("largest")) / controls.temperature)
        kept = weights(logits, chosen("largest"), controls.temperature, chosen("cut"))
        before = call("SUM", when(vocabulary.ids < here["id"], kept, 0))
        return {
            "logit": call("LARGE", logits, here["rank"]),
            "id": ranked_id(logits, vocabulary.ids, here["logit"], equals),
            "token": call("INDEX", vocabulary.text, here["id"] + 1),
            "before": call("INDEX", softmax, here["id"] + 1, position),
            "after": when(
                is_greedy,
                when(taken, 1, 0),
                when(here["logit"] >= chosen("cut"), weight / chosen("weight"), 0),
            ),
            "from": when(
                here["after"].equals(0), "", when(is_greedy, 0, before / chosen("weight"))
            ),
            "to": when(here["after"].equals(0), "", here["from"] + here["after"]),
            "taken": when(taken, "◀", ""),
        }

    def _choices(self, prompt: Prompt, vocabulary: Vocabulary) -> None:
        """How each new token was chosen, in the row of the token that it follows."""
        page, table, controls = self.page, self.table, self.controls
        page.row = table["id"].area.top - 4
        page.heading(page.words.step("predicted.choice"))
        page.define("choice.after", page.area(table.row(0)["id"].area.top, 2, table.length))
        numbers = page.area(table.row(0)["id"].area.top, 1, table.length)
        page.rule(numbers, is_blank(beside(numbers, 2)), "no token")
        formulas = choices(table, prompt.number, prompt.n_tokens, controls, vocabulary)
        for index in range(table.length):
            cells = table.row(index)
            row = cells["id"].area.top
            number, its_id = Range(page.area(row, 1)), Range(prompt.id.area.row(index))
            page.write(row, 1, index + 1, "index")
            page.compute(page.area(row, 2), Range(prompt.text.area.row(index)), "token")
            chosen = is_chosen(number, prompt.n_tokens, controls)
            for column, tree in formulas(index).items():
                shown = when(its_id.equals(""), "", when(chosen, tree, ""))
                page.compute(cells[column].area, shown, LOOKS.get(column, "integer"))
