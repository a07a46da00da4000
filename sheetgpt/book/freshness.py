"""Whether what stands on `start` belongs to the text that stands there.

In an automatic workbook it always does: every formula is an array formula, and no plain formula
depends on one. A workbook that calculates only when asked stays as it was until then, and in
LibreOffice, which takes every array formula for changed when it loads a file but tells nobody so,
F9 leaves new numbers beside old ones until everything has been calculated once. So `start` keeps
the inputs that its numbers were computed from, and shows the numbers only beside these inputs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sheetgpt.book.page import Page
from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import Expr, Like, Range, call, fixed, join, when

ASIDE = 100  # a column of `start` where nobody looks
BETWEEN = "|"  # two inputs that are written one behind the other


@dataclass(frozen=True)
class Freshness:
    """current: the cell that tells so; None where there can be no doubt."""

    current: Range | None = None
    condition: Expr | None = None  # the opposite, for conditional formats
    wait: str = ""  # what to say instead
    belongs: Expr | None = None  # a sentence that says which text the numbers were computed from

    def when(self, tree: Expr, otherwise: Like) -> Expr:
        """A formula that is shown only as long as it belongs to the inputs."""
        return tree if self.current is None else when(self.current, tree, otherwise)

    def mark(self, page: Page, area: Area, *, is_sentence: bool = False) -> None:
        """Hide cells from the moment an input changes, before anything is calculated."""
        if self.condition is not None:
            page.rule(area, self.condition, "stale sentence" if is_sentence else "stale")


def freshness(
    start: Page,
    beside: Page,
    place: Area,
    inputs: Sequence[Range],
    read: Range,
    shown: Sequence[Range],
    elsewhere: Expr,
) -> Freshness:
    """Of a workbook that calculates only when asked.

    The inputs as they were read stand on another tab (`beside`, at `place`), in an array formula
    that depends on everything that `start` shows. LibreOffice therefore tells `start` of a change
    of it only when it can tell of a change of everything else there, too.

    inputs: what a person may type on `start`, the prompt first. read: the prompt as it was read.
    elsewhere: a number that changes with the inputs on other tabs, which no condition can see.
    """
    depends = call("COUNT", *shown) < 0  # never, but it must be counted to know
    text = beside.compute_named(
        "prompt.read", place.top, place.left, when(depends, "", read), "text"
    )
    together = _together([text, *inputs[1:]])
    seen = beside.compute_named("inputs.read", place.top + 1, place.left, together, "text")
    row = start.area(1, 1).top
    kept = start.compute_named("start.calculated", row, ASIDE, seen, "hidden")
    place = place.cell(2, 0)
    other = beside.compute_named(
        "switches.read", place.top, place.left, when(depends, "", elsewhere), "formula plain"
    )
    kept_other = start.compute_named("start.switched", row, ASIDE + 2, other, "hidden")
    same = call("AND", call("EXACT", kept, _together(inputs)), kept_other.equals(elsewhere))
    current = start.compute_named("start.current", row, ASIDE + 1, same, "hidden")
    # LibreOffice hears of a change in the cells that a condition names, not behind defined names.
    here = [fixed(Range(cell.area)) for cell in inputs]
    condition = call("NOT", call("EXACT", fixed(Range(kept.area)), _together(here)))
    belongs = start.words.sentence("computed from", text=text)
    return Freshness(current, condition, start.words.label("calculate first"), belongs)


def _together(parts: Sequence[Expr]) -> Expr:
    first, *rest = parts
    return join(first, *(each for part in rest for each in (BETWEEN, part)))
