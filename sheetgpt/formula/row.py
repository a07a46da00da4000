"""From the tree for all tokens to the tree for one token.

Only `row`, `past`, `seen` and `column` speak of "the token"; everything else stays as it is.
Because a formula then holds the ranges of one token alone, a reduction such as AVERAGE runs over
that token's row and nothing else, and no formula can look at a later token.
"""

from sheetgpt.formula.expr import Call, Expr, Number, Range


def for_token(tree: Expr, token: int) -> Expr:
    """The tree for the token at position `token`, counted from 0."""
    if not isinstance(tree, Call):
        return tree
    if tree.op in _PART_OF_TOKEN:
        whole, *window = tree.arguments
        assert isinstance(whole, Range)
        first = next((first_seen(token, each) for each in window), 0)
        return _PART_OF_TOKEN[tree.op](whole, token, first)
    return Call(tree.op, tuple(for_token(argument, token) for argument in tree.arguments))


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


def first_seen(token: int, window: Expr) -> int:
    """The position of the first token that the one at `token` sees through a window."""
    assert isinstance(window, Number)
    return max(0, token + 1 - int(window.value))


_PART_OF_TOKEN = {
    "row": lambda whole, token, first: Range(whole.area.row(token)),
    "past": lambda whole, token, first: Range(whole.area.rows(first, token + 1)),
    "seen": lambda whole, token, first: Range(whole.area.row(token).columns(first, token + 1)),
    "column": lambda whole, token, first: Range(whole.area.columns(token, token + 1)),
}
