"""A logit taken apart: what each part of the model wrote, followed through the final layer norm.

Every part's write is a row of the residual stream. Less its mean, through the deviation of the
whole, times gain and the token's row of the unembedding, it is that part's vote.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sheetgpt.gpt2.config import Config
from sheetgpt.gpt2.reference import Array, Trace, Weights, float64


@dataclass(frozen=True)
class Direction:
    """What a row of the residual stream is worth: less its mean, through the deviation, times this.

    apart: the token's row of the unembedding, less the other's, [n_embd]. bias: what comes to it
    whatever the text is.
    """

    apart: Array
    gain: Array
    deviation: float
    bias: float

    def of(self, write: Array) -> float:  # [n_embd]
        return float(np.dot((write - write.mean()) / self.deviation * self.gain, self.apart))


@dataclass(frozen=True)
class Votes:
    """heads: [n_layer, n_head]; mlps and biases (of the output projections): [n_layer];
    embeddings: of the text and of the position. Together with the constant they are the logit.
    """

    heads: Array
    mlps: Array
    biases: Array
    embeddings: Array
    constant: float


def direction(
    config: Config, weights: Weights, trace: Trace, row: int, pair: Mapping[int, float]
) -> Direction:
    """Of the token in this row; pair: by which factors the logits of which tokens count."""
    matrix = weights["wte" if config.tie_word_embeddings else "lm_head.w"]
    apart = sum((factor * float64(matrix[i]) for i, factor in pair.items()), np.zeros(1))
    x = trace[f"h.{config.n_layer - 1}.mlp.residual"][row]
    bias = float(float64(weights["ln_f.b"][:]) @ apart)
    if config.head_bias:
        bias += sum(factor * float(weights["lm_head.b"][i][0]) for i, factor in pair.items())
    deviation = float(np.sqrt(x.var() + config.layer_norm_epsilon))
    return Direction(apart, float64(weights["ln_f.g"]), deviation, bias)


def votes(config: Config, weights: Weights, trace: Trace, row: int, along: Direction) -> Votes:
    """Of every part, for the token in this row."""
    heads = np.zeros((config.n_layer, config.n_head))
    mlps, biases = np.zeros(config.n_layer), np.zeros(config.n_layer)
    for b in range(config.n_layer):
        c_proj = float64(weights[f"h.{b}.attn.c_proj.w"])
        given = trace[f"h.{b}.attn.heads"][row].reshape(config.n_head, -1)
        for head, rows in enumerate(np.split(c_proj, config.n_head)):
            heads[b, head] = along.of(given[head] @ rows)
        mlps[b] = along.of(trace[f"h.{b}.mlp.c_proj"][row])
        biases[b] = along.of(float64(weights[f"h.{b}.attn.c_proj.b"]))
    embeddings = [along.of(trace[f"embed.{each}"][row]) for each in ("text", "position")]
    return Votes(heads, mlps, biases, np.array(embeddings), along.bias)


def of_tokens(
    config: Config,
    weights: Weights,
    trace: Trace,
    row: int,
    along: Direction,
    where: tuple[int, int],
    switch: float,
) -> tuple[Array, Array]:
    """For each token up to this row: the weight that a head gives it, and what its value is worth.

    where: the block and the head. switch: what the head is multiplied by.
    """
    b, head = where
    rows = np.split(float64(weights[f"h.{b}.attn.c_proj.w"]), config.n_head)[head]
    values = np.split(trace[f"h.{b}.attn.v"][: row + 1], config.n_head, axis=1)[head]
    weight = np.nan_to_num(trace[f"h.{b}.attn.weights"][row, head, : row + 1])
    return weight, np.array([along.of(switch * value @ rows) for value in values])
