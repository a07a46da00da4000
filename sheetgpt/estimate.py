"""What a workbook will take, before it is built.

The factors are those of the workbooks in docs/benchmarks.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from sheetgpt.book.book import StepRecord
from sheetgpt.gpt2.config import Config
from sheetgpt.gpt2.weights import shapes
from sheetgpt.xlsx.write import Form

# Weights from which on calculating takes seconds, and every row of tokens much memory.
LARGE = 5_000_000

# Bytes of the file: for each weight, more for each of its digits; for each token of the vocabulary.
FAST, COMPACT, DIGIT, ADDRESS, WORDS = 2.45, 1.25, 0.44, 3.0, 320
MOST_DIGITS = 8  # that a weight has, but for a few

# Bytes of LibreOffice's memory, likewise, and for each cell that a formula fills; and of itself.
NUMBER, TEXT, FORMULA, PROGRAM = 17, 8_000, 400, 400_000_000


@dataclass(frozen=True)
class Estimate:
    """The number of weights, the file's bytes, and the memory that LibreOffice takes, in bytes."""

    n_weights: int
    file_size: int
    memory: int


def is_large(config: Config) -> bool:
    """Whether a model is one that a person should not have to wait for at every edit."""
    return n_weights(config) > LARGE


def n_weights(config: Config) -> int:
    return sum(prod(shape) for shape in shapes(config).values())


def estimate(config: Config, records: Sequence[StepRecord], digits: int, form: Form) -> Estimate:
    """Of a workbook that computes these steps."""
    n = n_weights(config)
    each = (COMPACT if form.compact else FAST) + DIGIT * min(digits, MOST_DIGITS)
    if form.has_addresses(n):
        each += ADDRESS
    cells = sum(prod(record.shape) for record in records)
    return Estimate(
        n,
        int(n * each + config.n_vocab * WORDS + 2 * cells),
        PROGRAM + NUMBER * n + TEXT * config.n_vocab + FORMULA * cells,
    )
