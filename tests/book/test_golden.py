"""A golden listing: what block 0 says of each of its steps, word for word and formula for formula.

It catches what numbers cannot: labels of two steps swapped while their cells stayed right. After
a change on purpose: pytest tests/book/test_golden.py --rewrite-golden, and read what changed.
"""

from collections.abc import Iterator
from pathlib import Path

from sheetgpt.formula.cells import Area
from sheetgpt.gpt2.reference import BLOCK_STEPS
from sheetgpt.xlsx.read import Workbook, read

GOLDEN = Path(__file__).with_name("golden_steps.txt")


def above(area: Area, rows: int, column: int) -> Area:
    return Area(area.tab, area.top - rows, column, area.top - rows, column)


def listing(book: Workbook) -> Iterator[str]:
    """Number, title, name, cells, mathematics; then the formulas of the first and third row."""
    formulas = {(each.area.tab, each.area.top, each.area.left): each for each in book.formulas}
    for step in BLOCK_STEPS:
        area = book.names[f"h.0.{step}"]
        up = next(rows for rows in (5, 6) if book.values.read(above(area, rows, 1)) is not None)
        number, title, mathematics = (
            book.values.read(above(area, rows, column))
            for rows, column in ((up, 1), (up, 2), (up - 1, 2))
        )
        shown = "" if number is None else f"{number:g}"
        yield f"{shown:>2} {title}: h.0.{step}, {area.address}"
        yield f"   {mathematics}"
        for row in (0, 2):
            formula = formulas[area.tab, area.top + row, area.left]
            yield f"   {formula.area.address} = {formula.text}"
        yield ""


def test_steps_of_a_block(tiny_workbook, pytestconfig):
    found = "\n".join(listing(read(tiny_workbook)))
    if pytestconfig.getoption("--rewrite-golden"):
        GOLDEN.write_text(found, encoding="utf-8")
    assert found == GOLDEN.read_text(encoding="utf-8")
