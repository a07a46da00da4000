"""One number under the microscope: its terms, and the few lines of arithmetic behind them.

The terms stand in columns of one length; where there is none, a cell is blank, and so is what
follows from it.
"""

from collections.abc import Iterator

from sheetgpt.formula.expr import Call, Expr, Like, Range, call, expr, join, when

DIGITS = 4  # decimals of a number in a line of arithmetic


def unless_blank(cells: Range, tree: Expr) -> Expr:
    return when(cells.equals(""), "", tree)


def within(numbers: Range, first: Expr, last: Expr, cells: Expr) -> Expr:
    """Cells of a column from one place to another; the others are blank."""
    return when((numbers >= first) * (numbers <= last), cells, "")


def so_far(above: Range, term: Range) -> Expr:
    """The sum of all terms up to this one; what stands above the first is no number."""
    return unless_blank(term, call("SUM", above, term))


def half_the_largest(terms: Range) -> Expr:
    """The size from which on a term is one of those that decide, whatever its sign."""
    there = call("COUNT", terms)
    return when(there.equals(0), "", call("SQRT", call("MAX", squares(terms))) / 2)


def squares(terms: Range) -> Expr:
    return unless_blank(terms, terms * terms)


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


def shown(number: Expr) -> Expr:
    """A number as a line of arithmetic shows it."""
    return call("ROUND", number, DIGITS)


def arithmetic(*parts: Like) -> Expr:
    """A line of arithmetic: texts between numbers, which are rounded."""
    return join(*(each if isinstance(each, str) else shown(expr(each)) for each in parts))
