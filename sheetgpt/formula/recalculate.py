"""Calculating a whole workbook: formulas in the order of what they read.

The functions used here never compute an address, so what a formula reads is written in its tree
and the order is known beforehand.  A circle among the formulas is found, and named, at once.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from sheetgpt.errors import WorkbookError
from sheetgpt.formula.cells import Area
from sheetgpt.formula.evaluate import Engine, evaluate
from sheetgpt.formula.expr import Call, Expr, Range


@dataclass(frozen=True)
class Formula:
    """A formula and the cells that it fills.

    array: whether it is an array formula, which every formula of ours is; a formula that a person
        has added need not be.
    """

    area: Area
    tree: Expr
    array: bool = True


def recalculate(
    formulas: Sequence[Formula],
    engine: Engine,
    progress: Callable[[int], None] = lambda done: None,
) -> None:
    """Compute every formula and write its result into the engine's sheets.

    Raises WorkbookError where formulas refer to one another in a circle.
    """
    for done, index in enumerate(in_order(formulas)):
        formula = formulas[index]
        at = engine if formula.array else replace(engine, cell=formula.area)
        engine.sheets.write(formula.area, evaluate(formula.tree, at))
        if done % 500 == 0:
            progress(done)


def in_order(formulas: Sequence[Formula]) -> Iterator[int]:
    """The indices of the formulas, each after all those whose cells it reads."""
    find = _finder(formulas)
    unread: dict[int, Iterator[int]] = {}  # formulas begun, with what is left of what they read
    done: set[int] = set()
    for start in range(len(formulas)):
        stack = [start]
        while stack:
            index = stack[-1]
            if index in done:
                stack.pop()
                continue
            if index not in unread:
                unread[index] = (
                    found for area in reads(formulas[index].tree) for found in find(area)
                )
            needed = next((other for other in unread[index] if other not in done), None)
            if needed is None:
                stack.pop()
                done.add(index)
                del unread[index]
                yield index
            elif needed in unread:
                raise WorkbookError(
                    f"{formulas[needed].area}: the formula depends on itself; "
                    "a workbook of ours has no circular references, so undo the last change."
                )
            else:
                stack.append(needed)


def reads(tree: Expr) -> Iterator[Area]:
    """The areas that a formula reads, or may read."""
    if isinstance(tree, Range):
        yield tree.area
    elif isinstance(tree, Call):
        for argument in tree.arguments:
            yield from reads(argument)


def _finder(formulas: Sequence[Formula]) -> Callable[[Area], Iterator[int]]:
    """A function from an area to the formulas that fill some of its cells."""
    wide, tall = _Lines(), _Lines()  # by row, and for formulas that fill a column, by column
    for index, formula in enumerate(formulas):
        rows, columns = _sides(formula.area)
        if len(rows) <= len(columns):
            wide.add(formula.area.tab, rows, columns, index)
        else:
            tall.add(formula.area.tab, columns, rows, index)

    def find(area: Area) -> Iterator[int]:
        rows, columns = _sides(area)
        yield from wide.find(area.tab, rows, columns)
        yield from tall.find(area.tab, columns, rows)

    return find


def _sides(area: Area) -> tuple[range, range]:
    return range(area.top, area.bottom + 1), range(area.left, area.right + 1)


class _Lines:
    """Spans along numbered lines of cells; the spans of one line never overlap."""

    def __init__(self) -> None:
        self.by_tab: dict[str, dict[int, list[tuple[int, int, int]]]] = {}
        self.sorted = False

    def add(self, tab: str, lines: range, along: range, index: int) -> None:
        spans_of = self.by_tab.setdefault(tab, defaultdict(list))
        for line in lines:
            spans_of[line].append((along.start, along.stop, index))

    def find(self, tab: str, lines: range, along: range) -> Iterator[int]:
        """The indices of the spans that meet some cell of a rectangle."""
        if not self.sorted:
            for spans_of in self.by_tab.values():
                for spans in spans_of.values():
                    spans.sort()
            self.sorted = True
        spans_of = self.by_tab.get(tab, {})
        for line in lines if len(lines) <= len(spans_of) else sorted(spans_of):
            spans = spans_of.get(line, []) if line in lines else []
            first = max(0, bisect_right(spans, (along.start, 0, 0)) - 1)
            for start, stop, index in spans[first:]:
                if start >= along.stop:
                    break
                if stop > along.start:
                    yield index
