"""Trees as cells of JavaScript."""

import pytest

from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import Call, Number, Range, call, heads, past, split
from sheetgpt.formula.javascript import javascript

WIDTHS = {"h.0.x": 6, "h.0.attn.k": 6, "h.0.y": 6}


def row(name: str, width: int = 6) -> Call:
    return Call("row", (Range(Area(name, 1, 1, 1, width), name),))


X, K = row("h.0.x"), row("h.0.attn.k")
W = Range(Area("h.0.w", 1, 1, 6, 2), "h.0.w")

CODES = [
    (X, 'return row("h.0.x");'),
    (X + row("h.0.y"), 'const x = row("h.0.x");\nconst y = row("h.0.y");\nreturn add(x, y);'),
    (X @ W, 'const x = row("h.0.x");\nconst w = weight("h.0.w");\nreturn matmul(x, w);'),
    (X * (2 / call("PI")), 'const x = row("h.0.x");\nreturn mul(x, 2 / Math.PI);'),
    (split(X, 3)[1], 'const x = row("h.0.x");\nreturn part(x, 1, 3);'),
    (
        call("EXP", X) / call("SUM", call("EXP", X)),
        'const x = row("h.0.x");\nconst y = exp(x);\nreturn div(y, sum(y));',
    ),
    (
        call("INDEX", W, row("h.0.x", 6) + 1, 0),
        'const w = weight("h.0.w");\nconst x = row("h.0.x");\nreturn index(w, x);',
    ),
]


@pytest.mark.parametrize(("tree", "code"), CODES)
def test_a_tree_and_its_code(tree, code):
    assert javascript([tree], WIDTHS) == code


def test_heads_are_said_once():
    pairs = zip(heads(X, 2), heads(K, 2), strict=True)
    panels = [q @ past(k).T / call("SQRT", Number(3)) for q, k in pairs]
    assert javascript(panels, WIDTHS) == (
        'const x = row("h.0.x");\n'
        'const k = past("h.0.attn.k");\n'
        "return heads(2, i => div(matmul(part(x, i, 2), transpose(part(k, i, 2))), Math.sqrt(3)));"
    )


def test_panels_that_differ_are_refused():
    with pytest.raises(ValueError, match="panels of a step differ"):
        javascript([X, X + 1], WIDTHS)


def test_what_the_runtime_does_not_have_is_refused():
    with pytest.raises(ValueError, match="nothing that computes"):
        javascript([call("MID", X, 1, 2)], WIDTHS)
