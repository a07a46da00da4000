"""What a check finds."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class StepResult:
    """What was found of one step, or of one range of constants.

    cells: how many were compared. error: the largest absolute difference.
    problem: one sentence, or empty where the step holds.
    """

    tab: str
    step: str
    cells: int = 0
    error: float = 0.0
    problem: str = ""


@dataclass(frozen=True)
class Report:
    """The result of a check; prompt and predicted token are the workbook's own."""

    model: str
    engine: str
    prompt: str
    n_tokens: int
    predicted: str
    results: Sequence[StepResult]

    @property
    def first_problem(self) -> StepResult | None:
        return next((result for result in self.results if result.problem), None)

    @property
    def holds(self) -> bool:
        return self.first_problem is None
