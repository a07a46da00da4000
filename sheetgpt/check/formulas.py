"""What numbers cannot show: formulas that are missing, or unlike their neighbours."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sheetgpt.book.book import Book
from sheetgpt.calculate.recalculate import Formula
from sheetgpt.errors import WorkbookError
from sheetgpt.formula import excel
from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import Expr
from sheetgpt.formula.fill import misfit
from sheetgpt.formula.skeleton import Parser
from sheetgpt.xlsx.read import Workbook


class Formulas:
    """The formulas of a file as trees, and which cells they fill.

    written: the book that sheetgpt wrote into the file. A formula that says what it says there,
        letter by letter, need not be parsed; the others are `parsed`.
    """

    def __init__(
        self, workbook: Workbook, written: Book | None = None, parser: Parser | None = None
    ) -> None:
        self._values = workbook.values
        self.all: list[Formula] = []
        self.parsed: list[Formula] = []
        self.unreadable: list[tuple[Area, str]] = []
        parser, trees = parser or Parser(workbook.names), _trees(written, workbook)
        for each in workbook.formulas:
            area = each.area
            tree = trees.get((area.tab, area.top, area.left))
            if tree is not None and excel.text(tree, area.tab) == each.text:
                self.all.append(Formula(area, tree, each.array))
                continue
            try:
                formula = Formula(area, parser.parse(each.text, area.tab), each.array)
            except WorkbookError as error:
                self.unreadable.append((area, str(error)))
            else:
                self.all.append(formula)
                self.parsed.append(formula)

    @cached_property
    def _in_columns(self) -> "_Lines":
        return _Lines(self.all, along_rows=False)

    @cached_property
    def _in_rows(self) -> "_Lines":
        return _Lines(self.all, along_rows=True)

    @cached_property
    def _filled(self) -> dict[str, NDArray[np.bool_]]:
        """The cells of each tab that formulas fill."""
        filled = {
            tab: np.zeros(sheet.kinds.shape, dtype=bool)
            for tab, sheet in self._values.by_tab.items()
        }
        for area in [*(formula.area for formula in self.all), *(bad for bad, _ in self.unreadable)]:
            filled[area.tab][area.slices] = True
        return filled

    def within(self, area: Area) -> Iterator[Formula]:
        """The formulas that begin in an area."""
        for line in self._in_columns.within(area):
            yield from line

    def problem(
        self,
        area: Area,
        needed: NDArray[np.bool_],
        *,
        tall: bool = False,
        alike: bool = True,
        window: int = 0,
    ) -> str:
        """Where in an area a formula is unreadable, missing, or unlike its neighbours, or nothing.

        needed: the cells of the area that formulas must fill.
        tall: whether neighbours stand side by side, instead of one below the other.
        alike: whether they should be one formula.
        window: how many of them begin at one row, before their ranges move along; 0: all.
        """
        for bad, sentence in self.unreadable:
            if overlap(bad, area):
                return sentence
        filled = np.zeros(area.shape, dtype=bool)
        part = self._filled[area.tab][area.slices] if area.tab in self._filled else filled
        filled[: part.shape[0], : part.shape[1]] = part
        missing = np.argwhere(needed & ~filled)
        if len(missing):
            return f"{area.cell(*missing[0].tolist())}: a value stands where a formula should be"
        lines = self._in_rows if tall else self._in_columns
        for line in lines.within(area) if alike else ():
            for alike_ones in (line[:window], line[window:]):
                odd = misfit([formula.tree for formula in alike_ones])
                if odd is not None:
                    where = alike_ones[odd].area
                    return f"{where}: this formula is not like its neighbours in the same step"
        return ""


def _trees(written: Book | None, workbook: Workbook) -> dict[tuple[str, int, int], Expr]:
    """The tree of each formula by its tab, row and column; none where a name means other cells."""
    if (
        written is None
        or workbook.odd_names
        or any(workbook.names.get(name.lower()) != area for name, area in written.names.items())
    ):
        return {}
    return {
        (tab.name, each.area.top, each.area.left): each.tree
        for tab in written.tabs
        for each in tab.computed
    }


class _Lines:
    """Formulas in lines: those that begin in one column from top to bottom, or in one row."""

    def __init__(self, formulas: list[Formula], *, along_rows: bool) -> None:
        self._along_rows = along_rows
        self._lines: dict[str, dict[int, list[tuple[int, int]]]] = defaultdict(
            lambda: defaultdict(list)
        )
        self._formulas = formulas
        for index, formula in enumerate(formulas):
            line, place = self._split(formula.area.top, formula.area.left)
            self._lines[formula.area.tab][line].append((place, index))
        for lines in self._lines.values():
            for line_ in lines.values():
                line_.sort()

    def _split(self, row: int, column: int) -> tuple[int, int]:
        """Which line a cell is in, and where in that line."""
        return (row, column) if self._along_rows else (column, row)

    def within(self, area: Area) -> Iterator[list[Formula]]:
        """The formulas that begin in an area, line by line."""
        first_line, first = self._split(area.top, area.left)
        last_line, last = self._split(area.bottom, area.right)
        for line, found in self._lines.get(area.tab, {}).items():
            if first_line <= line <= last_line:
                inside = found[bisect_left(found, (first, -1)) : bisect_left(found, (last + 1, -1))]
                if inside:
                    yield [self._formulas[index] for _, index in inside]


def overlap(a: Area, b: Area) -> bool:
    """Whether two areas share a cell."""
    return (
        a.tab == b.tab
        and a.top <= b.bottom
        and b.top <= a.bottom
        and a.left <= b.right
        and b.left <= a.right
    )
