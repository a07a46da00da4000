"""The tab `microscope`: one number of the model, term by term, and the cell that it equals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sheetgpt.book.microscope_charts import activation_curve, running_sum
from sheetgpt.book.microscope_inputs import TOP, Windows, inputs, limits, message, place
from sheetgpt.book.microscope_lines import View, lines
from sheetgpt.book.microscope_terms import FIRST, LEFT, Chosen, Terms, Workings, terms_table
from sheetgpt.book.page import Page
from sheetgpt.book.prompt import Prompt
from sheetgpt.book.records import (
    BEND,
    CHOSEN,
    LINES,
    MICROSCOPE_INPUTS,
    NORM,
    PRODUCT,
    SOFTMAX,
    UNDER_MICROSCOPE,
    longest_product,
)
from sheetgpt.book.rules import beside
from sheetgpt.book.under_microscope import At, Parts, seen_steps
from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import Expr, Like, Range, Text, call, fixed, join, when
from sheetgpt.gpt2.config import Config
from sheetgpt.steps.block import Attention
from sheetgpt.steps.head import Head
from sheetgpt.steps.mathematics import sqrt

MESSAGE, ARITHMETIC, TERMS = 10, 13, 24  # the rows where the parts begin
LIST, WHERE, CELLS, WORKINGS = 8, 11, 15, 19  # the columns of the list, and of what folds away
WIDTHS = (16, 18, 12, 12, 12, 13, 12, 6, 14, 34, 11, 8, 8, 8, 11, 11, 11, 3)
HEADINGS = (
    "number", "step", "title", "tab", "row", "cell column", "terms", "value", "gain", "bias",
)  # fmt: skip
OWN = ("value", "gain", "bias")  # the cells of the list that belong to the chosen step


@dataclass(frozen=True)
class Looked:
    """What the microscope looks at; how: the way the tokens of each block attend."""

    config: Config
    names: Mapping[str, Area]
    weights: Mapping[str, Range]
    head: Head
    how: Sequence[Attention]
    epsilon: Expr


class MicroscopePage:
    """The terms at the left, the list of steps at the right; behind it, folded away, of each step
    the columns that its terms come from, blank unless it is the one that was chosen.

    charts: whether there are any; LibreOffice calculates what they show while it loads a file.
    """

    def __init__(self, page: Page, prompt: Prompt, looked: Looked, *, charts: bool) -> None:
        self.page, self.prompt, self.looked, self.config = page, prompt, looked, looked.config
        self.context = prompt.id.area.shape[0]
        self.windows = Windows([how.window for how in looked.how])
        self.workings = Workings(page, WORKINGS)
        page.frozen = (3, 0)
        page.widths = dict(enumerate(WIDTHS, start=1))
        listed = page.area(FIRST, LIST + 1, len(UNDER_MICROSCOPE))
        self.typed = inputs(page, prompt, self.config, listed)
        self.at = At(*(self.typed[name] for name in ("block", "token", "head", "column")))
        self.steps = seen_steps(
            self.config, self.context, looked.names, looked.weights, looked.head, self.at
        )
        self.allowed = self._allowed()
        self.chosen = self._chosen()
        self._list()
        page.row = TERMS
        length = longest_product(self.config, self.context)
        self.terms: Terms = terms_table(
            page, self.workings, self.chosen, self.steps, prompt.text, length
        )
        line = self._arithmetic()
        self._cell(line[-1])
        self._sentences()
        if charts:
            corners = (page.area(TOP - 1, LIST), page.area(TOP - 1, WHERE))
            activation, ends = self.config.activation_function, (line[0], line[-1])
            running_sum(page, self.workings, self.chosen, self.terms, corners[0])
            activation_curve(page, self.workings, self.chosen, activation, ends, corners[1])
        self.workings.fold()

    # --- what was chosen ------------------------------------------------------------------------

    def _of_step(self, attribute: str) -> Expr:
        """A number that each step has, of the one that was chosen."""
        return self.chosen.of_step([int(getattr(step, attribute)) for step in self.steps])

    def _allowed(self) -> Sequence[Range]:
        """Whether the step stands in a block, and its least and its last column."""
        cells = self.workings.reserve(3, self.page.words.label("microscope limits"))
        self.page.define("microscope.limits", cells)
        trees = limits(self.steps, self.typed)
        return [
            self.page.compute(cells.row(index), tree, "integer") for index, tree in enumerate(trees)
        ]

    def _chosen(self) -> Chosen:
        """The message, and what follows where there is none."""
        page, label = self.page, self.page.words.label
        area = self.workings.reserve(len(MICROSCOPE_INPUTS), label("microscope inputs"))
        called = {name: Range(area.row(row)) for row, name in enumerate(MICROSCOPE_INPUTS)}
        for name, cell in called.items():
            text = label(f"column microscope {name}")
            page.write(cell.area.top, cell.area.left, text, "text")
        its = message(
            page, self.prompt, self.config, self.typed, self.allowed, called, self.windows,
            self.looked.names["logits"],
        )  # fmt: skip
        said = page.compute_named("microscope.message", MESSAGE, 1, its, "message")
        cells = self.workings.reserve(len(CHOSEN), label("microscope chosen"))
        page.define("microscope.chosen", cells)
        self.chosen = Chosen(*(fixed(Range(cells.row(index))) for index in range(len(CHOSEN))))
        shown, terms = self.chosen.shown, self._of_step("terms")
        is_heads = self.chosen.number.equals(place("attn.heads"))
        of_column = call("INT", self.at.column / (self.config.n_embd // self.config.n_head))
        trees = (
            when(call("LEN", said).equals(0), self.typed["step"], 0),
            shown(self._of_step("kind"), 0),
            shown(self._first(), 0),
            shown(when(terms < 0, self.at.token, terms), 0),
            shown(when(is_heads, of_column, self.at.head), 0),
        )
        for index, tree in enumerate(trees):
            page.compute(cells.row(index), tree, "integer")
        return self.chosen

    def _first(self) -> Like:
        """The first term: 1, but where terms are tokens, the first that a window shows."""
        if not self.windows:
            return 1
        window = self.windows.at(self.at.block)
        behind = call("MAX", 1, self.at.token - window + 1)
        is_windowed = call("AND", self._of_step("terms") < 0, window > 0)
        in_block = self.allowed[0] > 0
        return when(in_block, when(is_windowed, behind, 1), 1)

    def _list(self) -> None:
        """All steps: their names, where they lie, and the cells that belong to the chosen one."""
        page, words = self.page, self.page.words
        page.write(TERMS, LIST, words.label("microscope steps"), "step title")
        for column, heading in enumerate(HEADINGS, start=LIST):
            look = "heading" if heading in ("step", "title", "tab") else "heading center"
            page.write(FIRST - 1, column, words.label(f"column {heading}"), look)
        page.fill(FIRST, LIST, np.arange(1, len(self.steps) + 1)[:, None], "index")
        for column, name in enumerate(OWN, start=CELLS):
            page.define(f"microscope.step.{name}", page.area(FIRST, column, len(self.steps)))
        for row, step in enumerate(self.steps, start=FIRST):
            key = f"h.b.{step.name}" if step.is_in_block else step.name
            tab = step.area.tab.removesuffix(" 0") if step.is_in_block else step.area.tab
            of_tokens = step.terms < 0
            terms = words.label("microscope all seen") if of_tokens else step.terms or "–"
            texts = (step.name, words.step(key).title, tab)
            places = (step.area.top, step.area.left, terms)
            for column, value in enumerate((*texts, *places), start=LIST + 1):
                page.write(row, column, value, "text" if value in texts else "index")
            is_chosen = self.chosen.number.equals(row - FIRST + 1)
            for column, tree in enumerate((step.value, step.gain, step.bias), start=CELLS):
                its = Text("") if tree is None else when(is_chosen, tree, "")
                page.compute(page.area(row, column), its, "formula")
        whole = page.area(FIRST, LIST, len(self.steps), CELLS + len(OWN) - LIST)
        is_chosen = beside(whole, LIST).equals(fixed(self.chosen.number))
        page.rule(whole, is_chosen, "middling")

    def _its(self, cell: str) -> Expr:
        """A cell of the list, of the chosen step."""
        return call("INDEX", Range(self.page.names[f"microscope.step.{cell}"]), self.chosen.number)

    # --- from the terms to the cell -------------------------------------------------------------

    def _arithmetic(self) -> Sequence[Range]:
        """The lines that lead from the terms to the result; returns their values."""
        page, looked = self.page, self.looked
        page.row = ARITHMETIC
        page.heading(page.words.step("microscope.line"))
        labels, values, how = (
            page.define(f"microscope.{name}", page.area(page.row, column, LINES)).area
            for column, name in ((1, "label"), (LEFT, "line"), (LEFT + 1, "arithmetic"))
        )
        cells = [Range(values.row(index)) for index in range(LINES)]
        parts = Parts(self.config, looked.names, looked.weights, self.at)
        view = View(
            at=self.at,
            left=self.terms.left,
            right=self.terms.right,
            product=self.terms.product,
            first=self.chosen.first,
            terms=self.chosen.terms,
            gain=self._its("gain"),
            bias=self._its("bias"),
            divisor=self._divisor(),
            is_divided=self.chosen.number.equals(place("attn.scores")),
            entering=parts.cell("mlp.c_fc", self.at.column + 1),
            logits=Range(looked.names["logits"], "logits"),
            is_tall=self._of_step("is_tall") > 0,
            epsilon=looked.epsilon,
            activation=self.config.activation_function,
            cells=cells,
        )
        of_kinds = lines(view, page.words)
        for index in range(LINES):
            of_line = [of_kinds[kind][index] for kind in (PRODUCT, NORM, SOFTMAX, BEND)]
            is_last = index == LINES - 1
            for column, choices, look in (
                (labels, [line.label for line in of_line], "live" if is_last else "text"),
                (values, [line.value for line in of_line], "fine" if is_last else "formula"),
                (how, [line.arithmetic for line in of_line], "text"),
            ):
                tree = self.chosen.shown(call("CHOOSE", self.chosen.kind, *choices))
                page.compute(column.row(index), tree, look)
        return cells

    def _divisor(self) -> Like:
        """What scores are divided by, in the chosen block."""
        how = self.looked.how
        root: Like = sqrt(self.config.n_embd // self.config.n_head) if how[0].scaled else 1
        if max(each.divisor for each in how) == 1:
            return root
        return root * call("CHOOSE", self.at.block + 1, *(each.divisor for each in how))

    def _cell(self, result: Range) -> None:
        """Where the number stands in the workbook, with a link, and whether it is the same."""
        page, label, shown = self.page, self.page.words.label, self.chosen.shown
        row, column = ARITHMETIC + 2 + LINES, self.at.column
        tab, top, left = (
            call("INDEX", Range(page.area(FIRST, each, len(self.steps))), self.chosen.number)
            for each in range(WHERE, WHERE + 3)
        )
        in_block, is_of_tokens, _ = (each > 0 for each in self.allowed)
        is_tall, token = self._of_step("is_tall") > 0, self.at.token - 1
        along = when(is_of_tokens, self.at.head * self.context + column - 1, column)
        down, across = when(is_tall, column, token), when(is_tall, token, along)
        block = when(in_block, join(" ", self.at.block), "")
        address = join("'", tab, block, "'!", call("ADDRESS", top + down, left + across, 4))
        cell = page.define("microscope.cell", self.workings.reserve(1, label("microscope cell")))
        page.compute(cell.area, shown(address), "text")
        page.write(row, 1, label("microscope cell"), "text")
        link = shown(call("HYPERLINK", join("#", cell), cell))
        page.compute_named("microscope.link", row, 2, link, "link")
        value = shown(self._its("value"))
        its = page.compute_named("microscope.equals", row, LEFT, value, "fine")
        page.write(row + 1, 1, label("column difference"), "text")
        apart = shown(call("ABS", result - its))
        page.compute_named("microscope.difference", row + 1, LEFT, apart, "tiny center")

    def _sentences(self) -> None:
        """What a column is in this step, and what is looked at, in words."""
        page, words, step = self.page, self.page.words, self.typed["step"]
        _, least, last = self.allowed
        of_step = when(
            least > 0,
            words.sentence("microscope seen", most=last),
            when(
                step >= place("logits"),
                words.sentence("microscope entry", most=last),
                words.sentence("microscope columns", most=last),
            ),
        )
        sees = when(step.equals(0), words.label("column microscope column"), of_step)
        page.compute_named("microscope.sees", TOP + len(self.typed) - 1, 2, sees, "note")
        name, title = (
            call("INDEX", Range(page.area(FIRST, LIST + each, len(self.steps))), self.chosen.number)
            for each in (1, 2)
        )
        text = call("INDEX", self.prompt.text, self.at.token)
        parts = {"step": name, "title": title, "number": self.at.token, "token": text}
        sentence = words.sentence("microscope sentence", **parts)
        shown = self.chosen.shown(sentence)
        page.compute_named("microscope.sentence", MESSAGE + 1, 1, shown, "live")
