"""What a check finds."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True)
class StepResult:
    """What was found of one step, or of one range of constants.

    kind: `constant`, `step` (compared with the witness), or `formulas` (looked at only).
    cells: how many there are. error: the largest absolute difference.
    problem: one sentence, or empty where the step holds.
    """

    tab: str
    step: str
    kind: str
    cells: int = 0
    error: float = 0.0
    problem: str = ""

    @property
    def is_compared(self) -> bool:
        return self.kind == "step"


@dataclass(frozen=True)
class Report:
    """The result of a check; prompt and predicted token are the workbook's own.

    notes: what was not looked at, and why; a sentence each.
    """

    model: str
    engine: str
    prompt: str
    n_tokens: int
    predicted: str
    results: Sequence[StepResult]
    notes: Sequence[str] = ()

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
    def lines(self) -> list[StepResult]:
        """The results for a table: constants and mere formulas of one tab together on a line."""
        lines: list[StepResult] = []
        for (tab, kind, _), group in groupby(self.results, key=_line):
            found = list(group)
            if kind == "step" or len(found) == 1:
                lines += found
            else:
                cells = sum(result.cells for result in found)
                lines.append(
                    StepResult(tab, f"{len(found)} {kind}s".replace("ss", "s"), kind, cells)
                )
        return lines


def _line(result: StepResult) -> tuple[str, str, str]:
    """What goes on one line of the table: a problem always has its own."""
    return result.tab, result.kind, result.step if result.problem else ""
