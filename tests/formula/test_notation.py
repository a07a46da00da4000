"""Trees as lines of mathematics."""

import pytest

from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import Call, Number, Range, call, join, past, when
from sheetgpt.formula.notation import mathematics

X = Call("row", (Range(Area("t", 1, 1, 4, 6), "x"),))
W = Range(Area("t", 11, 1, 16, 2), "w")
B = Range(Area("t", 17, 1, 17, 2), "b")
CELL = Range(Area("t", 1, 1, 1, 1), "n")


@pytest.mark.parametrize(
    ("tree", "line"),
    [
        (X @ W + B, "x · w + b"),
        ((X + 1) @ W, "(x + 1) · w"),
        (X @ past(X).T / call("SQRT", 16), "x · x[1…t]ᵀ / √16"),
        (
            (X - call("AVERAGE", X)) / call("SQRT", call("VARP", X) + 1e-5),
            "(x − mean(x)) / √(var(x) + 1E-05)",
        ),
        (call("EXP", X - call("MAX", X)), "exp(x − max(x))"),
        (0.5 * X * (1 + call("TANH", X)), "0.5 × x × (1 + tanh(x))"),
        (X + 0.044715 * X**3, "x + 0.044715 × x³"),
        ((X + 1) ** 12, "(x + 1)¹²"),
        (Number(2) ** -Number(1), "2^−1"),
        (-(X + 1), "−(x + 1)"),
        (1 - (2 - CELL), "1 − (2 − n)"),
        (Number(2) / (3 * CELL), "2 / (3 × n)"),
        (Call("%", (CELL,)), "n%"),
        (call("SQRT", 2 / call("PI")), "√(2 / π)"),
        (X * call("NORMSDIST", X), "x × Φ(x)"),
        (X * (X > 0), "x × (x > 0)"),
        (when(CELL.differs(0), X, ""), "x if n ≠ 0 else “”"),
        (join("a", CELL), "“a” & n"),
        (call("INDEX", W, CELL + 1, 0), "w[n + 1]"),
        (call("INDEX", W, 0, CELL), "w[·, n]"),
        (call("INDEX", W, 2, CELL), "w[2, n]"),
        (call("INDEX", B, CELL), "b[n]"),
        (call("MATCH", call("MAX", B), B, 0) - 1, "match(max(b); b; 0) − 1"),
        (Range(Area("t", 1, 1, 2, 2)), "A1:B2"),
    ],
)
def test_lines(tree, line):
    assert mathematics(tree) == line
