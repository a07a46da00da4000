"""From a file to a report: read, calculate, compare."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from sheetgpt.book.data import digest, token_texts
from sheetgpt.book.trace import TALL
from sheetgpt.calculate.environment import Environment
from sheetgpt.calculate.recalculate import reads, recalculate
from sheetgpt.calculate.values import BLANK, EMPTY, NUMBER, Error
from sheetgpt.check.expected import (
    ANYTHING,
    CAUSAL,
    expected,
    formula_cells,
    names_of_formulas,
    prompt_ids,
)
from sheetgpt.check.file import Floats, Grid, ModelInFile, grid
from sheetgpt.check.formulas import Formulas, overlap
from sheetgpt.check.report import Report, StepResult
from sheetgpt.checkpoint.checkpoint import Checkpoint
from sheetgpt.errors import WorkbookError
from sheetgpt.formula.cells import Area
from sheetgpt.gpt2.weights import shapes
from sheetgpt.office import libreoffice
from sheetgpt.xlsx.read import read

ENGINES = ("numpy", "libreoffice", "cached")
TOLERANCE = 1e-9  # times the largest number of the step, where that is above 1
LISTS = ("checks.now", "checks.typed")  # where each formula reads something of another kind

Progress = Callable[[str], None]


def check(
    path: Path,
    engine: str = "numpy",
    checkpoint: Checkpoint | None = None,
    progress: Progress = lambda what: None,
) -> Report:
    """Check the workbook at `path`.

    engine: who calculates: `numpy` (our evaluator), `libreoffice` (a real recalculation), or
        `cached` (nobody: the values that the last program to save the file left in it).
    checkpoint: if given, every weight, token and merge must be the checkpoint's.
    Raises WorkbookError where the file cannot be read or is not one of ours, and OfficeError
    where LibreOffice is wanted and missing.
    """
    workbook = read(path, progress)
    model = ModelInFile(path, workbook)
    formulas = Formulas(workbook)
    names = names_of_formulas(model)
    constants = [*_constants(model), *(_against(model, checkpoint) if checkpoint else ())]

    progress(engine)
    circle: WorkbookError | None = None
    if engine == "numpy":
        try:
            recalculate(formulas.all, Environment(workbook.values))
        except WorkbookError as error:
            circle = error
    elif engine == "libreoffice":
        _recalculate_by_libreoffice(model, names)

    def shown(name: str) -> Grid | None:
        return grid(model.values, model.names[name]) if name in model.names else None

    progress("witness")
    wanted: dict[str, Grid | Floats] = {}
    ids: list[int] = []
    if model.tokenizer is not None and len(model.weights) == len(shapes(model.config)):
        ids = prompt_ids(model, model.tokenizer, shown("n_tokens"))
        wanted = expected(model, ids, token_texts(model.tokenizer), shown)
    ahead = _reads_ahead(model, formulas, names) if circle is not None else {}
    tokens = None if engine == "libreoffice" else shown("tokens.text")  # it is asked for names only
    steps = []
    for name in names:
        result = _step(model, formulas, name, wanted.get(name), ahead.get(name, ""))
        if not result.problem and result.tab:
            problem = _labels(model, formulas, name, model.names[name], tokens)
            result = replace(result, problem=problem)
        steps.append(result)
    if circle is not None and not any(step.problem for step in steps):
        raise circle  # among formulas that somebody has added
    token = shown("predicted.token")
    return Report(
        model.name,
        engine,
        model.prompt,
        len(ids),
        "" if token is None else str(token[0, 0]),
        constants + steps,
    )


def _reads_ahead(model: ModelInFile, formulas: Formulas, names: list[str]) -> dict[str, str]:
    """The first step that reads what is computed after it, with a sentence that says so."""
    steps = names[names.index("tokens.id") + 1 :]  # that one does read what is chosen later
    areas = [(name, model.names[name]) for name in steps if name in model.names]
    for i, (name, area) in enumerate(areas):
        later = [other for _, other in areas[i:]]
        for formula in formulas.within(area):
            for needed in reads(formula.tree):
                if any(overlap(needed, other) for other in later):
                    sentence = f"{formula.area}: this formula reads {needed}, which depends on it"
                    return {name: sentence}
    return {}


def _recalculate_by_libreoffice(model: ModelInFile, names: list[str]) -> None:
    """Put what LibreOffice computes for these names in the place of what the file says."""
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


# --- constants ---------------------------------------------------------------------------------


def _constants(model: ModelInFile) -> Iterator[StepResult]:
    """The weights' shapes, and that nobody has changed a constant since the workbook was built."""
    fingerprints = dict(
        zip(model.texts("checks.constant"), model.texts("checks.fingerprint"), strict=False)
    )
    for name in ("prompt", "checks.constant", "checks.fingerprint"):
        if name not in model.names:
            yield StepResult("", name, "constant", problem=f"the defined name {name} is missing")
    wanted = shapes(model.config)
    for name in (*wanted, *(name for name in fingerprints if name not in wanted)):
        area = model.names.get(name)
        if area is None:
            yield StepResult("", name, "constant", problem=f"the defined name {name} is missing")
            continue
        problem = _constant(model, name, area, wanted.get(name), fingerprints.get(name))
        yield StepResult(area.tab, name, "constant", int(np.prod(area.shape)), problem=problem)
    epsilon = model.numbers("layer_norm_epsilon")
    if epsilon is None or epsilon[0, 0] != model.config.layer_norm_epsilon:
        tab = model.names["layer_norm_epsilon"].tab if epsilon is not None else ""
        yield StepResult(
            tab,
            "layer_norm_epsilon",
            "constant",
            problem=f"layer_norm_epsilon is not the model's {model.config.layer_norm_epsilon}",
        )


