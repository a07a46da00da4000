"""What the witness says before there is a book: what it writes, and a fingerprint of every step.

It computes with the numbers that a spreadsheet makes of the weights' decimals.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sheetgpt.book.records import model_steps
from sheetgpt.book.trace import fingerprint, laid_out, tolerance
from sheetgpt.calculate.numerals import Float32Numerals, begin_to_read_back
from sheetgpt.checkpoint.checkpoint import Checkpoint
from sheetgpt.gpt2.effects import Effects, effects
from sheetgpt.gpt2.sampling import complete
from sheetgpt.workers import Workers

Floats = NDArray[np.float64]


class ReadBack(Mapping[str, Any]):
    """The weights as a spreadsheet reads them, which workers begin to make at once.

    A vector is a row of cells there, but here it keeps its one side.
    """

    def __init__(self, weights: Mapping[str, NDArray[np.float32]], workers: Workers) -> None:
        self._weights = weights
        self._begun = {
            name: begin_to_read_back(np.atleast_2d(weight), workers)
            for name, weight in weights.items()
        }
        self._made: dict[str, Floats | Float32Numerals] = {}

    def __getitem__(self, name: str) -> Floats | Float32Numerals:
        if name not in self._made:
            made = self._begun[name]()
            self._made[name] = made if self._weights[name].ndim == 2 else np.asarray(made)[0]
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._weights)

    def __len__(self) -> int:
        return len(self._weights)


@dataclass(frozen=True)
class Said:
    """fingerprints: of each of `model_steps`, and how far each may be off, [n, 2]. built: of the
    next token.
    """

    fingerprints: Floats
    built: Effects


def said(
    checkpoint: Checkpoint,
    weights: ReadBack,
    prompt: str,
    new_tokens: int,
    context: int,
    *,
    parts: bool,
) -> Said:
    """Of the prompt's tokens, and the likeliest ones that the witness writes behind them.

    parts: whether to try without each part of the model.
    """
    config, tokenizer = checkpoint.config, checkpoint.tokenizer
    ids = tokenizer.encode_prompt(prompt)
    end = tokenizer.end_of_text
    trace = complete(config, weights, ids, new_tokens, end, context=context).trace
    found = []
    for record in model_steps(config, context):
        cells = laid_out(record, trace[record.name], len(ids) - 1)
        found.append((fingerprint(record, cells), tolerance(cells)))
    built = effects(config, weights, trace, len(ids), parts=parts)
    return Said(np.array(found), built)
