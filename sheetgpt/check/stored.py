"""Whether the results in a file are those of its formulas.

A result is right if it is what the whole chain gives, or what its own formula gives on the values
beside it: the first forgives that results are stored with fewer digits than they were computed
with, the second that of two equally likely tokens either may come first.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from sheetgpt.calculate.environment import Environment
from sheetgpt.calculate.evaluate import evaluate
from sheetgpt.calculate.recalculate import Formula, compute
from sheetgpt.calculate.sparse_memory import zeros
from sheetgpt.calculate.values import (
    BLANK,
    EMPTY,
    NUMBER,
    Error,
    Scalar,
    Sheet,
    Sheets,
    Value,
    part,
)
from sheetgpt.check.differences import Difference
from sheetgpt.formula.cells import Area

TOLERANCE = 1e-9  # times the largest number of a formula's cells, where that is above 1


def recalculated(formulas: Sequence[Formula], stored: Sheets) -> Sheets:
    """The same workbook with the results of its formulas, which are in order; constants shared."""
    fresh = _copy(stored)
    compute(formulas, Environment(fresh))
    return fresh


def changed_results(
    formulas: Sequence[Formula], stored: Sheets, fresh: Sheets
) -> Iterator[Difference]:
    """The cells whose stored value their formulas do not give; `fresh` has what they give."""
    for formula in formulas:
        places = _unlike(stored, fresh, formula.area)
        if not places:
            continue
        at = Environment(stored, cell=None if formula.array else formula.area)
        beside = evaluate(formula.tree, at)
        for row, column in places:
            cell = formula.area.cell(row, column)
            found, given = stored.read(cell), fresh.read(cell)
            if not _agree(found, part(beside, row, column)):
                sentence = f"{cell} holds {_shown(found)}, but its formula gives {_shown(given)}"
                yield Difference(cell, "", sentence)
                break


def _copy(sheets: Sheets) -> Sheets:
    copies = {}
    for tab, sheet in sheets.by_tab.items():
        copy = Sheet(0, 0, sheet.blocks)
        copy.numbers = zeros(sheet.numbers.shape, np.float64)
        copy.kinds = zeros(sheet.kinds.shape, np.uint8)
        copy.numbers[:], copy.kinds[:] = sheet.numbers, sheet.kinds
        copy.others = dict(sheet.others)
        copies[tab] = copy
    return Sheets(copies)


def _unlike(stored: Sheets, fresh: Sheets, area: Area) -> list[tuple[int, int]]:
    """The cells of an area, counted from 0, in which two sheets differ."""
    (kinds, numbers), (kinds_given, given) = stored.cells(area), fresh.cells(area)
    is_number = (kinds == NUMBER) & (kinds_given == NUMBER)
    size = np.max(np.abs(given), initial=1.0, where=is_number)
    alike = is_number & (np.abs(numbers - given) <= TOLERANCE * size)
    blank, blank_given = ((each == EMPTY) | (each == BLANK) for each in (kinds, kinds_given))
    alike |= blank & blank_given
    places: list[list[int]] = np.argwhere(~alike).tolist()
    return [
        (row, column)
        for row, column in places
        if is_number[row, column]
        or not _agree(*(sheets.read(area.cell(row, column)) for sheets in (stored, fresh)))
    ]


def _agree(found: Value, given: Value) -> bool:
    """Whether a stored value is what a formula gives: a number nearly, anything else exactly."""
    if isinstance(found, float) and isinstance(given, float):
        return abs(found - given) <= TOLERANCE * max(1.0, abs(given))
    nothing = (None, "")
    return (found in nothing and given in nothing) or (
        type(found) is type(given) and found == given
    )


def _shown(value: object) -> Scalar:
    if value is None or value == "":
        return "nothing"
    return value.value if isinstance(value, Error) else str(value)