def _constant(
    model: ModelInFile, name: str, area: Area, shape: tuple[int, ...] | None, built: str | None
) -> str:
    if shape is not None:
        rows, columns = (1, *shape)[-2:]
        if area.shape != (rows, columns):
            found = " × ".join(map(str, area.shape))
            return f"{name} is {found} cells at {area}, but the model needs {rows} × {columns}"
        if name not in model.weights:
            return f"{name} holds cells that are not numbers, somewhere in {area}"
    values = model.weights[name].astype(np.float32) if shape is not None else model.numbers(name)
    now = digest(model.texts(name) if values is None else values)
    if built is None:
        return (
            f"{name} has lost its fingerprint, by which one could tell whether {area} was changed"
        )
    if built != now:
        return f"{name} is not what it was when the workbook was built: a cell in {area} differs"
    return ""


def _against(model: ModelInFile, checkpoint: Checkpoint) -> Iterator[StepResult]:
    """What differs from a checkpoint."""
    if model.config != checkpoint.config:
        problem = f"the workbook's model has not the configuration of {checkpoint.name}"
        yield StepResult("", "config", "constant", problem=problem)
        return
    for name, weight in model.weights.items():
        theirs = np.asarray(checkpoint.weights[name])
        different = np.argwhere(np.atleast_2d(weight.astype(np.float32) != theirs))
        if len(different):
            area = model.names[name].cell(*different[0].tolist())
            others = f", nor are {len(different) - 1:,} more cells" if different[1:].size else ""
            problem = f"{area} is not the weight of the checkpoint {checkpoint.name}{others}"
            yield StepResult(area.tab, name, "constant", int(theirs.size), problem=problem)
    if model.tokenizer != checkpoint.tokenizer:
        problem = f"the tokens or merges differ from those of the checkpoint {checkpoint.name}"
        yield StepResult("vocabulary", "vocabulary.token", "constant", problem=problem)


# --- steps -------------------------------------------------------------------------------------


