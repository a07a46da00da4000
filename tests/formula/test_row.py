"""From the tree for all tokens to the tree for one."""

import pytest

from sheetgpt.formula.cells import Area
from sheetgpt.formula.excel import text
from sheetgpt.formula.expr import Call, Range, call, past
from sheetgpt.formula.row import for_token

X = Range(Area("t", 11, 3, 14, 6), "x")  # 4 tokens, C11:F14
ROW, SEEN, COLUMN = (Call(part, (X,)) for part in ("row", "seen", "column"))
W = Range(Area("t", 1, 1, 4, 2), "w")


@pytest.mark.parametrize(
    ("tree", "first", "third"),
    [
        (ROW, "C11:F11", "C13:F13"),
        (past(ROW), "C$11:F11", "C$11:F13"),
        (SEEN, "C11", "C13:E13"),
        (COLUMN, "C11:C14", "E11:E14"),
        (ROW @ W, "MMULT(C11:F11,w)", "MMULT(C13:F13,w)"),
        (
            ROW @ past(ROW).T,
            "MMULT(C11:F11,TRANSPOSE(C$11:F11))",
            "MMULT(C13:F13,TRANSPOSE(C$11:F13))",
        ),
        (call("AVERAGE", ROW) + 1, "AVERAGE(C11:F11)+1", "AVERAGE(C13:F13)+1"),
        (call("SUM", X), "SUM(x)", "SUM(x)"),  # a whole range stays as it is
    ],
)
def test_one_tokens_part(tree, first, third):
    assert text(for_token(tree, 0), "t") == first
    assert text(for_token(tree, 2), "t") == third


@pytest.mark.parametrize("tree", [ROW, past(ROW), SEEN, ROW @ past(ROW).T])
def test_no_token_reads_behind_itself(tree):
    for token in range(4):
        areas = [each.area for each in _ranges(for_token(tree, token))]
        assert max(area.bottom for area in areas) == 11 + token


def _ranges(tree):
    if isinstance(tree, Range):
        return [tree]
    return [found for each in getattr(tree, "arguments", ()) for found in _ranges(each)]


def test_a_tree_for_all_tokens_has_no_text():
    with pytest.raises(ValueError, match="stands for all tokens; take it for one token"):
        text(ROW + 1, "t")
