"""What a check finds."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class StepResult:
    """What was found of one step, of one range of constants, of a tab, or with another input.

    kind: `constant`, `step` (compared with the witness), `formulas` (looked at only), `written`
        (a tab's formulas and labels, beside those that sheetgpt wrote), or `try` (all steps
        with another input).
    cells: how many there are. error: the largest absolute difference, and where it is.
    problem: one sentence, or empty where the step holds.
    """

    tab: str
    step: str
    kind: str
    cells: int = 0
    error: float = 0.0
    problem: str = ""
    where: str = ""

    @property
    def is_compared(self) -> bool:
        return self.kind == "step"


@dataclass(frozen=True)
class Report:
    """The result of a check; prompt and predicted token are the workbook's own.

    notes: what was not looked at, and why; a sentence each. tabs: the workbook's, in order.
    """

    model: str
    engine: str
    prompt: str
    n_tokens: int
    predicted: str
    results: Sequence[StepResult]
    notes: Sequence[str] = ()
    tabs: Sequence[str] = ()

    @property
    def problems(self) -> list[StepResult]:
        return [result for result in self.results if result.problem]

    @property
    def first_problem(self) -> StepResult | None:
        return next(iter(self.problems), None)

    @property
    def holds(self) -> bool:
        return not self.problems

    @property
    def cells(self) -> int:
        """How many cells were compared with the witness."""
        return sum(result.cells for result in self.results if result.is_compared)

    @property
    def error(self) -> float:
        """The largest absolute difference from the witness."""
        return max((result.error for result in self.results), default=0.0)

    @property
    def worst(self) -> StepResult | None:
        """The step with the largest error, with the file's inputs or with others."""
        steps = [result for result in self.results if result.kind in ("step", "try")]
        return max(steps, key=lambda result: result.error, default=None)

    @property
    def lines(self) -> list["TabLine"]:
        """What was found, a line for each tab, and one for the other inputs."""
        names = dict.fromkeys(result.tab for result in self.results)
        ordered = [*(tab for tab in self.tabs if tab in names), *(names.keys() - {*self.tabs})]
        return [
            TabLine(tab, [result for result in self.results if result.tab == tab])
            for tab in ordered
        ]


@dataclass(frozen=True)
class TabLine:
    """All results of one tab; of none in particular, where `tab` is empty."""

    tab: str
    results: Sequence[StepResult]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many results there are of each kind."""
        return Counter(result.kind for result in self.results)

    @property
    def cells(self) -> int:
        """How many cells were looked at; those of a mere tab of labels are its labels."""
        named = [each for each in self.results if each.kind != "written"] or self.results
        return sum(result.cells for result in named)

    @property
    def error(self) -> float | None:
        """The largest error, where anything was compared with the witness."""
        compared = [each.error for each in self.results if each.kind in ("step", "try")]
        return max(compared, default=None)

    @property
    def holds(self) -> bool:
        return not any(result.problem for result in self.results)
