"""The terms under the microscope, a row for each, and where they come from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sheetgpt.book.page import Page
from sheetgpt.book.records import NORM, PRODUCT, SOFTMAX
from sheetgpt.book.rules import beside, is_blank
from sheetgpt.book.under_microscope import SeenStep
from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import Expr, Like, Range, call, fixed, when
from sheetgpt.steps import microscope as formulas
from sheetgpt.steps.mathematics import largest, mean

FIRST = 27  # the row of the first term; the headings stand above it
NUMBER, TOKEN, LEFT, RIGHT, MADE, SUM = range(1, 7)  # the columns
SIDES = ("left", "right", "product", "sum")  # what stands in the last four


@dataclass(frozen=True)
class Chosen:
    """The cells that say what was chosen: the number of the step in the list, or 0 where nothing
    sensible was; its kind; its first and its last term; and the head that they belong to.
    """

    number: Range
    kind: Range
    first: Range
    terms: Range
    head: Range

    def shown(self, tree: Like, otherwise: Like = "") -> Expr:
        """A formula that is blank where nothing was chosen."""
        return when(self.number.equals(0), otherwise, tree)

    def of_step(self, values: Sequence[int]) -> Expr:
        """What each step has, of the one that was chosen."""
        return call("CHOOSE", self.number, *values)


class Workings:
    """Columns that fold away, each with a heading; `column` is the next free one."""

    def __init__(self, page: Page, column: int) -> None:
        self.page, self.first, self.column = page, column, column

    def place(self, tree: Expr, heading: str, look: str = "formula") -> Area:
        """A column that one formula fills."""
        rows = tree.shape[0]
        assert isinstance(rows, int)
        area = self.reserve(rows, heading)
        self.page.compute(area, tree, look)
        return area

    def reserve(self, rows: int, heading: str) -> Area:
        self.page.write(FIRST - 1, self.column, heading, "heading center")
        self.column += 1
        return self.page.area(FIRST, self.column - 1, rows)

    def fold(self) -> None:
        self.page.column_groups.append((self.first, self.column - 1))


@dataclass(frozen=True)
class Terms:
    """The columns, blank where there is no term."""

    numbers: Range
    left: Range
    right: Range
    product: Range
    sum: Range


def terms_table(
    page: Page, workings: Workings, chosen: Chosen, steps: Sequence[SeenStep], tokens: Range,
    length: int,
) -> Terms:  # fmt: skip
    """Two numbers of each term, what they make, and the sum so far; below the page's cursor.

    tokens: their texts, which are shown where terms are tokens.
    """
    words = page.words
    page.heading(words.step("microscope.product"))
    numbers = Range(page.count(FIRST, length, first=1))
    page.write(FIRST - 1, NUMBER, words.label("column number"), "heading center")
    page.write(FIRST - 1, SUM, words.label("microscope sum"), "heading center")
    left, right, product, sums = (
        page.define(f"microscope.{name}", page.area(FIRST, column, length))
        for column, name in enumerate(SIDES, start=LEFT)
    )
    _headings(page, chosen)
    sides = [_side(workings, chosen, steps, side, length) for side in SIDES[:2]]
    own = formulas.within(numbers, chosen.first, chosen.terms, sides[0])
    page.compute(left.area, chosen.shown(own), "formula")
    is_product, is_norm = chosen.kind.equals(PRODUCT), chosen.kind.equals(NORM)
    other = when(is_product, sides[1], left - when(is_norm, mean(left), largest(left)))
    page.compute(right.area, formulas.unless_blank(left, other), "formula")
    made = when(is_product, left * right, when(is_norm, right * right, call("EXP", right)))
    page.compute(product.area, formulas.unless_blank(left, made), "formula")
    for row in range(length):
        above, term = Range(page.area(FIRST + row - 1, SUM)), Range(product.area.row(row))
        page.compute(sums.area.row(row), formulas.so_far(above, term), "formula")
    texts = _as_long(workings.place(tokens, words.label("tokens"), "token"), length)
    some = formulas.within(numbers, chosen.first, chosen.terms, texts)
    of_tokens = chosen.of_step([int(step.terms < 0) for step in steps]) > 0
    shown = chosen.shown(when(of_tokens, some, ""))
    page.compute(page.area(FIRST, TOKEN, length), shown, "token")
    _mark(page, workings, product)
    return Terms(numbers, left, right, product, sums)


def _headings(page: Page, chosen: Chosen) -> None:
    """What the numbers are called depends on the kind of step."""
    label = page.words.label
    for column, name in enumerate(SIDES[:3], start=LEFT):
        texts = [label(f"microscope {name} {kind}") for kind in (PRODUCT, NORM, SOFTMAX)]
        none = label("microscope no terms") if name == "left" else ""
        of_kind = call("CHOOSE", chosen.kind, *texts, "")
        heading = chosen.shown(when(chosen.terms.equals(0), none, of_kind))
        page.compute(page.area(FIRST - 1, column), heading, "heading center")


def _side(
    workings: Workings, chosen: Chosen, steps: Sequence[SeenStep], side: str, length: int
) -> Expr:
    """The left or the right numbers of the chosen step; of its heads, those of the chosen one."""
    found: list[Like] = []
    for number, step in enumerate(steps, start=1):
        tree = step.left if side == "left" else step.right
        if tree is None:
            found.append("")
            continue
        heading = f"{step.name}: {workings.page.words.label(f'microscope {side} 1')}"
        column = workings.place(when(chosen.number.equals(number), tree, ""), heading)
        rows = column.shape[0]
        parts = [_as_long(column, length, top) for top in range(0, rows, step.in_heads or rows)]
        found.append(call("CHOOSE", chosen.head + 1, *parts) if len(parts) > 1 else parts[0])
    return call("CHOOSE", chosen.number, *found)


def _as_long(column: Area, length: int, start: int = 0) -> Range:
    """As many rows as there may be terms, from a row of a column on; the last may be empty."""
    top = column.top + start
    return Range(replace(column, top=top, bottom=top + length - 1))


def _mark(page: Page, workings: Workings, product: Range) -> None:
    """The terms that decide stand out; places without a term have no number."""
    cell = workings.reserve(1, page.words.label("microscope large"))
    least = page.define("microscope.large", cell)
    page.compute(cell, formulas.half_the_largest(product), "formula")
    length = product.area.shape[0]
    whole = page.area(FIRST, TOKEN, length, SUM - TOKEN + 1)
    term = beside(whole, MADE)
    is_there, is_large = call("LEN", term) > 0, call("ABS", term) >= fixed(least)
    page.rule(whole, call("AND", is_there, is_large), "middling")
    numbers = page.area(FIRST, NUMBER, length)
    page.rule(numbers, is_blank(beside(numbers, MADE)), "no token")
