"""The witness: GPT-2's forward pass in plain NumPy, reporting every step under its name.

It is written from the paper (Radford et al. 2019; Vaswani et al. 2017 for attention) and shares
no line with what compiles GPT-2 to formulas, so that an agreement of the two means something.
All numbers are float64. In the shapes, n is the number of tokens.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sheetgpt.errors import PromptError
from sheetgpt.gpt2.config import Config

PIECE = 4096  # rows of the vocabulary that are made float64 at a time

Array = NDArray[np.float64]
Weights = Mapping[str, NDArray[Any]]
Trace = dict[str, NDArray[Any]]

BLOCK_STEPS = (
    "input",
    "ln_1.normal",
    "ln_1",
    "attn.c_attn",
    "attn.q",
    "attn.k",
    "attn.v",
    "attn.scores",
    "attn.weights",
    "attn.heads",
    "attn.c_proj",
    "attn.residual",
    "ln_2.normal",
    "ln_2",
    "mlp.c_fc",
    "mlp.gelu",
    "mlp.c_proj",
    "mlp.residual",
)


@dataclass(frozen=True)
class Switches:
    """What each head, [n_layer, n_head], and each MLP, [n_layer], is multiplied by where it writes.

    1 leaves a part as it was learned, 0 takes it out. The output projection's bias belongs to no
    head, the MLP's last bias to the MLP.
    """

    heads: Array
    mlps: Array

    @classmethod
    def on(cls, config: Config) -> "Switches":
        """All of them 1."""
        return cls(np.ones((config.n_layer, config.n_head)), np.ones(config.n_layer))


def step_names(config: Config) -> list[str]:
    """The names of all steps, in the order in which `forward` computes them."""
    return [
        *("tokens.id", "embed.text", "embed.position"),
        *(f"h.{b}.{step}" for b in range(config.n_layer) for step in BLOCK_STEPS),
        *("ln_f.normal", "ln_f", "logits", "softmax", "predicted.id"),
    ]


def gelu_tanh(x: Array) -> Array:
    """GELU's approximation by tanh (Hendrycks & Gimpel 2016): GPT-2's own."""
    tanh: Array = np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))
    return 0.5 * x * (1 + tanh)


def gelu_erf(x: Array) -> Array:
    """GELU itself: x times the normal distribution's probability below x."""
    # erfc(-z) is 1 + erf(z), without losing the lower tail.
    erfc: Array = np.vectorize(math.erfc, otypes=[np.float64])(-x / math.sqrt(2))
    return 0.5 * x * erfc


def relu(x: Array) -> Array:
    """x where it is positive, otherwise 0."""
    return np.maximum(x, 0)


def silu(x: Array) -> Array:
    """x times the logistic function of it (Elfwing et al. 2017; Hendrycks & Gimpel 2016)."""
    with np.errstate(over="ignore"):  # exp of a large number is infinite, and the quotient 0
        share: Array = 1 / (1 + np.exp(-x))
    return x * share


def quick_gelu(x: Array) -> Array:
    """GELU's approximation by the logistic function (Hendrycks & Gimpel 2016)."""
    return silu(1.702 * x) / 1.702


ACTIVATIONS = {
    "gelu_new": gelu_tanh,
    "gelu": gelu_erf,
    "relu": relu,
    "silu": silu,
    "quick_gelu": quick_gelu,
}


def normalise(x: Array, epsilon: float) -> Array:  # [n, d] -> [n, d]
    """Each row with mean 0 and variance 1."""
    centred: Array = x - x.mean(axis=-1, keepdims=True)
    variance = x.var(axis=-1, keepdims=True)  # [n, 1], divided by d, not d - 1
    deviation: Array = np.sqrt(variance + epsilon)
    return centred / deviation


def softmax(x: Array) -> Array:
    """Along the last axis, exp(x) divided by its sum; -inf gets 0."""
    exp: Array = np.exp(x - x.max(axis=-1, keepdims=True))
    total: Array = exp.sum(axis=-1, keepdims=True)
    return exp / total


def float64(weight: NDArray[Any]) -> Array:
    """The weight in double precision, which the whole computation has."""
    return np.asarray(weight, dtype=np.float64)


def linear(x: Array, weights: Weights, name: str) -> Array:  # [n, in] -> [n, out]
    """x @ w + b with the matrix and bias of this name."""
    return x @ float64(weights[f"{name}.w"]) + float64(weights[f"{name}.b"])


def layer_norm(x: Array, weights: Weights, name: str, epsilon: float, trace: Trace) -> Array:
    """Normalise, then gain and bias; [n, d] -> [n, d]."""
    trace[f"{name}.normal"] = normal = normalise(x, epsilon)
    trace[name] = normal * float64(weights[f"{name}.g"]) + float64(weights[f"{name}.b"])
    return trace[name]


def hidden(n: int, window: int) -> NDArray[np.bool_]:  # [query, key]
    """Which keys a query does not see: later ones, and those a window (0: none) leaves behind."""
    distance = np.arange(n)[:, None] - np.arange(n)
    return (distance < 0) | (distance >= (window or n))


