"""Whether formulas are one formula, filled down or to the right.

Between two neighbouring cells each side of each range either stays or moves along, everywhere in
the same way.  A formula that was changed by hand moves otherwise than its neighbours.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from sheetgpt.formula.expr import Call, Expr, Number, Range, Text


def misfit(trees: Sequence[Expr]) -> int | None:
    """The index of the first formula that is not filled like the others, or None.

    trees: the formulas of neighbouring cells, in order.  Fewer than three prove nothing.
    """
    motions = [tuple(_motion(a, b)) for a, b in pairwise(trees)]
    if len(set(motions)) < 2:
        return None
    usual, _ = Counter(motions).most_common(1)[0]
    first = next(i for i, motion in enumerate(motions) if motion != usual)
    # The pair (first, first + 1) differs. If the pair after it fits, the left one is the odd one.
    fits_after = first + 1 < len(motions) and motions[first + 1] == usual
    return first if fits_after else first + 1


def _motion(a: Expr, b: Expr) -> Iterator[object]:
    """How one formula becomes the next: its operators and constants, and how its ranges move."""
    if isinstance(a, Call) and isinstance(b, Call):
        yield a.op == b.op and a.op, len(a.arguments) - len(b.arguments)
        for one, other in zip(a.arguments, b.arguments, strict=False):
            yield from _motion(one, other)
    elif isinstance(a, Range) and isinstance(b, Range):
        yield a.name, a.name == b.name and a.area.tab == b.area.tab
        yield b.area.top - a.area.top, b.area.bottom - a.area.bottom
        yield b.area.left - a.area.left, b.area.right - a.area.right
    elif isinstance(a, Number | Text) and isinstance(b, Number | Text):
        yield a == b, a
    else:
        yield type(a), type(b)
