"""From the tree for all tokens to the tree for one token.

Only `row`, `past`, `seen` and `column` speak of "the token"; everything else stays as it is.
Because a formula then holds the ranges of one token alone, a reduction such as AVERAGE runs over
that token's row and nothing else, and no formula can look at a later token.
"""

from sheetgpt.formula.expr import Call, Expr, Range


def for_token(tree: Expr, token: int) -> Expr:
    """The tree for the token at position `token`, counted from 0."""
    if not isinstance(tree, Call):
        return tree
    if tree.op in _PART_OF_TOKEN:
        (whole,) = tree.arguments
        assert isinstance(whole, Range)
        return _PART_OF_TOKEN[tree.op](whole, token)
    return Call(tree.op, tuple(for_token(argument, token) for argument in tree.arguments))


def of_entries(tree: Expr, start: int, stop: int) -> Expr:
    """Rows `start` to `stop - 1` of a product whose left factor is a range; other trees whole."""
    match tree:
        case Call("MMULT", (Range() as left, right)) if left.shape[0] != stop - start:
            return Call("MMULT", (Range(left.area.rows(start, stop)), right))
    return tree


_PART_OF_TOKEN = {
    "row": lambda whole, token: Range(whole.area.row(token)),
    "past": lambda whole, token: Range(whole.area.rows(0, token + 1)),
    "seen": lambda whole, token: Range(whole.area.row(token).columns(0, token + 1)),
    "column": lambda whole, token: Range(whole.area.columns(token, token + 1)),
}
