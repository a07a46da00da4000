"""The tab `checks`: what the formulas say now, beside what the witness said at build time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sheetgpt.book.book import Blank, Layout, StepRecord
from sheetgpt.book.data import digests
from sheetgpt.book.looks import heading_over
from sheetgpt.book.page import Page
from sheetgpt.book.records import TYPED, model_steps
from sheetgpt.book.rules import begins_with, beside
from sheetgpt.book.trace import LEAST, factors_of_places, factors_of_tokens
from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import Expr, Range, call, fixed, join, when
from sheetgpt.gpt2.config import Config

HOLDS, DIFFERS, OTHER = "✓", "✗", "–"  # the marks are the same in every language
VERDICT, HOW, BUILT = 5, 7, 13  # the rows where the parts begin
CONSTANTS, FACTORS = 11, 15  # the columns of the two tables at the right
COLUMNS = ("mark", "step", "title", "tab", "now", "built", "difference", "tolerance", "verdict")
LOOK_OF = {
    "now": "fingerprint", "built": "fingerprint", "difference": "tiny", "tolerance": "tiny",
    "mark": "check", "verdict": "note",
}  # fmt: skip
WIDTHS = (8, 30, 28, 16, 20, 20, 13, 13, 16, 3, 30, 14, 20, 3, 14, 14)


@dataclass(frozen=True)
class Inputs:
    """What a person may type, by its name: what it is at build time, and its cell."""

    values: Mapping[str, str | float]
    cells: Mapping[str, Range]


@dataclass(frozen=True)
class Compared:
    """How many tokens the prompt has at build time, and how many rows are read in all."""

    prompt: int
    read: int


def built_with(page: Page) -> dict[str, Range]:
    """What each input was at build time; reserved, since the tab `switches` reads the prompt."""
    rows = enumerate(TYPED, start=BUILT + 1)
    return {name: page.define(f"checks.{name}", page.area(row, 3)) for row, name in rows}


def checks_page(
    page: Page,
    config: Config,
    built: Mapping[str, Range],
    typed: Inputs,
    tokens: Compared,
    witness: NDArray[np.float64] | None,
    learned: Sequence[Page],
) -> Range:
    """Lay out the comparison; returns the verdict.

    witness: of each step the fingerprint and the tolerance, [n, 2]; zeros stand for None.
    learned: the pages whose constants get fingerprints of their own.
    """
    page.widths = dict(enumerate(WIDTHS, start=1))
    for row, part in enumerate(("how", "how 1", "how 2", "how 3", "how 4"), start=HOW):
        text = page.words.label(f"checks {part}", least=LEAST)
        page.write(row, 2, text, "why" if row > HOW else "step title")
    others = _others(page, built, typed, tokens)
    steps = model_steps(config, page.names["tokens.id"].shape[0])
    top = page.row
    _factors(page, top, steps)
    for column, heading in enumerate(COLUMNS, start=1):
        look = heading_over(LOOK_OF.get(heading, "text"))
        page.write(top + 1, column, page.words.label(f"column {heading}"), look)
    page.write(top, 2, page.words.label("checks steps"), "step title")
    columns = {
        heading: page.define(f"checks.{heading}", page.area(top + 2, column, len(steps))).area
        for column, heading in enumerate(COLUMNS, start=1)
    }
    said = np.zeros((len(steps), 2)) if witness is None else witness
    for index, name in enumerate(("built", "tolerance")):
        page.fill(top + 2, columns[name].left, said[:, index : index + 1], LOOK_OF[name])
    for index, step in enumerate(steps):
        _line(page, step, {key: area.row(index) for key, area in columns.items()}, tokens, others)
    for area in (columns["mark"], columns["verdict"]):
        page.rule(area, beside(area, 1).equals(DIFFERS), "differs")
    digests(page, [*learned, page], top, CONSTANTS)
    return _verdict(page, columns, others)


def _others(page: Page, built: Mapping[str, Range], typed: Inputs, tokens: Compared) -> Range:
    """How many inputs are not what they were; above that, what they were and what they are."""
    label = page.words.label
    page.write(BUILT, 2, label("checks built with"), "step title")
    for column, heading in enumerate(("built with", "is now"), start=3):
        page.write(BUILT, column, label(f"column {heading}"), "heading")
    top = BUILT + 1
    now = page.define("checks.typed", page.area(top, 4, len(built))).area
    marks = page.define("checks.same", page.area(top, 1, len(built))).area
    for index, (name, was) in enumerate(built.items()):
        row, cell = was.area.top, typed.cells[name]
        page.write(row, 2, label(f"column {name}"), "text")
        page.write(row, 3, typed.values[name], "text")
        page.compute(now.row(index), when(call("LEN", cell).equals(0), "", cell), "text")
        equal = call("EXACT", Range(was.area), Range(now.row(index)))
        page.compute(marks.row(index), when(equal, HOLDS, OTHER), "check")
    row = top + len(built)
    for name, count in (("tokens", tokens.prompt), ("read", tokens.read)):
        page.write(row, 2, label(f"checks {name}"), "text")
        page.write(row, 3, count, "integer left")
        page.define(f"checks.{name}", page.area(row, 3))
        row += 1
    page.write(row, 2, label("checks others"), "text")
    page.row = row + 2
    differ = call("SUM", when(Range(marks).equals(HOLDS), 0, 1))
    return page.compute_named("checks.others", row, 3, differ, "integer left")


def _line(
    page: Page, step: StepRecord, cells: Mapping[str, Area], tokens: Compared, others: Range
) -> None:
    """One step: its name leads to its cells."""
    area, words = page.names[step.name], page.words
    title = words.step(step.words).title
    for key, value in (("step", step.name), ("title", title), ("tab", step.tab)):
        cell = cells[key]
        link = area.cell(0, 0) if key == "step" else None
        page.write(cell.top, cell.left, value, "link" if link else "text", link)
    now, built, difference, limit, mark = (
        Range(cells[key]) for key in ("now", "built", "difference", "tolerance", "mark")
    )
    is_other = others > 0
    within = call("IFERROR", difference <= limit, 0)
    trees: dict[str, Expr] = {
        "now": fingerprint(page.names, step, tokens),
        "difference": when(is_other, "", call("ABS", now - built)),
        "mark": when(is_other, OTHER, when(within, HOLDS, DIFFERS)),
        "verdict": when(
            mark.equals(HOLDS),
            words.label("checks holds"),
            when(mark.equals(DIFFERS), words.label("checks differs"), words.label("checks other")),
        ),
    }
    for key, tree in trees.items():
        page.compute(cells[key], tree, LOOK_OF[key])


def fingerprint(names: Mapping[str, Area], step: StepRecord, tokens: Compared) -> Expr:
    """The cells of a step, each times two factors, added up: those of the tokens of build time."""
    area = names[step.name]
    first = tokens.prompt - 1 if step.is_tall else 0
    read = 1 if step.layout is Layout.SCALAR else tokens.read
    of_tokens = fixed(Range(names["factors.of_tokens"].rows(first, read)))
    of_places = fixed(Range(names["factors.of_places"].rows(0, step.n_places)))
    if step.is_tall:
        return call("SUMPRODUCT", Range(area.columns(first, read)), of_places * of_tokens.T)
    return call("SUMPRODUCT", Range(area.rows(0, read)), of_tokens * of_places.T)


def _factors(page: Page, top: int, steps: Sequence[StepRecord]) -> None:
    """A factor for each token and for each place in the longest row or column of a step."""
    context = steps[0].shape[0]
    longest = max(step.n_places for step in steps)
    page.write(top, FACTORS, page.words.label("checks factors"), "step title")
    for column, (name, values) in enumerate(
        {"tokens": factors_of_tokens(context), "places": factors_of_places(longest)}.items(),
        start=FACTORS,
    ):
        page.write(top + 1, column, page.words.label(f"column of {name}"), "heading right")
        page.fill(top + 2, column, values[:, None], "factor", f"factors.of_{name}")


def _verdict(page: Page, columns: Mapping[str, Area], others: Range) -> Range:
    """All of it in one sentence."""
    words = page.words
    marks, steps, tabs = (Range(columns[name]) for name in ("mark", "step", "tab"))
    count = marks.area.shape[0]
    wrong = call("SUM", when(marks.equals(DIFFERS), 1, 0))
    first = call("MATCH", DIFFERS, marks, 0)
    some_differ = words.sentence(
        "checks some differ",
        wrong=wrong,
        count=count,
        step=call("INDEX", steps, first),
        tab=call("INDEX", tabs, first),
    )
    sentence = when(
        others > 0,
        join(OTHER, " " + words.label("checks not compared")),
        when(
            wrong > 0,
            join(DIFFERS, " ", some_differ),
            join(HOLDS, " ", words.sentence("checks all hold", count=count)),
        ),
    )
    page.blanks.append(Blank(page.area(VERDICT, 3, 1, 3), "verdict"))
    page.heights[VERDICT] = 24
    verdict = page.compute_named("checks.summary", VERDICT, 2, sentence, "verdict")
    page.rule(
        page.area(VERDICT, 2, 1, 4), begins_with(DIFFERS, fixed(Range(verdict.area))), "differs"
    )
    return verdict
