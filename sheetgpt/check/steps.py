"""One step of a workbook beside what it should show."""

from dataclasses import dataclass, replace
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from sheetgpt.book.book import Layout, StepRecord
from sheetgpt.calculate.values import BLANK, EMPTY, NUMBER, Error
from sheetgpt.check.expected import formula_cells
from sheetgpt.check.file import Floats, Grid, ModelInFile, grid
from sheetgpt.check.formulas import Formulas
from sheetgpt.check.grids import ANYTHING, SOMETHING
from sheetgpt.check.report import StepResult
from sheetgpt.formula.cells import Area

TOLERANCE = 1e-9  # times the largest number of the step, where that is above 1


def step_result(
    model: ModelInFile, name: str, wanted: Grid | Floats | None, tokens: Grid | None
) -> StepResult:
    """What a step holds, beside what it should; None where only errors would be wrong.

    tokens: the texts that stand beside its rows, in a column; None if nobody has calculated them.
    """
    area = model.names.get(name)
    if area is None:
        return StepResult("", name, "step", problem=f"the defined name {name} is missing")
    if wanted is None:
        problem = _errors(model, area) or _labels(model, name, area, tokens)
        return StepResult(area.tab, name, "formulas", int(np.prod(area.shape)), problem=problem)
    if area.shape != wanted.shape:
        found, needed = (" × ".join(map(str, shape)) for shape in (area.shape, wanted.shape))
        sentence = f"{name} is {found} cells at {area}, but the model needs {needed}"
        return StepResult(area.tab, name, "step", problem=sentence)
    compared = (
        _compare_numbers(model, area, wanted.astype(np.float64))
        if wanted.dtype == np.float64
        else _compare_cells(model, area, wanted.astype(object))
    )
    problem, place = _labels(model, name, area, tokens), compared.first_wrong
    if place is not None:
        problem = _difference(model, area, place, wanted[place])
    error, where = float(compared.errors[compared.worst]), str(area.cell(*compared.worst))
    return StepResult(area.tab, name, "step", compared.cells, error, problem, where)


def unlike_neighbours(model: ModelInFile, formulas: Formulas, name: str) -> str:
    """Where a step, or a label of it, has no formula or one unlike its neighbours', if anywhere."""
    area = model.names.get(name)
    if area is None:
        return ""
    record = model.records[name]
    needed, tall = formula_cells(record, area), record.is_tall
    problem = formulas.problem(area, needed, tall=tall, alike=record.alike, window=record.window)
    for labels in () if problem else _beside(record, area):
        needed = np.ones(labels.shape, dtype=bool)
        problem = problem or formulas.problem(labels, needed, tall=labels.top < area.top)
    return problem


def _beside(record: StepRecord, area: Area) -> list[Area]:
    """The tokens' texts stand left of a step's rows, or above its columns, or both."""
    if not record.has_tokens_beside or 1 in (area.left, area.top):
        return []
    left = replace(area, left=area.left - 1, right=area.left - 1)
    above = replace(area, top=area.top - 1, bottom=area.top - 1)
    if record.is_tall:
        return [above]
    return [left, above] if record.layout is Layout.CAUSAL else [left]


def _labels(model: ModelInFile, name: str, area: Area, tokens: Grid | None) -> str:
    if tokens is None:
        return ""
    for labels in _beside(model.records[name], area):
        found = grid(model.values, labels).ravel()
        wrong = np.flatnonzero(found != np.resize(tokens, found.shape))
        if len(wrong):
            place = (0, int(wrong[0])) if labels.top < area.top else (int(wrong[0]), 0)
            return f"{labels.cell(*place)} does not show the token that it should stand for"
    return ""


def _errors(model: ModelInFile, area: Area) -> str:
    for place, value in np.ndenumerate(grid(model.values, area)):
        if isinstance(value, Error):
            return f"{area.cell(*place)} shows {value.value}"
    return ""


@dataclass(frozen=True)
class Comparison:
    """How many cells were compared, how far off each is, and which of them are wrong."""

    cells: int
    errors: Floats
    wrong: NDArray[np.bool_]

    @property
    def first_wrong(self) -> tuple[int, ...] | None:
        found = np.argwhere(self.wrong)
        return tuple(found[0].tolist()) if len(found) else None

    @property
    def worst(self) -> tuple[int, ...]:
        return tuple(int(i) for i in np.unravel_index(self.errors.argmax(), self.errors.shape))


def _compare_numbers(model: ModelInFile, area: Area, wanted: Floats) -> Comparison:
    kinds, numbers = model.values.cells(area)
    blank, free = np.isnan(wanted), np.isinf(wanted)
    error = np.where(kinds == NUMBER, np.abs(numbers - wanted), np.inf)
    error[blank] = np.where((kinds[blank] == EMPTY) | (kinds[blank] == BLANK), 0.0, np.inf)
    error[free] = 0.0
    tolerance = TOLERANCE * np.max(np.abs(wanted), initial=1.0, where=~(blank | free))
    return Comparison(int((~(blank | free)).sum()), error, ~(error <= tolerance))


def _compare_cells(model: ModelInFile, area: Area, wanted: Grid) -> Comparison:
    """The same for a few cells of any kind."""
    errors = np.zeros(wanted.shape)
    for at, actual in np.ndenumerate(grid(model.values, area)):
        value = wanted[at]
        if value is ANYTHING:
            continue
        if value is SOMETHING:
            errors[at] = 0.0 if isinstance(actual, str) and actual else np.inf
            continue
        if value is None:
            same = actual is None or actual == ""
        elif isinstance(value, str):
            same = actual == value or (actual is None and not value)
        elif isinstance(actual, float):
            errors[at] = abs(actual - value)
            continue
        else:  # a text, or TRUE where 1 should be
            same = False
        errors[at] = 0.0 if same else np.inf
    compared = sum(value is not None and value is not ANYTHING for value in wanted.flat)
    sizes = [abs(float(each)) for each in wanted.flat if isinstance(each, int | float)]
    size = max(filter(isfinite, sizes), default=0.0)
    return Comparison(compared, errors, errors > TOLERANCE * max(1.0, size))


def _difference(model: ModelInFile, area: Area, place: tuple[int, ...], wanted: object) -> str:
    cell = area.cell(*place)
    actual = model.values.read(cell)
    shown = (
        actual.value if isinstance(actual, Error) else "blank" if actual in (None, "") else actual
    )
    should = "blank" if wanted is None or wanted != wanted else wanted
    should = "a sentence" if wanted is SOMETHING else should
    return f"{cell} is {shown}, but should be {should}"
