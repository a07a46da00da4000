"""Why did it say that? What each head looks at most from one token, and which head to look at."""

from sheetgpt.formula.expr import Call, Expr, Range, call, when


def strongest(weights: Range, number: Expr) -> Expr:
    """The largest share of its attention that a token gives away; weights: one head's."""
    return call("MAX", call("INDEX", weights, number, 0))


def place(weights: Range, number: Expr, largest: Expr, numbers: Range) -> Expr:
    """The number of the token that gets this share; of equal ones the first."""
    is_largest = call("INDEX", weights, number, 0).equals(largest)
    return call("MIN", when(is_largest, numbers.T, ""))


def is_remarkable(places: Range, number: Expr) -> Call:
    """For each head, whether it looks at another token than the first and the token itself.

    Heads with nothing to do rest on the first token, which therefore tells nothing.
    """
    return places.differs(1) * places.differs(number)


def most_remarkable(weights: Range, places: Range, number: Expr) -> Expr:
    """The largest share among the remarkable heads of a block, 0 where there are none."""
    return call("MAX", when(is_remarkable(places, number), weights, 0))


def head_of(weights: Range, places: Range, number: Expr, largest: Expr, heads: Range) -> Expr:
    """The number of the head that gives this share."""
    gives_it = is_remarkable(places, number) * weights.equals(largest)
    return call("MIN", when(gives_it, heads, ""))
