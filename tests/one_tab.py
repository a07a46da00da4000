"""A calculated book of which one tab is calculated again, after somebody has typed into it."""

from sheetgpt.book.book import Book
from sheetgpt.calculate.recalculate import Formula
from sheetgpt.calculate.values import Error, Scalar, Sheets, Value
from tests.live import LiveFormulas


class OneTab:
    """Names are those of the tab, without what they begin with: `line` for `microscope.line`."""

    def __init__(self, book: Book, values: Sheets, tab: str) -> None:
        self.names, self.values, self.tab = book.names, values, tab
        computed = next(each for each in book.tabs if each.name == tab).computed
        formulas = [Formula(each.area, each.tree) for each in computed]
        self.live = LiveFormulas(formulas, book.names, values)

    def type(self, **inputs: Scalar) -> None:
        self.live.set(**{f"{self.tab}.{name}": value for name, value in inputs.items()})

    def read(self, name: str) -> Value:
        return self.values.read(self.names[f"{self.tab}.{name}"])

    def column(self, name: str) -> list[Scalar]:
        found = self.read(name)
        return found.ravel().tolist()

    def errors(self) -> list[Scalar]:
        sheet = self.values.by_tab[self.tab]
        return [value for value in sheet.others.values() if isinstance(value, Error)]
