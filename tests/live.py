"""Formulas in our evaluator, whose cells a test sets as a person types into them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sheetgpt.book.book import Book
from sheetgpt.calculate.environment import Environment
from sheetgpt.calculate.evaluate import evaluate
from sheetgpt.calculate.recalculate import Formula, in_order, reads
from sheetgpt.calculate.scalars import COUNTING
from sheetgpt.calculate.units import Units
from sheetgpt.calculate.values import OTHER, Array, Error, Scalar, Sheets, Value
from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import Call, Expr


class LiveFormulas:
    """What was typed, and whatever changes with it, is calculated; the rest stays, as in Excel.

    The order of the formulas is found once, for however many texts are typed. The first time all
    are calculated; in an application that counts otherwise, those that count are, too.
    """

    def __init__(
        self, formulas: Sequence[Formula], names: Mapping[str, Area], values: Sheets
    ) -> None:
        self.names, self.values = names, values
        self._formulas = [formulas[index] for index in in_order(formulas)]
        self._readers = Readers(self._formulas)
        self._found: list[Value] = [None] * len(formulas)
        self._due = np.ones(len(formulas), dtype=bool)
        self._counting = np.array([counts(formula.tree) for formula in self._formulas], dtype=bool)
        self._units = Units.POINTS

    def set(self, units: Units = Units.POINTS, **cells: Scalar | Array) -> None:
        """Type into cells by their names, in an application that counts in these units."""
        for name, value in cells.items():
            area = self.names[name]
            if isinstance(value, np.ndarray):
                self.values.write(area, value)
            else:
                self.values.by_tab[area.tab].set(area.top, area.left, value)
            self._due[self._readers.of(area)] = True
        if units != self._units:
            self._due |= self._counting
            self._units = units
        environment = Environment(self.values, units)
        for index, formula in enumerate(self._formulas):
            if self._due[index]:
                at = environment if formula.array else replace(environment, cell=formula.area)
                self._write(index, evaluate(formula.tree, at))

    def _write(self, index: int, value: Value) -> None:
        self._due[index] = False
        if exactly(value) == exactly(self._found[index]):
            return
        # What a formula only repeats is a view of the cells that it reads, and changes with them.
        self._found[index] = value.copy() if isinstance(value, np.ndarray) else value
        self.values.write(self._formulas[index].area, value)
        self._due[self._readers.of(self._formulas[index].area)] = True

    def read(self, name: str) -> list[Scalar]:
        """The values of a name's cells, row by row."""
        found = self.values.read(self.names[name])
        return list(found.flat) if isinstance(found, np.ndarray) else [found]

    def errors(self) -> Iterator[str]:
        """Every cell that shows an error."""
        for tab, sheet in self.values.by_tab.items():
            for (row, column), value in sheet.others.items():
                if isinstance(value, Error) and sheet.kinds[row - 1, column - 1] == OTHER:
                    yield f"{tab}, row {row}, column {column}: {value}"


class Live(LiveFormulas):
    """A whole book."""

    def __init__(self, book: Book, values: Sheets) -> None:
        self.book = book
        formulas = [Formula(each.area, each.tree) for tab in book.tabs for each in tab.computed]
        super().__init__(formulas, book.names, values)


class Readers:
    """Who reads what: the numbers of the formulas that read any cell of an area."""

    def __init__(self, formulas: Sequence[Formula]) -> None:
        read: dict[str, list[tuple[int, ...]]] = {}
        for index, formula in enumerate(formulas):
            for area in reads(formula.tree):
                sides = area.top, area.left, area.bottom, area.right
                read.setdefault(area.tab, []).append((*sides, index))
        self._read = {tab: np.array(areas).T for tab, areas in read.items()}
        self._known: dict[Area, NDArray[np.int_]] = {}

    def of(self, area: Area) -> NDArray[np.int_]:
        if area not in self._known:
            nothing = np.zeros((5, 0), dtype=np.int_)
            top, left, bottom, right, index = self._read.get(area.tab, nothing)
            below, beside = (top > area.bottom) | (bottom < area.top), left > area.right
            self._known[area] = np.unique(index[~(below | beside | (right < area.left))])
        return self._known[area]


def counts(tree: Expr) -> bool:
    """Whether a formula counts characters, which applications do in different ways."""
    if not isinstance(tree, Call):
        return False
    return tree.op in COUNTING or any(map(counts, tree.arguments))


def exactly(value: Value) -> object:
    """What is equal for equal values of one kind alone: 1 is TRUE to Python."""
    if not isinstance(value, np.ndarray):
        return type(value), value
    cells = value.ravel().tolist()
    return value.shape, [*map(type, cells)], cells
