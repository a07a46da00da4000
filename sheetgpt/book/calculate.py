"""The values of a book before it is a file: its constants, then all its formulas."""

from collections.abc import Callable

import numpy as np
import orjson
from numpy.typing import NDArray

from sheetgpt.book.book import Book
from sheetgpt.formula.evaluate import Engine
from sheetgpt.formula.recalculate import Formula, recalculate
from sheetgpt.formula.values import Sheet, Sheets


def calculate(book: Book, progress: Callable[[int], None] = lambda done: None) -> Sheets:
    """Every cell's value, as a spreadsheet would compute it from the saved file."""
    sheets = Sheets({tab.name: Sheet(*tab.extent) for tab in book.tabs})
    for tab in book.tabs:
        sheet = sheets.by_tab[tab.name]
        for numbers in tab.numbers:
            sheets.write(numbers.area, as_read_back(numbers.values))
        for text in tab.texts:
            sheet.set(text.area.top, text.area.left, text.value)
        for texts in tab.lists:
            for row, value in enumerate(texts.values, start=texts.area.top):
                sheet.set(row, texts.area.left, value)
    formulas = [Formula(each.area, each.tree) for tab in book.tabs for each in tab.computed]
    recalculate(formulas, Engine(sheets), progress)
    return sheets


def as_read_back(values: NDArray[np.generic]) -> NDArray[np.float64]:
    """The doubles that a reader makes of numbers written as short text.

    A float32 is written as the shortest decimal that rounds to it; the double nearest to that
    decimal differs from the float32 itself by up to 2^-24 of its size.
    """
    if values.dtype != np.float32:
        return values.astype(np.float64)
    exact = np.empty(values.shape)
    for row, line in enumerate(values):
        exact[row] = orjson.loads(
            orjson.dumps(np.ascontiguousarray(line), option=orjson.OPT_SERIALIZE_NUMPY)
        )
    return exact
