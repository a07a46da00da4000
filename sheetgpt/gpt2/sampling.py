"""Writing on: choosing tokens one after another.

The order of operations is Hugging Face's: temperature, top-k, top-p, renormalise, draw.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sheetgpt.gpt2.config import Config
from sheetgpt.gpt2.reference import Trace, Weights, fitting, forward

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Controls:
    """How to choose: temperature 0 takes the likeliest; top_k 0 and top_p 1 cut nothing.

    seed: a whole number from 0 on; the same seed draws the same numbers.
    """

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 0


def uniform_numbers(seed: int) -> Iterator[float]:
    """Numbers from 0 up to 1: Wichmann and Hill 1982, "Algorithm AS 183", Applied Statistics 31.

    Three small congruential generators, added up; every product is far below 2^53, so doubles
    hold them exactly. The seed sets all three; its square keeps neighbouring seeds apart.
    """
    x, y, z = 1 + seed % 30268, 1 + seed**2 % 30306, 1 + (7 * seed) % 30322
    while True:
        x, y, z = 171 * x % 30269, 172 * y % 30307, 170 * z % 30323
        yield (x / 30269 + y / 30307 + z / 30323) % 1


def probabilities(logits: Floats, controls: Controls) -> Floats:
    """The probabilities to draw from, [n_vocab]; those that are cut are 0.

    Top-k keeps the k largest logits; top-p then keeps the likeliest tokens whose probabilities
    reach p together, and always one. Tokens that are equal to the last one kept are kept too.
    """
    if controls.temperature <= 0:
        certain = np.zeros(len(logits))
        certain[int(logits.argmax())] = 1
        return certain
    weights = np.exp((logits - logits.max()) / controls.temperature)
    descending = np.sort(logits)[::-1]
    if 0 < controls.top_k < len(logits):
        weights[logits < descending[controls.top_k - 1]] = 0
    if controls.top_p < 1:
        order = np.argsort(-logits, kind="stable")
        reached = np.cumsum(weights[order]) >= controls.top_p * weights.sum()
        weights[logits < logits[order[int(reached.argmax())]]] = 0
    kept: Floats = weights / weights.sum()
    return kept


def choose(logits: Floats, controls: Controls, uniform: float) -> int:
    """The id that a number from 0 to 1 falls on, the probabilities laid out in the order of ids."""
    if controls.temperature <= 0:
        return int(logits.argmax())
    below = np.cumsum(probabilities(logits, controls))
    return int(np.searchsorted(below, uniform * below[-1], side="right"))


@dataclass(frozen=True)
class Completion:
    """What the model writes.

    ids: the new ones. trace: every step of `reference.forward` for all tokens that were read in
    the end; nothing where none was written.
    """

    ids: Sequence[int]
    trace: Trace


def complete(
    config: Config,
    weights: Weights,
    ids: Sequence[int],
    n_tokens: int,
    end_of_text: int | None,
    controls: Controls = Controls(),
    context: int | None = None,
) -> Completion:
    """What the model writes after `ids`.

    At most `n_tokens`; fewer where the model writes `end_of_text`, which is then the last id, or
    where `context` tokens (by default all that the model can read) have been read: the last
    token is then chosen from a full context. Raises PromptError if the prompt does not fit.
    """
    room = (context or config.n_ctx) + 1 - len(fitting(config, ids))
    uniform = uniform_numbers(controls.seed)
    written: list[int] = []
    trace: Trace = {}
    while len(written) < min(n_tokens, room) and written[-1:] != [end_of_text]:
        trace = forward(config, weights, [*ids, *written])
        written.append(choose(trace["logits"][-1], controls, next(uniform)))
    return Completion(written, trace)
