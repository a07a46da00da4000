"""From the tree for all tokens to the tree for one token.

Only `row`, `past`, `seen` and `column` speak of "the token"; everything else is the same for every
token, and so fixed: a formula that a person fills down by hand is the next token's.
Because a formula then holds the ranges of one token alone, a reduction such as AVERAGE runs over
that token's row and nothing else, and no formula can look at a later token.
"""

from collections.abc import Callable

from sheetgpt.formula.cells import BEGINS, MOVES
from sheetgpt.formula.expr import Call, Expr, Number, Range, fixed


def for_token(tree: Expr, token: int) -> Expr:
    """The tree for the token at position `token`, counted from 0."""
    if isinstance(tree, Range):
        return fixed(tree)
    if not isinstance(tree, Call):
        return tree
    if tree.op in _PART_OF_TOKEN:
        whole, *window = tree.arguments
        assert isinstance(whole, Range)
        return _PART_OF_TOKEN[tree.op](whole, token, *window)
    arguments = tuple([for_token(argument, token) for argument in tree.arguments])
    as_before = [each.shape for each in arguments] == [each.shape for each in tree.arguments]
    return tree.on(arguments) if as_before else Call(tree.op, arguments)


def of_entries(tree: Expr, start: int, stop: int) -> Expr:
    """Rows `start` to `stop - 1` of a product whose left factor is a range, and of a column that
    is added to it; other trees whole.
    """
    match tree:
        case Call("+", (Call("MMULT") as product, Range() as column)) if (
            column.shape[0] != stop - start
        ):
            return of_entries(product, start, stop) + Range(column.area.rows(start, stop))
        case Call("MMULT", (Range() as left, right)) if left.shape[0] != stop - start:
            return Call("MMULT", (Range(left.area.rows(start, stop)), right))
    return tree


def first_seen(token: int, window: Expr | None = None) -> int:
    """The position of the first token that the one at `token` sees, through a window or all."""
    if window is None:
        return 0
    assert isinstance(window, Number)
    return max(0, token + 1 - int(window.value))


def _past(whole: Range, token: int, window: Expr | None = None) -> Range:
    """Rows that begin with the first token for the next token as well, or move along with it."""
    first, moves = first_seen(token, window), first_seen(token + 1, window) > 0
    return Range(whole.area.rows(first, token + 1), fixed=MOVES if moves else BEGINS)


def _seen(whole: Range, token: int, window: Expr | None = None) -> Range:
    return Range(whole.area.row(token).columns(first_seen(token, window), token + 1))


_PART_OF_TOKEN: dict[str, Callable[..., Range]] = {
    "row": lambda whole, token: Range(whole.area.row(token)),
    "past": _past,
    "seen": _seen,
    "column": lambda whole, token: Range(whole.area.columns(token, token + 1)),
}
