"""One number under the microscope: its terms, and the few lines of arithmetic behind them.

The terms stand in columns of one length; where there is none, a cell is blank, and so is what
follows from it.
"""

from collections.abc import Iterator

from sheetgpt.formula.expr import Call, Expr, Like, Number, Range, call, join, when
from sheetgpt.steps.mathematics import exp

DIGITS = 4  # decimals of a number in a line of arithmetic


def unless_blank(cells: Range, tree: Expr) -> Expr:
    return when(cells.equals(""), "", tree)


def within(numbers: Range, first: Expr, last: Expr, cells: Expr) -> Expr:
    """Cells of a column from one place to another; the others are blank."""
    return when((numbers >= first) * (numbers <= last), cells, "")


def so_far(above: Range, term: Range) -> Expr:
    """The sum of all terms up to this one; what stands above the first is no number."""
    return unless_blank(term, call("SUM", above, term))


def largest(terms: Range, count: int) -> Expr:
    """The square of the term that is the last of the `count` largest, whatever its sign."""
    there = call("MIN", count, call("COUNT", terms))
    return call("LARGE", unless_blank(terms, terms * terms), there)


def normalised(number: Expr, mean: Expr, variance: Expr, epsilon: Expr) -> Expr:
    return (number - mean) / call("SQRT", variance + epsilon)


def bend(tree: Expr) -> Expr:
    """What makes an activation more than a product: the one function, or comparison, in it."""
    return next(node for node in _nodes(tree) if node.op in ("TANH", "NORMSDIST", ">"))


def _nodes(tree: Expr) -> Iterator[Call]:
    if isinstance(tree, Call):
        yield tree
        for argument in tree.arguments:
            yield from _nodes(argument)


def share(largest_: Expr, logit: Expr) -> Expr:
    """What softmax makes of a logit before it divides."""
    return exp(logit - largest_)


def shown(number: Expr) -> Expr:
    """A number as a line of arithmetic shows it."""
    return call("ROUND", number, DIGITS)


def arithmetic(*parts: Like) -> Expr:
    """A line of arithmetic: texts between numbers, which are rounded."""
    rounded = (each if isinstance(each, str | Number) else shown_or_text(each) for each in parts)
    return join(*rounded)


def shown_or_text(each: Like) -> Like:
    return shown(each) if isinstance(each, Expr) else each
