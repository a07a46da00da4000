"""Which step of a workbook a difference belongs to."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sheetgpt.book.book import Book
from sheetgpt.check.differences import Difference
from sheetgpt.check.formulas import overlap
from sheetgpt.check.report import StepResult
from sheetgpt.formula.cells import Area

MOST = 1000  # differences that are looked at one by one


def by_step(
    found: Sequence[Difference], areas: Mapping[str, Area], steps: Iterable[str]
) -> dict[str, list[Difference]]:
    """The differences of each step, and under "" those of none.

    areas: the cells of every defined name, in lower case. steps: the names that are reported.
    A step has its cells, and its labels left of them and above.
    """
    known = {name.lower(): name for name in steps}
    on_tab: dict[str, list[tuple[str, Area]]] = {}
    for name, step in known.items():
        if name in areas:
            on_tab.setdefault(areas[name].tab, []).append((step, areas[name]))
    sorted_: dict[str, list[Difference]] = {}
    for difference in found[:MOST]:
        step = known.get(difference.name.lower(), "")
        if difference.area is not None:
            step = _within(difference.area, on_tab.get(difference.area.tab, []))
        sorted_.setdefault(step, []).append(difference)
    return sorted_


def _within(area: Area, steps: Sequence[tuple[str, Area]]) -> str:
    for name, whole in steps:
        if overlap(area, whole):
            return name
    for name, whole in steps:
        labelled = Area(
            whole.tab, max(1, whole.top - 1), max(1, whole.left - 1), whole.bottom, whole.right
        )
        if overlap(area, labelled):
            return name
    return ""


def elsewhere(others: Sequence[Difference]) -> Iterator[StepResult]:
    """Names and properties that are not as sheetgpt wrote them; all else may follow from these."""
    for each in others:
        if each.area is None:
            yield StepResult("", each.name, "written", problem=each.sentence)


def as_written(others: Sequence[Difference], book: Book) -> Iterator[StepResult]:
    """Of every tab whether its formulas and constants are those that sheetgpt wrote.

    others: the differences that belong to no step.
    """
    for tab in book.tabs:
        here = [each for each in others if each.area is not None and each.area.tab == tab.name]
        cells = len(tab.computed) + len(tab.texts) + sum(len(each.values) for each in tab.lists)
        yield StepResult(tab.name, f"tab {tab.name}", "written", cells, problem=_sentence(here))


def _sentence(differences: Sequence[Difference]) -> str:
    """The first difference, and how many more there are."""
    if not differences:
        return ""
    more = f"; {len(differences) - 1} more differ" if len(differences) > 1 else ""
    return differences[0].sentence + more
