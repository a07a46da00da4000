"""A calculated book of which one tab is calculated again, after somebody has typed into it."""

from sheetgpt.book.book import Book
from sheetgpt.calculate.environment import Environment
from sheetgpt.calculate.evaluate import evaluate
from sheetgpt.calculate.recalculate import Formula, in_order
from sheetgpt.calculate.values import Error, Scalar, Sheets, Value


class OneTab:
    """Names are those of the tab, without what they begin with: `line` for `microscope.line`."""

    def __init__(self, book: Book, values: Sheets, tab: str) -> None:
        self.names, self.values, self.tab = book.names, values, tab
        computed = next(each for each in book.tabs if each.name == tab).computed
        formulas = [Formula(each.area, each.tree) for each in computed]
        self._formulas = [formulas[index] for index in in_order(formulas)]

    def type(self, **inputs: Scalar) -> None:
        for name, value in inputs.items():
            area = self.names[f"{self.tab}.{name}"]
            self.values.by_tab[area.tab].set(area.top, area.left, value)
        for formula in self._formulas:
            value = evaluate(formula.tree, Environment(self.values))
            self.values.write(formula.area, value)

    def read(self, name: str) -> Value:
        return self.values.read(self.names[f"{self.tab}.{name}"])

    def column(self, name: str) -> list[Scalar]:
        found = self.read(name)
        return found.ravel().tolist()

    def errors(self) -> list[Scalar]:
        sheet = self.values.by_tab[self.tab]
        return [value for value in sheet.others.values() if isinstance(value, Error)]
