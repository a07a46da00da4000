"""A report as a person sees it, and as a machine reads it."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from math import isfinite

from rich.table import Table
from rich.text import Text

from sheetgpt.check.report import Report, StepResult, TabLine

WHAT = {  # of each kind of result, in the order of a line
    "step": ("step", "steps"),
    "formulas": ("range of formulas", "ranges of formulas"),
    "constant": ("constant", "constants"),
    "try": ("other input", "other inputs"),
}


def table(report: Report, *, verbose: bool) -> Table:
    """A line for each tab, or for each step."""
    columns = ("tab", "step" if verbose else "compared", "cells", "largest error", "verdict")
    shown = Table(box=None, pad_edge=False)
    for heading in columns:
        right = heading in ("cells", "largest error")
        shown.add_column(heading, justify="right" if right else "left")
    for row in map(_step, report.results) if verbose else map(_tab, report.lines):
        shown.add_row(*row)
    return shown


def _step(result: StepResult) -> tuple[str | Text, ...]:
    error = result.error if result.kind in ("step", "try") else None
    return _row(result.tab, result.step, result.cells, error, holds=not result.problem)


def _tab(line: TabLine) -> tuple[str | Text, ...]:
    counts = line.counts
    said = [
        f"{counts[kind]} {words[counts[kind] > 1]}"
        for kind, words in WHAT.items()
        if (counts[kind])
    ]
    return _row(line.tab, ", ".join(said) or "labels", line.cells, line.error, holds=line.holds)


def _row(
    tab: str, what: str, cells: int, error: float | None, *, holds: bool
) -> tuple[str | Text, ...]:
    verdict = Text("holds", "green") if holds else Text("DIFFERS", "bold red")
    return tab, what, f"{cells:,}", "" if error is None else f"{error:.1e}", verdict


def sentences(report: Report) -> Iterator[str]:
    """What differs, what was not looked at, and the verdict."""
    for result in report.problems:
        yield f"{result.step}: {result.problem}"
    yield ""
    for note in report.notes:
        yield f"Note: {note}"
    if report.first_problem is not None:
        yield f"The first step that differs: {report.first_problem.step}"
        return
    worst = report.worst
    where = f", at {worst.where}" if worst is not None and worst.error and worst.where else ""
    yield (
        f"All {len(report.results)} ranges hold ({report.engine}); "
        f"the largest error of {report.cells:,} cells is {report.error:.1e}{where}."
    )


def as_json_text(report: Report) -> str:
    """Everything; the error is null where something else stands than a number."""
    first, worst = report.first_problem, report.worst
    return json.dumps(
        {
            "model": report.model,
            "engine": report.engine,
            "prompt": report.prompt,
            "n_tokens": report.n_tokens,
            "predicted": report.predicted,
            "holds": report.holds,
            "first_problem": None if first is None else _for_machines(first),
            "largest_error": None if worst is None else _for_machines(worst),
            "notes": list(report.notes),
            "steps": [_for_machines(result) for result in report.results],
        },
        ensure_ascii=False,
        indent=1,
    )


def _for_machines(result: StepResult) -> dict[str, object]:
    return asdict(result) | {"error": result.error if isfinite(result.error) else None}
