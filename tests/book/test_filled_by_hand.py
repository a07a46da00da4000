"""A person who fills a row's formula down by hand gets the next row.

Where no spreadsheet can do that, because a row is longer than the one above, or stands for a column
of the logits, the formula has another shape, or moves sideways; such rows are not asked here.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from sheetgpt.check.formulas import Formulas
from sheetgpt.formula import excel
from sheetgpt.formula.expr import Call, Expr, Range
from sheetgpt.xlsx.read import read


def filled_down(tree: Expr, rows: int) -> Expr:
    """The formula as a spreadsheet copies it so many rows further down."""
    if isinstance(tree, Call):
        return tree.on(tuple(filled_down(argument, rows) for argument in tree.arguments))
    if isinstance(tree, Range) and tree.name is None:
        top, _, bottom, _ = (0 if side else rows for side in tree.fixed)
        area = replace(tree.area, top=tree.area.top + top, bottom=tree.area.bottom + bottom)
        return replace(tree, area=area)
    return tree


def pairs(path: Path, tab: str, first: int, last: int):
    """The formulas of a tab in these columns, each with the one below that is as wide."""
    found = {
        (each.area.top, each.area.left): each
        for each in Formulas(read(path)).all
        if each.area.tab == tab and first <= each.area.left <= last
    }
    for (row, column), one in found.items():
        below = found.get((row + 1, column))
        if below is not None and below.area.shape == one.area.shape:
            yield one, below


def right(path: Path, tab: str, first: int = 1, last: int = 16_384) -> Counter[bool]:
    """How often filling down by one row gives the row below, and how often not."""
    return Counter(
        excel.text(filled_down(one.tree, 1), tab) == excel.text(below.tree, tab)
        for one, below in pairs(path, tab, first, last)
    )


def test_steps_of_a_block(tiny_workbook):
    found = right(tiny_workbook, "block 0")
    weighted = read(tiny_workbook).names["h.0.attn.heads"].shape[0] - 1
    assert found[False] == 2 * weighted  # they read weights, whose rows grow; of two heads
    assert found[True] > 60


def test_all_tokens_that_a_token_sees(tiny_workbook):
    """The scores grow by a column with each row; their keys begin at the first token in each."""
    formulas = Formulas(read(tiny_workbook))
    scores = formulas.within(read(tiny_workbook).names["h.0.attn.scores"])
    texts = [excel.text(each.tree, each.area.tab) for each in scores]
    assert len(texts) == 12  # of two heads
    assert all(text.count("$") == 1 for text in texts)


def test_the_tokenizer(tiny_workbook):
    found = right(tiny_workbook, "prompt to tokens", first=6)
    assert found[False] == 0 < found[True]
    assert found.total() > 60


def test_candidates(tiny_workbook):
    found = right(tiny_workbook, "predicted token", first=1, last=11)
    assert found[True] > found[False]