def attention(
    x: Array, weights: Weights, block: int, config: Config, switches: Array, trace: Trace
) -> Array:
    """Causal self-attention of a block; [n, d] -> [n, d]. switches: of its heads, [n_head]."""
    (n, d), n_head, name = x.shape, config.n_head, f"h.{block}.attn"
    trace[f"{name}.c_attn"] = c_attn = linear(x, weights, f"{name}.c_attn")  # [n, 3d]
    q, k, v = np.split(c_attn, 3, axis=-1)  # [n, d] each
    trace |= {f"{name}.q": q, f"{name}.k": k, f"{name}.v": v}

    # Head i has columns i*d/n_head up to (i+1)*d/n_head of each; its rows stay tokens.
    q, k, v = (part.reshape(n, n_head, -1).swapaxes(0, 1) for part in (q, k, v))
    mask = hidden(n, config.window(block))
    scores = q @ k.swapaxes(1, 2)  # [n_head, n, n]
    if config.scale_attn_weights:
        scores = scores / math.sqrt(d / n_head)
    if config.scale_attn_by_inverse_layer_idx:
        scores = scores / (block + 1)
    trace[f"{name}.scores"] = np.where(mask, np.nan, scores).swapaxes(0, 1)
    attended = softmax(np.where(mask, -np.inf, scores))  # [n_head, n, n]
    trace[f"{name}.weights"] = np.where(mask, np.nan, attended).swapaxes(0, 1)

    found = attended @ v * switches[:, None, None]  # [n_head, n, d / n_head]
    trace[f"{name}.heads"] = heads = found.swapaxes(0, 1).reshape(n, d)
    trace[f"{name}.c_proj"] = c_proj = linear(heads, weights, f"{name}.c_proj")
    return c_proj


def mlp(
    x: Array, weights: Weights, name: str, activation: str, switch: float, trace: Trace
) -> Array:
    """Up to n_inner, the activation, and down again; [n, d] -> [n, d]."""
    trace[f"{name}.c_fc"] = c_fc = linear(x, weights, f"{name}.c_fc")  # [n, n_inner]
    trace[f"{name}.gelu"] = gelu = ACTIVATIONS[activation](c_fc)  # [n, n_inner]
    trace[f"{name}.c_proj"] = c_proj = switch * linear(gelu, weights, f"{name}.c_proj")
    return c_proj


def block(
    x: Array, weights: Weights, number: int, config: Config, switches: Switches, trace: Trace
) -> Array:
    """One transformer block, normalising before each of its two halves; [n, d] -> [n, d]."""
    name, epsilon = f"h.{number}", config.layer_norm_epsilon
    trace[f"{name}.input"] = x
    ln_1 = layer_norm(x, weights, f"{name}.ln_1", epsilon, trace)
    x = x + attention(ln_1, weights, number, config, switches.heads[number], trace)
    trace[f"{name}.attn.residual"] = x
    ln_2 = layer_norm(x, weights, f"{name}.ln_2", epsilon, trace)
    switch = float(switches.mlps[number])
    x = x + mlp(ln_2, weights, f"{name}.mlp", config.activation_function, switch, trace)
    trace[f"{name}.mlp.residual"] = x
    return x


def unembed(x: Array, weights: Weights, config: Config) -> Array:  # [n, d] -> [n, n_vocab]
    """The output head: how well each token of the vocabulary goes with each row."""
    head = weights["wte" if config.tie_word_embeddings else "lm_head.w"]  # [n_vocab, d]
    pieces = [x @ float64(head[top : top + PIECE]).T for top in range(0, len(head), PIECE)]
    logits = np.concatenate(pieces, axis=1)
    return logits + float64(weights["lm_head.b"][:])[:, 0] if config.head_bias else logits


def fitting(config: Config, ids: Sequence[int]) -> NDArray[np.int64]:
    """`ids` as an integer array; PromptError if the model has no room or no embedding for them."""
    if len(ids) == 0:
        raise PromptError("the prompt has no tokens, expected at least one; give some text")
    if len(ids) > config.n_ctx:
        raise PromptError(
            f"the prompt has {len(ids)} tokens, but {config.n_ctx} fit the model's context; "
            "shorten the prompt"
        )
    for i in ids:
        if not 0 <= i < config.n_vocab:
            raise PromptError(
                f"the prompt has the token id {i}, expected 0 to {config.n_vocab - 1}; "
                "tokenise it with the model's own vocabulary"
            )
    return np.array(ids, dtype=np.int64)


def forward(
    config: Config, weights: Weights, ids: Sequence[int], switches: Switches | None = None
) -> Trace:
    """Run the model on n token ids: every step of `step_names`, in that order, under its name.

    Shapes, with d = n_embd: `tokens.id` and `predicted.id` [n], integers; `attn.c_attn` [n, 3d];
    `attn.scores` and `attn.weights` [n, n_head, n], NaN where a token would look at one that it
    does not see; `attn.heads` [n, d], the heads side by side; `mlp.c_fc` and `mlp.gelu` (whatever
    the activation is) [n, n_inner]; `logits` and `softmax` [n, n_vocab]; all others [n, d].
    The predicted id is the lowest of those with the largest logit. Without switches all are 1.

    Weights are made float64 one at a time. Raises PromptError if the ids do not fit the model.
    """
    tokens = fitting(config, ids)
    trace: Trace = {"tokens.id": tokens}
    trace["embed.text"] = float64(weights["wte"][tokens])
    trace["embed.position"] = float64(weights["wpe"][: len(tokens)])
    x = trace["embed.text"] + trace["embed.position"]
    for b in range(config.n_layer):
        x = block(x, weights, b, config, switches or Switches.on(config), trace)
    x = layer_norm(x, weights, "ln_f", config.layer_norm_epsilon, trace)
    trace["logits"] = unembed(x, weights, config)
    trace["softmax"] = softmax(trace["logits"])
    trace["predicted.id"] = trace["logits"].argmax(axis=-1)
    return trace
