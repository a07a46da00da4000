"""Calculating a whole workbook: formulas in the order of what they read.

The functions used here never compute an address, so what a formula reads is written in its tree
and the order is known beforehand.  A circle among the formulas is found, and named, at once.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sheetgpt.calculate.environment import Environment
from sheetgpt.calculate.evaluate import evaluate
from sheetgpt.calculate.values import Value
from sheetgpt.errors import WorkbookError
from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import Call, Expr, Range
from sheetgpt.progress import Progress, silent


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
    environment: Environment,
    progress: Progress = silent,
    kept: Callable[[Value], Value] = lambda value: value,
) -> None:
    """Compute every formula and write its result into the environment's sheets.

    kept: what is written of a result. What follows from it is computed from what was written, so
        that the sheets are consistent with themselves, however few digits are kept.

    Raises WorkbookError where formulas refer to one another in a circle.
    """
    compute((formulas[index] for index in in_order(formulas)), environment, progress, kept)


def compute(
    formulas: Iterable[Formula],
    environment: Environment,
    progress: Progress = silent,
    kept: Callable[[Value], Value] = lambda value: value,
) -> None:
    """The same for formulas that are in order already."""
    for done, formula in enumerate(formulas):
        at = environment if formula.array else replace(environment, cell=formula.area)
        environment.sheets.write(formula.area, kept(evaluate(formula.tree, at)))
        if done % 500 == 0:
            progress(f"calculating formulas ({done:,})")


def in_order(formulas: Sequence[Formula]) -> Iterator[int]:
    """The indices of the formulas, each after all those whose cells it reads."""
    pending = _Pending(formulas)
    unread: dict[int, list[Area]] = {}  # formulas begun, with what is left of what they read
    done: set[int] = set()
    for start in range(len(formulas)):
        stack = [] if start in done else [start]
        while stack:
            index = stack[-1]
            if index not in unread:
                unread[index] = reads(formulas[index].tree)
            areas, needed = unread[index], None
            while areas and (needed := pending.any(areas[-1])) is None:
                areas.pop()
            if needed is None:
                stack.pop()
                done.add(index)
                pending.remove(index)
                yield index
            elif needed in unread:
                raise WorkbookError(
                    f"{formulas[needed].area}: the formula depends on itself; "
                    "a workbook of ours has no circular references, so undo the last change"
                )
            else:
                stack.append(needed)


def reads(tree: Expr) -> list[Area]:
    """The areas that a formula reads, or may read."""
    areas: list[Area] = []
    nodes = [tree]
    for node in nodes:
        if type(node) is Call:
            nodes += node.arguments
        elif type(node) is Range:
            areas.append(node.area)
    return areas


class _Pending:
    """For every cell the formula that is still to fill it: a grid of index + 1, or 0 for none."""

    def __init__(self, formulas: Sequence[Formula]) -> None:
        self._areas = [formula.area for formula in formulas]
        extents: dict[str, tuple[int, int]] = {}
        for area in self._areas:
            rows, columns = extents.get(area.tab, (0, 0))
            extents[area.tab] = max(rows, area.bottom), max(columns, area.right)
        self._grids = {tab: np.zeros(extent, np.int32) for tab, extent in extents.items()}
        for index, area in enumerate(self._areas):
            self._cells(area)[:] = index + 1
        self._full: set[Area] = set()  # large areas are asked for again and again

    def any(self, area: Area) -> int | None:
        """One of the formulas that are still to fill cells of an area."""
        if area.tab not in self._grids or area in self._full:
            return None
        last = int(self._cells(area).max(initial=0))
        if last:
            return last - 1
        self._full.add(area)
        return None

    def remove(self, index: int) -> None:
        area = self._areas[index]
        cells = self._cells(area)
        cells[cells == index + 1] = 0

    def _cells(self, area: Area) -> NDArray[np.int32]:
        return self._grids[area.tab][area.slices]
