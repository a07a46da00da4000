"""Whether the results in a file are those of its formulas.

A result is right if it is what the whole chain gives, or what its own formula gives on the values
beside it: the first forgives that results are stored with fewer digits than they were computed
with, the second that of two equally likely tokens either may come first.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from sheetgpt.calculate.evaluate import Engine
from sheetgpt.calculate.memory import zeros
from sheetgpt.calculate.recalculate import Formula, compute
from sheetgpt.calculate.values import BLANK, EMPTY, NUMBER, Error, Scalar, Sheet, Sheets
from sheetgpt.check.differences import Difference
from sheetgpt.formula.cells import Area

TOLERANCE = 1e-9  # times the largest number of a formula's cells, where that is above 1


def recalculated(formulas: Sequence[Formula], stored: Sheets) -> Sheets:
    """The same workbook with the results of its formulas, which are in order; constants shared."""
    fresh = _copy(stored)
    compute(formulas, Engine(fresh))
    return fresh


def changed_results(
    formulas: Sequence[Formula], stored: Sheets, fresh: Sheets
) -> Iterator[Difference]:
    """The cells whose stored value their formulas do not give; `fresh` has what they give."""
    for formula in formulas:
        if _first_unlike(stored, fresh, formula.area) is not None:
            compute([formula], Engine(stored), into=fresh)
            place = _first_unlike(stored, fresh, formula.area)
            if place is not None:
                cell = formula.area.cell(*place)
                found, given = (_shown(sheets.read(cell)) for sheets in (stored, fresh))
                sentence = f"{cell} holds {found}, but its formula gives {given}"
                yield Difference(cell, "", sentence)


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


def _first_unlike(stored: Sheets, fresh: Sheets, area: Area) -> tuple[int, int] | None:
    """The first cell of an area, counted from 0, in which two sheets differ."""
    (kinds, numbers), (kinds_given, given) = stored.cells(area), fresh.cells(area)
    is_number = kinds_given == NUMBER
    size = np.max(np.abs(given), initial=1.0, where=is_number)
    alike = (kinds == NUMBER) & is_number & (np.abs(numbers - given) <= TOLERANCE * size)
    blank, blank_given = ((each == EMPTY) | (each == BLANK) for each in (kinds, kinds_given))
    alike |= blank & blank_given
    for row, column in np.argwhere(~alike).tolist():
        cell = area.cell(row, column)
        found, wanted = (sheets.read(cell) for sheets in (stored, fresh))
        if isinstance(wanted, float) or type(found) is not type(wanted) or found != wanted:
            return row, column
    return None


def _shown(value: object) -> Scalar:
    if value is None or value == "":
        return "nothing"
    return value.value if isinstance(value, Error) else str(value)
