"""Who calculates a workbook before its steps are compared: a table of functions by their names."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sheetgpt.calculate.environment import Environment
from sheetgpt.calculate.recalculate import Formula, compute, in_order
from sheetgpt.calculate.values import Error
from sheetgpt.check.differences import Difference
from sheetgpt.check.file import ModelInFile
from sheetgpt.check.formulas import Formulas
from sheetgpt.check.stored import changed_results, recalculated
from sheetgpt.errors import WorkbookError
from sheetgpt.office import libreoffice


@dataclass(frozen=True)
class Calculated:
    """What there is to say of a calculated workbook; the values are in the model's sheets.

    circular: formulas that depend on themselves. differences: cells that do not hold what their
        formulas give. is_whole: whether all cells were calculated, or those with a name only.
    again: calculates once more, after an input has changed; None where nobody can.
    """

    circular: WorkbookError | None = None
    differences: Sequence[Difference] = ()
    is_whole: bool = True
    again: Callable[[], None] | None = None


Calculator = Callable[[ModelInFile, Formulas, Sequence[str]], Calculated]


def ordered(formulas: Formulas) -> tuple[list[Formula], WorkbookError | None]:
    """The formulas, each after those that it reads, as far as no circle is in the way."""
    found: list[Formula] = []
    try:
        for index in in_order(formulas.all):
            found.append(formulas.all[index])
    except WorkbookError as error:
        return found, error
    return found, None


def by_numpy(model: ModelInFile, formulas: Formulas, names: Sequence[str]) -> Calculated:
    """Our own evaluator."""
    in_turn, circle = ordered(formulas)
    compute(in_turn, Environment(model.values))
    return Calculated(circle, again=lambda: compute(in_turn, Environment(model.values)))


def by_libreoffice(model: ModelInFile, formulas: Formulas, names: Sequence[str]) -> Calculated:
    """A real spreadsheet; it is asked for the cells that have a name."""
    with libreoffice.opened(model.path) as document:
        document.calculate()
        found = document.read([name for name in names if name in model.names])
    for name, rows in found.items():
        values = np.array(rows, dtype=object)
        nothing = np.vectorize(lambda value: value is None, otypes=[bool])(values)
        values[nothing] = Error.VALUE  # LibreOffice does not say which error it is
        numbers = np.vectorize(lambda value: isinstance(value, float), otypes=[bool])(values)
        whole = values.astype(np.float64) if numbers.all() else values
        model.values.write(model.names[name], whole)
    return Calculated(is_whole=False)


def as_stored(model: ModelInFile, formulas: Formulas, names: Sequence[str]) -> Calculated:
    """Nobody: the values that the last program to save the file left in it."""
    in_turn, circle = ordered(formulas)
    fresh = recalculated(in_turn, model.values)
    return Calculated(circle, list(changed_results(in_turn, model.values, fresh)))


CALCULATORS: Mapping[str, Calculator] = {
    "numpy": by_numpy, "libreoffice": by_libreoffice, "cached": as_stored,
}  # fmt: skip
