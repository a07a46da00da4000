"""From a file to a report: read, calculate, compare."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sheetgpt.calculate.recalculate import reads
from sheetgpt.check.constants import against, constants
from sheetgpt.check.differences import Difference, differences
from sheetgpt.check.engines import CALCULATORS, Calculator
from sheetgpt.check.expected import wanted_of
from sheetgpt.check.file import ModelInFile, stated
from sheetgpt.check.formulas import Formulas, overlap
from sheetgpt.check.limits import limits_of, refuse_excess, refuse_promises
from sheetgpt.check.places import as_written, by_step, elsewhere
from sheetgpt.check.report import Report, StepResult
from sheetgpt.check.steps import step_result, unlike_neighbours
from sheetgpt.check.tries import affordable, inputs, tried
from sheetgpt.check.written import written
from sheetgpt.checkpoint.checkpoint import Checkpoint
from sheetgpt.gpt2.weights import shapes
from sheetgpt.progress import Progress, silent
from sheetgpt.xlsx.read import read


def check(
    path: Path,
    engine: str = "numpy",
    checkpoint: Checkpoint | None = None,
    progress: Progress = silent,
    tries: int | None = None,
    calculators: Mapping[str, Calculator] = CALCULATORS,
    jobs: int = 1,
) -> Report:
    """Check the workbook at `path`.

    engine: who calculates: `numpy` (our evaluator), `libreoffice` (a real recalculation), or
        `cached` (nobody: the values that the last program to save the file left in it).
    checkpoint: if given, every weight, token and merge must be the checkpoint's.
    tries: with how many other inputs the engine is to calculate, if it is ours; None for as many
        as a model of this size allows.
    jobs: how many cores to use for reading.
    Raises WorkbookError where the file cannot be read or is not one of ours, and OfficeError
    where LibreOffice is wanted and missing.
    """
    workbook = read(path, progress, lambda said: limits_of(stated(path, said)), jobs)
    model = ModelInFile(path, workbook)
    names, most = list(model.records), limits_of(model.stated)

    progress("comparing with what was written")
    refuse_promises(path, len(workbook.formulas), most)
    book, note = written(model)
    formulas = Formulas(workbook, book)
    refuse_excess(path, formulas.parsed, most)
    found = (
        [] if book is None else list(differences(workbook, formulas, book, shapes(model.config)))
    )
    progress(engine)
    calculated = calculators[engine](model, formulas, names)
    found += calculated.differences
    results = [*constants(model), *(against(model, checkpoint) if checkpoint else ())]
    differ = by_step(found, workbook.names, [*(result.step for result in results), *names])
    if not any(result.problem for result in results):  # else they would only repeat it
        results = [_with(result, differ) for result in results]
    results = [*elsewhere(differ.get("", [])), *results]

    progress("witness")
    ids, wanted = wanted_of(model)
    ahead = _reads_ahead(model, formulas, names) if calculated.circular is not None else {}
    tokens = model.shown("tokens.text") if calculated.is_whole else None
    for name in names:
        result = step_result(model, name, wanted.get(name), tokens)
        if name in ahead:
            result = replace(result, problem=ahead[name])
        elif book is None and not result.problem:
            result = replace(result, problem=unlike_neighbours(model, formulas, name))
        results.append(_with(result, differ))
    if book is not None:
        results += as_written(differ.get("", []), book)
    is_faulty = any(result.problem for result in results)
    if calculated.circular is not None and not is_faulty:
        raise calculated.circular  # among formulas that somebody has added

    token = model.shown("predicted.token")
    predicted, prompt = "" if token is None else str(token[0, 0]), model.prompt
    notes = [note] if note else []
    if calculated.again is not None and wanted and not is_faulty:
        count, why = affordable(model) if tries is None else (tries, "")
        notes += [why] if why else []
        for number in range(1, count + 1):
            progress(f"other inputs ({number} of {count})")
            typed, called = inputs(model, number), f"other input {number}"
            results.append(tried(model, typed, called, names, calculated.again))
    tabs = list(model.values.by_tab)
    return Report(model.name, engine, prompt, len(ids), predicted, results, notes, tabs)


def _with(result: StepResult, differ: Mapping[str, Sequence[Difference]]) -> StepResult:
    """A result with what differs of what was written, which says more than a wrong number."""
    return (
        replace(result, problem=differ[result.step][0].sentence)
        if result.step in differ
        else (result)
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
