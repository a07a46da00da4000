"""A lesson on its own, into which a test may type; and the workbook of all lessons."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sheetgpt.book.book import Book, Tab, Text
from sheetgpt.book.calculate import calculate
from sheetgpt.book.page import LINKS
from sheetgpt.calculate.values import Sheet
from sheetgpt.checkpoint import checkpoint
from sheetgpt.formula.cells import Area
from sheetgpt.lessons.book import LESSONS
from sheetgpt.lessons.lesson import WARNING, Lesson
from sheetgpt.lessons.words import languages, load_words
from sheetgpt.resources import resource

NANO = resource("weights") / "nano"


class Values:
    """The values of a book's names."""

    def __init__(self, book: Book) -> None:
        self._names, self._sheets = book.names, calculate(book)

    def __getitem__(self, name: str) -> Any:
        """One value, or rows of values."""
        found = self._sheets.read(self._names[name])
        return found.tolist() if isinstance(found, np.ndarray) else found

    def sheet(self, tab: str) -> Sheet:
        return self._sheets.by_tab[tab]

    def warning(self, tab: str) -> Any:
        """What the tab says of a text where a number belongs."""
        return self.sheet(tab).cell(LINKS, WARNING)

    def array(self, name: str) -> Any:
        return np.atleast_2d(np.asarray(self._sheets.read(self._names[name]), dtype=np.float64))


class Opened:
    """One lesson as a book."""

    def __init__(self, tab: str) -> None:
        names: dict[str, Area] = {}
        page = Lesson(tab, names, load_words("en"))
        LESSONS[tab](page, checkpoint.load(NANO))
        self.book = Book([page.finished(link_to=[page])], names)

    def typed(self, inputs: Mapping[str, Any] = {}) -> Values:
        """The values after somebody has typed into yellow cells.

        inputs: by defined name, a value or rows of values; "" leaves a cell empty.
        """
        (tab,) = self.book.tabs
        for name, values in inputs.items():
            is_one = isinstance(values, str) or not isinstance(values, Sequence | np.ndarray)
            rows = [[values]] if is_one else values
            tab = _typed(tab, self.book.names[name], rows)
        return Values(replace(self.book, tabs=[tab]))


def _typed(tab: Tab, area: Area, rows: Sequence[Sequence[Any]]) -> Tab:
    assert area.shape == (len(rows), len(rows[0]))
    texts = {(text.area.top, text.area.left): text for text in tab.texts}
    empty = {(blank.area.top, blank.area.left) for blank in tab.blanks}
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            at = area.top + i, area.left + j
            assert at in texts or at in empty, f"{at} is no input"
            texts.pop(at, None)
            if value != "":
                texts[at] = Text(area.cell(i, j), value, "control")
    return replace(tab, texts=list(texts.values()))


@pytest.fixture(scope="session")
def lesson() -> Callable[[str], Opened]:
    """A function that opens a lesson by the name of its tab."""
    opened: dict[str, Opened] = {}

    def open_lesson(tab: str) -> Opened:
        if tab not in opened:
            opened[tab] = Opened(tab)
        return opened[tab]

    return open_lesson


@pytest.fixture(scope="session", params=languages())
def workbook(request: pytest.FixtureRequest, lessons_in: Callable[[str], Path]) -> Path:
    """The workbook of the lessons in each language."""
    return lessons_in(str(request.param))
