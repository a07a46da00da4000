"""The tab `microscope`: one number of the model, term by term, and the cell that it equals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sheetgpt.book.book import Curve, Plot
from sheetgpt.book.microscope_inputs import TOP, Windows, inputs, limits, message, place
from sheetgpt.book.microscope_lines import View, lines
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
from sheetgpt.book.rules import beside, is_blank
from sheetgpt.book.under_microscope import At, Parts, seen_steps
from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import Expr, Like, Range, Text, call, fixed, join, when
from sheetgpt.gpt2.config import Config
from sheetgpt.steps import microscope as formulas
from sheetgpt.steps.block import ACTIVATIONS, Attention
from sheetgpt.steps.head import Head
from sheetgpt.steps.mathematics import mean, sqrt

MESSAGE, ARITHMETIC, TERMS = 10, 13, 24  # the rows where the parts begin
FIRST = TERMS + 3  # the row of the first term
NUMBER, TOKEN, LEFT, RIGHT, MADE, SUM = range(1, 7)  # the columns of the terms
LIST, WHERE, CELLS, WORKINGS = 8, 11, 15, 19  # of the list of steps, and of what folds away
WIDTHS = (16, 18, 12, 12, 12, 13, 12, 6, 14, 34, 11, 8, 8, 8, 11, 11, 11, 3)
HEADINGS = (
    "number",
    "step",
    "title",
    "tab",
    "row",
    "cell column",
    "terms",
    "value",
    "gain",
    "bias",
)
CURVE, POINTS = 5.0, 41  # how far the activation's curve goes to both sides, and its points


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
        self.length = longest_product(self.config, self.context)
        self.working = WORKINGS  # the next free column of what folds away
        self.windows = Windows([how.window for how in looked.how])
        page.frozen = (3, 0)
        page.widths = dict(enumerate(WIDTHS, start=1))
        listed = page.area(FIRST, LIST + 1, len(UNDER_MICROSCOPE))
        self.typed = inputs(page, prompt, self.config, listed)
        self.at = At(*(self.typed[name] for name in ("block", "token", "head", "column")))
        self.steps = seen_steps(
            self.config, self.context, looked.names, looked.weights, looked.head, self.at
        )
        self.number, self.kind, self.first, self.terms, self.head = self._chosen()
        self._list()
        self.left, self.right, self.product, self.sum = self._terms()
        self.line = self._arithmetic()
        self._cell()
        self._sentences()
        if charts:
            self._running_sum()
            self._activation()
        page.column_groups.append((WORKINGS, self.working - 1))

    # --- what was chosen ------------------------------------------------------------------------

    def _of_step(self, attribute: str) -> Expr:
        """A number that each step has, of the one that was chosen."""
        return call("CHOOSE", self.number, *(int(getattr(e, attribute)) for e in self.steps))

    def _shown(self, tree: Like, otherwise: Like = "") -> Expr:
        """A formula that is blank where nothing, or nothing sensible, was chosen."""
        return when(self.number.equals(0), otherwise, tree)

    def _chosen(self) -> Sequence[Range]:
        """The message, and what follows where there is none."""
        page, heading = self.page, self.page.words.label("microscope chosen")
        allowed = page.define("microscope.limits", page.area(FIRST + len(CHOSEN), self.working, 3))
        self.allowed = [Range(allowed.area.row(index)) for index in range(3)]
        for cell, tree in zip(self.allowed, limits(self.steps, self.typed), strict=True):
            page.compute(cell.area, tree, "integer")
        called = {}
        for row, name in enumerate(MICROSCOPE_INPUTS, start=allowed.area.bottom + 1):
            page.write(row, self.working, page.words.label(f"column microscope {name}"), "text")
            called[name] = Range(page.area(row, self.working))
        its = message(
            page, self.prompt, self.config, self.typed, self.allowed, called, self.windows,
            self.looked.names["logits"],
        )  # fmt: skip
        said = page.compute_named("microscope.message", MESSAGE, 1, its, "message")
        page.write(FIRST - 1, self.working, heading, "heading")
        area = page.define("microscope.chosen", page.area(FIRST, self.working, len(CHOSEN)))
        self.working += 2
        cells = [Range(area.area.row(index)) for index in range(len(CHOSEN))]
        self.number = cells[0]
        d_head, terms = self.config.n_embd // self.config.n_head, self._of_step("terms")
        is_heads = self.number.equals(place("attn.heads"))
        of_column = call("INT", self.at.column / d_head)
        for cell, tree in zip(
            cells,
            (
                when(call("LEN", said).equals(0), self.typed["step"], 0),
                self._shown(self._of_step("kind"), 0),
                self._first(),
                self._shown(when(terms < 0, self.at.token, terms), 0),
                self._shown(when(is_heads, of_column, self.at.head), 0),
            ),
            strict=True,
        ):
            page.compute(cell.area, tree, "integer")
        return cells

    def _first(self) -> Expr:
        """The first term: 1, but where terms are tokens, the first that a window shows."""
        if not self.windows:
            return self._shown(1, 0)
        window = self.windows.at(self.at.block)
        behind = call("MAX", 1, self.at.token - window + 1)
        is_windowed = call("AND", self._of_step("terms") < 0, window > 0)
        return self._shown(when(self.allowed[0] > 0, when(is_windowed, behind, 1), 1), 0)

    def _list(self) -> None:
        """All steps: their names, where they lie, and the cells that belong to the chosen one."""
        page, words, cells = self.page, self.page.words, ("value", "gain", "bias")
        page.write(TERMS, LIST, words.label("microscope steps"), "step title")
        for column, heading in enumerate(HEADINGS, start=LIST):
            look = "heading" if heading in ("step", "title", "tab") else "heading center"
            page.write(FIRST - 1, column, words.label(f"column {heading}"), look)
        page.fill(FIRST, LIST, np.arange(1, len(self.steps) + 1)[:, None], "index")
        for name, column in zip(cells, range(CELLS, CELLS + 3), strict=True):
            page.define(f"microscope.step.{name}", page.area(FIRST, column, len(self.steps)))
        for row, step in enumerate(self.steps, start=FIRST):
            key = f"h.b.{step.name}" if step.is_in_block else step.name
            tab = step.area.tab.removesuffix(" 0") if step.is_in_block else step.area.tab
            of_tokens = step.terms < 0
            terms = words.label("microscope all seen") if of_tokens else step.terms or "–"
            for column, value, look in (
                (LIST + 1, step.name, "text"),
                (LIST + 2, words.step(key).title, "text"),
                (WHERE, tab, "text"),
                (WHERE + 1, step.area.top, "index"),
                (WHERE + 2, step.area.left, "index"),
                (WHERE + 3, terms, "index"),
            ):
                page.write(row, column, value, look)
            is_chosen = self.number.equals(row - FIRST + 1)
            for column, name in enumerate(cells, start=CELLS):
                tree = getattr(step, name)
                its = Text("") if tree is None else when(is_chosen, tree, "")
                page.compute(page.area(row, column), its, "formula")
        lines = page.area(FIRST, LIST, len(self.steps), CELLS + 3 - LIST)
        page.rule(lines, beside(lines, LIST).equals(fixed(self.number)), "middling")

    def _its(self, cell: str) -> Expr:
        """A cell of the list, of the chosen step."""
        return call("INDEX", Range(self.page.names[f"microscope.step.{cell}"]), self.number)

    # --- the terms ------------------------------------------------------------------------------

    def _terms(self) -> Sequence[Range]:
        """A row for each term: two numbers, what they make, and the sum so far."""
        page, words = self.page, self.page.words
        page.row = TERMS
        page.heading(words.step("microscope.product"))
        numbers = Range(page.count(FIRST, self.length, first=1))
        page.write(FIRST - 1, NUMBER, words.label("column number"), "heading center")
        page.write(FIRST - 1, SUM, words.label("microscope sum"), "heading center")
        names = ("left", "right", "product", "sum")
        columns = [
            page.define(f"microscope.{name}", page.area(FIRST, column, self.length))
            for column, name in enumerate(names, start=LEFT)
        ]
        left, right, product, sums = columns
        for column, name in enumerate(names[:3], start=LEFT):
            texts = [words.label(f"microscope {name} {kind}") for kind in (PRODUCT, NORM, SOFTMAX)]
            none = words.label("microscope no terms") if name == "left" else ""
            of_kind = call("CHOOSE", self.kind, *texts, "")
            heading = self._shown(when(self.terms.equals(0), none, of_kind))
            page.compute(page.area(FIRST - 1, column), heading, "heading center")
        own = formulas.within(numbers, self.first, self.terms, self._side("left"))
        page.compute(left.area, self._shown(own), "formula")
        is_product, is_norm = self.kind.equals(PRODUCT), self.kind.equals(NORM)
        apart = when(is_norm, left - mean(left), left - call("MAX", left))
        other = when(is_product, self._side("right"), apart)
        page.compute(right.area, formulas.unless_blank(left, other), "formula")
        made = when(is_product, left * right, when(is_norm, right * right, call("EXP", right)))
        page.compute(product.area, formulas.unless_blank(left, made), "formula")
        for row in range(self.length):
            above, term = Range(page.area(FIRST + row - 1, SUM)), Range(product.area.row(row))
            page.compute(sums.area.row(row), formulas.so_far(above, term), "formula")
        self._tokens(numbers)
        self._mark(product)
        return columns

    def _side(self, side: str) -> Expr:
        """The left or the right numbers of the chosen step; of its heads, those of the chosen."""
        found: list[Like] = []
        for number, step in enumerate(self.steps, start=1):
            tree = getattr(step, side)
            if tree is None:
                found.append("")
                continue
            heading = f"{step.name}: {self.page.words.label(f'microscope {side} 1')}"
            stage = self._stage(when(self.number.equals(number), tree, ""), heading)
            starts = range(0, stage.shape[0], step.in_heads or stage.shape[0])
            parts = [self._as_long(stage, start) for start in starts]
            found.append(call("CHOOSE", self.head + 1, *parts) if len(parts) > 1 else parts[0])
        return call("CHOOSE", self.number, *found)

    def _stage(self, tree: Expr, heading: str, look: str = "formula") -> Area:
        """A column of what folds away."""
        page, rows = self.page, tree.shape[0]
        assert isinstance(rows, int)
        page.write(FIRST - 1, self.working, heading, "heading center")
        area = page.area(FIRST, self.working, rows)
        self.working += 1
        page.compute(area, tree, look)
        return area

    def _as_long(self, stage: Area, start: int = 0) -> Range:
        """As many rows as there may be terms, from a row of a stage on."""
        top = stage.top + start
        return Range(replace(stage, top=top, bottom=top + self.length - 1))

    def _tokens(self, numbers: Range) -> None:
        """Where terms are tokens, their texts."""
        texts = self._stage(self.prompt.text, self.page.words.label("tokens"), "token")
        some = formulas.within(numbers, self.first, self.terms, self._as_long(texts))
        shown = self._shown(when(self._of_step("terms") < 0, some, ""))
        self.page.compute(self.page.area(FIRST, TOKEN, self.length), shown, "token")

    def _mark(self, product: Range) -> None:
        """The terms that decide stand out."""
        page, some = self.page, formulas.half_the_largest(product)
        page.write(FIRST - 1, self.working, page.words.label("microscope large"), "heading")
        least = page.compute_named("microscope.large", FIRST, self.working, some, "formula")
        self.working += 2
        whole = page.area(FIRST, TOKEN, self.length, SUM - TOKEN + 1)
        term = beside(whole, MADE)
        is_there, is_large = call("LEN", term) > 0, call("ABS", term) >= fixed(least)
        page.rule(whole, call("AND", is_there, is_large), "middling")
        numbers = page.area(FIRST, NUMBER, self.length)
        page.rule(numbers, is_blank(beside(numbers, MADE)), "no token")

    # --- from the terms to the cell -------------------------------------------------------------

    def _arithmetic(self) -> Sequence[Range]:
        """The lines that lead from the terms to the result; returns their values."""
        page, words, looked = self.page, self.page.words, self.looked
        page.row = ARITHMETIC
        page.heading(words.step("microscope.line"))
        columns = [
            page.define(f"microscope.{name}", page.area(page.row, column, LINES))
            for column, name in ((1, "label"), (LEFT, "line"), (LEFT + 1, "arithmetic"))
        ]
        cells = [Range(columns[1].area.row(index)) for index in range(LINES)]
        parts = Parts(self.config, looked.names, looked.weights, self.at)
        view = View(
            at=self.at,
            left=self.left,
            right=self.right,
            product=self.product,
            first=self.first,
            terms=self.terms,
            gain=self._its("gain"),
            bias=self._its("bias"),
            divisor=self._divisor(),
            is_divided=self.number.equals(place("attn.scores")),
            entering=parts.cell("mlp.c_fc", self.at.column + 1),
            logits=Range(looked.names["logits"], "logits"),
            is_tall=self._of_step("is_tall") > 0,
            epsilon=looked.epsilon,
            activation=self.config.activation_function,
            cells=cells,
        )
        of_kinds = lines(view, words)
        for index in range(LINES):
            of_line = [of_kinds[kind][index] for kind in (PRODUCT, NORM, SOFTMAX, BEND)]
            is_last = index == LINES - 1
            for column, values, look in (
                (columns[0], [line.label for line in of_line], "live" if is_last else "text"),
                (columns[1], [line.value for line in of_line], "fine" if is_last else "formula"),
                (columns[2], [line.arithmetic for line in of_line], "text"),
            ):
                tree = self._shown(call("CHOOSE", self.kind, *values))
                page.compute(column.area.row(index), tree, look)
        return cells

    def _divisor(self) -> Expr:
        """What scores are divided by, in the chosen block."""
        how = self.looked.how
        root: Like = sqrt(self.config.n_embd // self.config.n_head) if how[0].scaled else 1
        if max(each.divisor for each in how) == 1:
            return self._shown(root)
        return root * call("CHOOSE", self.at.block + 1, *(each.divisor for each in how))

    def _cell(self) -> None:
        """Where the number stands in the workbook, with a link, and whether it is the same."""
        page, words, row = self.page, self.page.words, ARITHMETIC + 2 + LINES
        tab, top, left = (
            call("INDEX", Range(page.area(FIRST, column, len(self.steps))), self.number)
            for column in range(WHERE, WHERE + 3)
        )
        is_tall, token, column = self._of_step("is_tall") > 0, self.at.token - 1, self.at.column
        of_head = self.at.head * self.context + column - 1
        along = when(self.allowed[1] > 0, of_head, column)
        address = call(
            "ADDRESS", top + when(is_tall, column, token), left + when(is_tall, token, along), 4
        )
        block = when(self.allowed[0] > 0, join(" ", self.at.block), "")
        shown = join("'", tab, block, "'!", address)
        target = page.compute_named(
            "microscope.cell", FIRST, self.working, self._shown(shown), "text"
        )
        page.write(FIRST - 1, self.working, words.label("microscope cell"), "heading")
        self.working += 2
        page.write(row, 1, words.label("microscope cell"), "text")
        link = call("HYPERLINK", join("#", target), target)
        page.compute_named("microscope.link", row, 2, self._shown(link), "link")
        its = page.compute_named(
            "microscope.equals", row, LEFT, self._shown(self._its("value")), "fine"
        )
        page.write(row + 1, 1, words.label("column difference"), "text")
        apart = self._shown(call("ABS", self.line[-1] - its))
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
        names, titles = (Range(page.area(FIRST, LIST + each, len(self.steps))) for each in (1, 2))
        sentence = words.sentence(
            "microscope sentence",
            step=call("INDEX", names, self.number),
            title=call("INDEX", titles, self.number),
            number=self.at.token,
            token=call("INDEX", self.prompt.text, self.at.token),
        )
        page.compute_named("microscope.sentence", MESSAGE + 1, 1, self._shown(sentence), "live")

    # --- charts ---------------------------------------------------------------------------------

    def _running_sum(self) -> None:
        """The sum so far over the terms; places behind the last term lie on that one."""
        page, label = self.page, self.page.words.label
        numbers = Range(page.area(FIRST, NUMBER, self.length))
        is_there, total = numbers <= self.terms, call("SUM", self.product)
        x = self._stage(when(is_there, numbers, self.terms), label("column number"))
        so_far = when(is_there, when(self.sum.equals(""), 0, self.sum), total)
        y = self._stage(so_far, label("microscope sum"))
        curve = Curve(x, y, page.area(FIRST - 1, SUM))
        about, title = label("microscope sum chart"), label("microscope sum")
        corner = page.area(TOP - 1, LIST)
        page.charts.append(Plot([curve], corner, about, 9.8, 9.5, label("column terms"), title))

    def _activation(self) -> None:
        """The activation's curve, with the number that was chosen on it."""
        page, label = self.page, self.page.words.label
        function = ACTIVATIONS[self.config.activation_function]
        title = page.words.step("h.b.mlp.gelu").title
        grid = np.linspace(-CURVE, CURVE, POINTS)[:, None]
        page.write(FIRST - 1, self.working, "x", "heading center")
        x = page.fill(FIRST, self.working, grid, "formula")
        self.working += 1
        y = self._stage(function(x), title)
        is_it, entering, result = self.kind.equals(BEND), self.line[0], self.line[-1]
        within = call("MAX", -CURVE, call("MIN", CURVE, entering))
        aside = -10 * CURVE  # where the chart does not reach
        point_x = self._stage(when(is_it, within, aside), label("microscope entering"))
        point_y = self._stage(
            when(is_it, function(Range(point_x)), aside), label("microscope result")
        )
        name = page.area(FIRST + 1, point_x.left)
        page.compute(name, when(is_it, formulas.arithmetic(entering, " → ", result), " "), "text")
        line = Curve(x.area, y, page.area(FIRST - 1, x.area.left))
        curves = [line, Curve(point_x, point_y, name, "answer")]
        limits = (-CURVE, CURVE), (-1.0, CURVE)
        about, corner = label("microscope curve chart"), page.area(TOP - 1, WHERE)
        page.charts.append(Plot(curves, corner, about, 10.5, 9.5, "x", title, *limits))
