"""What a file may ask for: a few times what a workbook of the model it names would need.

Without limits a file of a kilobyte could keep a computer busy for days: one formula over a whole
sheet is 17,179,869,184 cells.
"""

from collections.abc import Iterable
from math import prod
from pathlib import Path

from sheetgpt.calculate.recalculate import Formula
from sheetgpt.check.file import Stated
from sheetgpt.errors import WorkbookError
from sheetgpt.formula.expr import Call, Expr
from sheetgpt.gpt2.weights import shapes
from sheetgpt.xlsx.read import Limits

TIMES = 3  # how often more than what is needed
FEW = 100  # how many times fewer formulas there may be, and how many in any case
LITTLE = 1_000_000  # cells that any file may ask for


def limits_of(its: Stated) -> Limits:
    """What a workbook of this model may ask for."""
    config, room = its.config, its.room
    context, n_vocab, sizes = room.tokens, config.n_vocab, shapes(config)
    widest = max(3 * config.n_embd, config.n_inner, config.n_head * context)
    span = max(
        max(map(prod, sizes.values())),
        n_vocab * (context + config.n_layer + config.n_embd + 20),
        room.bytes * (6 * room.rounds + 40),
        20 * (context + 6) * widest,
    )
    formulas = (
        room.bytes * (6 * room.rounds + 10)
        + 10 * room.characters
        + context * config.n_layer * (20 + 4 * config.n_head)
        + 100 * context
        + config.n_embd
        + config.n_inner
        + 2000
    )
    rows = context + 2 * config.n_layer
    work = rows * (sum(map(prod, sizes.values())) + 200 * n_vocab)
    return Limits(TIMES * span + LITTLE, TIMES * formulas, TIMES * work + 10 * LITTLE)


def refuse_promises(path: Path, n_formulas: int, most: Limits) -> None:
    """Raise WorkbookError where the properties promise a workbook that is not there.

    To compile that would take too much memory or time.
    """
    if most.formulas > FEW * (n_formulas + FEW):
        raise WorkbookError(
            f"{path}: its document properties are those of a workbook of some "
            f"{most.formulas // TIMES:,} formulas, but it has {n_formulas:,}; build it again"
        )


def refuse_excess(path: Path, formulas: Iterable[Formula], most: Limits) -> None:
    """Raise WorkbookError for formulas that would take too much memory or time.

    formulas: those that sheetgpt did not write into the file.
    """
    total = 0
    for formula in formulas:
        its, largest = work(formula.tree)
        total += its
        if total > most.work or largest > most.span:
            raise WorkbookError(
                f"{path}: the formulas up to {formula.area} compute {total:,} cells, far more "
                "than a workbook of this model needs; remove that formula, or build the workbook "
                "again"
            )


def work(tree: Expr) -> tuple[int, int]:
    """How many cells a formula reads, computes and compares on the way, and at most at a time."""
    total, largest, nodes = 0, 0, [tree]
    for node in nodes:
        size = _size(node)
        total += size
        largest = max(largest, size)
        if isinstance(node, Call):
            nodes += node.arguments
            if node.op == "MATCH":
                key, listed, _ = node.arguments
                total += (_size(key) - 1) * _size(listed)
            elif node.op == "MMULT":
                total += size * int(node.arguments[0].shape[1]) // 64  # these are fast
    return total, largest


def _size(tree: Expr) -> int:
    rows, columns = tree.shape
    assert isinstance(rows, int) and isinstance(columns, int)
    return rows * columns
