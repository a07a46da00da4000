"""The logit lens: each block's output read as if the block were the last (nostalgebraist 2020)."""

from sheetgpt.formula.expr import Expr, Range, call


def of_token(residual: Range, number: Expr) -> Expr:
    """[1, n_embd]: what a block has made of the token with this number."""
    return call("INDEX", residual, number, 0)


def likeliest(logits: Range) -> Expr:
    """The id of the largest logit, of equal ones the first."""
    return call("MATCH", call("MAX", logits), logits, 0) - 1


def share(logits: Range, identifier: Expr) -> Expr:
    """The probability that softmax gives to a token."""
    largest = call("MAX", logits)
    grown = call("EXP", call("INDEX", logits, identifier + 1) - largest)
    return grown / call("SUM", call("EXP", logits - largest))
