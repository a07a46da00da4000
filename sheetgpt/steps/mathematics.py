"""The functions of the papers, by the names that they have there.

Numbers are those of one token: `mean`, `var`, `largest` and `total` run over a row and give one.
"""

from sheetgpt.formula.expr import Call, Expr, Like, Range, call


def row(whole: Range) -> Call:  # [n, d] -> [1, d]
    """The token's own row of a range."""
    return Call("row", (whole,))


def mean(x: Expr) -> Expr:  # [1, d] -> [1, 1]
    return call("AVERAGE", x)


def var(x: Expr) -> Expr:  # [1, d] -> [1, 1]
    """The mean squared distance from the mean: divided by d, not d - 1."""
    return call("VARP", x)


def largest(x: Expr) -> Expr:  # [1, d] -> [1, 1]
    return call("MAX", x)


def total(x: Expr) -> Expr:  # [1, d] -> [1, 1]
    return call("SUM", x)


def sqrt(x: Like) -> Expr:
    return call("SQRT", x)


def exp(x: Expr) -> Expr:
    return call("EXP", x)


def tanh(x: Expr) -> Expr:
    return call("TANH", x)


def normal(x: Expr) -> Expr:
    """Φ, the probability that a normally distributed number is below x."""
    return call("NORMSDIST", x)


def logistic(x: Expr) -> Expr:
    """σ(x) = 1 / (1 + exp(-x)), by tanh, which stays in range where EXP would not."""
    return 0.5 * (1 + tanh(0.5 * x))


def pi() -> Expr:
    return call("PI")
