"""The values of a book before it is a file: its constants, then all its formulas."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from sheetgpt.book.book import Book, Numbers, Tab
from sheetgpt.calculate.environment import Environment
from sheetgpt.calculate.numerals import as_read_back, shortened
from sheetgpt.calculate.recalculate import Formula, recalculate
from sheetgpt.calculate.values import Array, Block, Sheet, Sheets, Value, is_numbers
from sheetgpt.progress import Progress, silent
from sheetgpt.workers import Workers

MANY = 10_000  # numbers that are kept apart from the grid even among formulas


def calculate(
    book: Book,
    progress: Progress = silent,
    weights: Mapping[str, Any] | None = None,
    workers: Workers | None = None,
) -> Sheets:
    """Every cell's value, as a spreadsheet would compute it from the saved file.

    weights: the tensors as they are read back, by name, where somebody has made them already.

    Results have the digits that are stored, and what follows from them is computed from those:
    a program that believes what is stored finds each formula true.

    workers: whoever makes the tabs of constants side by side.
    """
    made = {book.names[name]: name for name in weights or ()}
    shared = workers or Workers(1)

    def read_back(numbers: Numbers) -> Any:
        name = made.get(numbers.area)
        if weights is None or name is None:
            return as_read_back(numbers.values)
        values = weights[name]
        return values if len(values.shape) == 2 else values[None]

    constants = [(tab.name, shared.in_thread(_constants, tab, read_back)) for tab in book.tabs]
    sheets = Sheets({name: sheet.result() for name, sheet in constants})
    formulas = [
        Formula(each.area, each.tree, each.array) for tab in book.tabs for each in tab.computed
    ]
    recalculate(formulas, Environment(sheets), progress, as_stored)
    return sheets


def as_stored(value: Value) -> Value:
    """A formula's result, as the file keeps it."""
    if type(value) is float:
        return float(shortened(np.array(value)))
    if not isinstance(value, np.ndarray):
        return value
    if is_numbers(value):
        return shortened(value)
    each: Array = np.vectorize(as_stored, otypes=[object])(value)
    return each


def _constants(tab: Tab, read_back: Callable[[Numbers], Any]) -> Sheet:
    """A sheet with everything but the values of its formulas."""
    few: list[Numbers] = []
    blocks, texts = [], [(text.area, text.value) for text in tab.texts]
    for numbers in tab.numbers:
        if tab.computed and numbers.values.size < MANY:
            few.append(numbers)
        else:
            blocks.append(Block(numbers.area, read_back(numbers)))
    for listed in tab.lists:
        blocks.append(Block(listed.area, np.array(listed.values, dtype=object)[:, None]))
    areas = [numbers.area for numbers in few] + [area for area, _ in texts]
    areas += [computed.area for computed in tab.computed]
    sheet = Sheet(max(area.bottom for area in areas), max(area.right for area in areas), blocks)
    for numbers in few:
        sheet.fill(numbers.area, read_back(numbers)[:])
    for area, value in texts:
        sheet.set(area.top, area.left, value)
    return sheet
