"""What becomes of the next token when a part of the model is switched off, one part at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sheetgpt.gpt2 import reference
from sheetgpt.gpt2.config import Config
from sheetgpt.gpt2.reference import Array, Switches, Trace, Weights


@dataclass(frozen=True)
class Effects:
    """token: the likeliest next token with all parts, and its probability.

    lead: by how much its logit is above every other's. of_parts: how much further it is so
    without a part, [n_layer, n_head + 1]: the heads of each block, then its MLP; None where nobody
    asked. Where that and the lead together are below 0, another token is the likeliest.
    """

    token: int
    probability: float
    lead: float
    of_parts: Array | None = None


def effects(config: Config, weights: Weights, trace: Trace, n: int, *, parts: bool) -> Effects:
    """Of the token behind the first n of a trace, where all parts were on.

    parts: whether to try without each part, which costs about half a forward pass each time.
    """
    whole = trace["logits"][n - 1]
    token = int(whole.argmax())
    lead, of_parts = _lead(whole, token), None
    if parts:
        rows = np.array(list(_last_rows(config, weights, trace, n)))  # [n_parts, n_embd]
        ln_f = reference.layer_norm(rows, weights, "ln_f", config.layer_norm_epsilon, {})
        logits = reference.unembed(ln_f, weights, config)  # [n_parts, n_vocab]
        without = np.array([_lead(row, token) for row in logits])
        of_parts = (without - lead).reshape(config.n_layer, config.n_head + 1)
    return Effects(token, float(trace["softmax"][n - 1, token]), lead, of_parts)


def _last_rows(config: Config, weights: Weights, trace: Trace, n: int) -> Iterator[Array]:
    """What the last token's row is in the end without each part, block by block.

    What comes before the part stays as it is, so it is not computed again.
    """
    for b in range(config.n_layer):
        for part in range(config.n_head + 1):
            x, switches = trace[f"h.{b}.input"][:n], _without(config, b, part)
            for later in range(b, config.n_layer):
                x = reference.block(x, weights, later, config, switches, {})
            yield x[-1]


def _without(config: Config, block: int, part: int) -> Switches:
    switches = Switches.on(config)
    if part < config.n_head:
        switches.heads[block, part] = 0
    else:
        switches.mlps[block] = 0
    return switches


def _lead(logits: Array, token: int) -> float:
    """How far a token's logit is above the largest of the others; 0 where there is no other."""
    others = np.delete(logits, token)
    return float(logits[token] - others.max(initial=-np.inf)) if len(others) else 0.0