def _step(
    model: ModelInFile,
    formulas: Formulas,
    name: str,
    wanted: Grid | Floats | None,
    problem: str,
) -> StepResult:
    """What is found of a step; `problem` is what is known to be wrong with it already."""
    area = model.names.get(name)
    if area is None:
        return StepResult("", name, "step", problem=f"the defined name {name} is missing")
    if wanted is not None and area.shape != wanted.shape:
        found, needed = (" × ".join(map(str, shape)) for shape in (area.shape, wanted.shape))
        sentence = f"{name} is {found} cells at {area}, but the model needs {needed}"
        return StepResult(area.tab, name, "step", problem=sentence)
    problem = problem or formulas.problem(
        area, formula_cells(name, area), tall=name in TALL, alike=name not in LISTS
    )
    if wanted is None:
        cells = int(np.prod(area.shape))
        return StepResult(
            area.tab, name, "formulas", cells, problem=problem or _errors(model, area)
        )
    cells, error, place = (
        _compare_numbers(model, area, wanted.astype(np.float64))
        if wanted.dtype == np.float64
        else _compare_cells(model, area, wanted.astype(object))
    )
    if place is not None and not problem:
        problem = _difference(model, area, place, wanted[place])
    return StepResult(area.tab, name, "step", cells, error, problem)


def _labels(
    model: ModelInFile, formulas: Formulas, name: str, area: Area, tokens: Grid | None
) -> str:
    """The tokens' texts stand left of a step's rows, or above its columns, or both.

    tokens: these texts in a column; None if only the formulas are to be looked at.
    """
    if not name.startswith(("h.", "embed.", "ln_f", "logits", "softmax")):
        return ""
    if area.left == 1 or area.top == 1:
        return f"{name} is at {area}, where there is no room for the tokens beside it"
    left = replace(area, left=area.left - 1, right=area.left - 1)
    above = replace(area, top=area.top - 1, bottom=area.top - 1)
    for labels in [above] if name in TALL else [left, above] if name.endswith(CAUSAL) else [left]:
        needed = np.ones(labels.shape, dtype=bool)
        problem = formulas.problem(labels, needed, tall=labels is above)
        if problem:
            return problem
        if tokens is None:
            continue
        found = grid(model.values, labels).ravel()
        wrong = np.flatnonzero(found != np.resize(tokens, found.shape))
        if len(wrong):
            place = (0, int(wrong[0])) if labels is above else (int(wrong[0]), 0)
            return f"{labels.cell(*place)} does not show the token that it should stand for"
    return ""


def _errors(model: ModelInFile, area: Area) -> str:
    for place, value in np.ndenumerate(grid(model.values, area)):
        if isinstance(value, Error):
            return f"{area.cell(*place)} shows {value.value}"
    return ""


Comparison = tuple[int, float, tuple[int, ...] | None]


def _compare_numbers(model: ModelInFile, area: Area, wanted: Floats) -> Comparison:
    """How many cells were compared, the largest difference, and where the first wrong one is."""
    kinds, numbers = model.values.cells(area)
    blank, free = np.isnan(wanted), np.isinf(wanted)
    error = np.where(kinds == NUMBER, np.abs(numbers - wanted), np.inf)
    error[blank] = np.where((kinds[blank] == EMPTY) | (kinds[blank] == BLANK), 0.0, np.inf)
    error[free] = 0.0
    tolerance = TOLERANCE * np.max(np.abs(wanted), initial=1.0, where=~(blank | free))
    wrong = np.argwhere(~(error <= tolerance))
    place = tuple(wrong[0].tolist()) if len(wrong) else None
    return int((~(blank | free)).sum()), float(error.max(initial=0.0)), place


def _compare_cells(model: ModelInFile, area: Area, wanted: Grid) -> Comparison:
    """The same for a few cells of any kind."""
    errors = np.zeros(wanted.shape)
    for at, actual in np.ndenumerate(grid(model.values, area)):
        value = wanted[at]
        if value is ANYTHING:
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
    wrong = np.argwhere(errors > TOLERANCE)
    place = tuple(wrong[0].tolist()) if len(wrong) else None
    compared = sum(value is not None and value is not ANYTHING for value in wanted.flat)
    return compared, float(errors.max(initial=0.0)), place


def _difference(model: ModelInFile, area: Area, place: tuple[int, ...], wanted: object) -> str:
    cell = area.cell(*place)
    actual = model.values.read(cell)
    shown = (
        actual.value if isinstance(actual, Error) else "blank" if actual in (None, "") else actual
    )
    should = "blank" if wanted is None or wanted != wanted else wanted
    return f"{cell} is {shown}, but should be {should}"
