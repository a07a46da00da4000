"""A book in our evaluator, whose cells a test sets as a person types into them."""

from collections.abc import Iterator

import numpy as np

from sheetgpt.book.book import Book
from sheetgpt.calculate.environment import Environment
from sheetgpt.calculate.evaluate import evaluate
from sheetgpt.calculate.recalculate import Formula, in_order
from sheetgpt.calculate.units import Units
from sheetgpt.calculate.values import OTHER, Error, Scalar, Sheets


class Live:
    """The order of its formulas is found once, for however many texts are typed."""

    def __init__(self, book: Book, values: Sheets) -> None:
        self.book, self.values = book, values
        formulas = [Formula(each.area, each.tree) for tab in book.tabs for each in tab.computed]
        self._formulas = [formulas[index] for index in in_order(formulas)]

    def set(self, units: Units = Units.POINTS, **cells: Scalar) -> None:
        """Type into cells by their names, in an application that counts in these units."""
        for name, value in cells.items():
            area = self.book.names[name]
            self.values.by_tab[area.tab].set(area.top, area.left, value)
        environment = Environment(self.values, units)
        for formula in self._formulas:
            self.values.write(formula.area, evaluate(formula.tree, environment))

    def read(self, name: str) -> list[Scalar]:
        """The values of a name's cells, row by row."""
        found = self.values.read(self.book.names[name])
        return list(found.flat) if isinstance(found, np.ndarray) else [found]

    def errors(self) -> Iterator[str]:
        """Every cell that shows an error."""
        for tab, sheet in self.values.by_tab.items():
            for (row, column), value in sheet.others.items():
                if isinstance(value, Error) and sheet.kinds[row - 1, column - 1] == OTHER:
                    yield f"{tab}, row {row}, column {column}: {value}"
