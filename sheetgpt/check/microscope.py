"""What the tab `microscope` should show of the number that was asked for, from the witness."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sheetgpt.book.records import (
    CHOSEN,
    LINES,
    MICROSCOPE_INPUTS,
    NORM,
    PRODUCT,
    SOFTMAX,
    UNDER_MICROSCOPE,
    longest_product,
)
from sheetgpt.check.file import Floats, Grid, ModelInFile
from sheetgpt.check.grids import SOMETHING, cell, down
from sheetgpt.gpt2 import reference

Expected = dict[str, Grid | Floats]
NAMES = list(UNDER_MICROSCOPE)
IN_SQUARES = ("attn.scores", "attn.weights")  # a square for each head, tokens on both sides
TALL = ("logits", "softmax")

# What bends an activation; what comes out is the witness's word.
BENDS = {
    "gelu_new": lambda x: math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)),
    "gelu": lambda x: (1 + math.erf(x / math.sqrt(2))) / 2,
    "quick_gelu": lambda x: math.tanh(1.702 * x / 2),
    "silu": lambda x: math.tanh(x / 2),
    "relu": lambda x: float(x > 0),
}


@dataclass(frozen=True)
class _Asked:
    """block, head from 0, token from 1; the column from 0, but of squares it is a token from 1."""

    step: str
    block: int
    token: int
    head: int
    column: int


@dataclass(frozen=True)
class _Parts:
    """first: the place of the first term, from 1. made: what the sum is of. values: the lines."""

    first: int
    left: Floats
    right: Floats
    made: Floats
    values: Sequence[float | None]
    gain: float | None = None
    bias: float | None = None


def microscope(
    model: ModelInFile,
    trace: reference.Trace,
    n_tokens: int,
    texts: Sequence[str],
    switches: reference.Switches,
) -> Expected:
    """n_tokens: of the prompt. texts: of all tokens that are read."""
    step = NAMES.index("".join(model.texts("microscope.step"))) + 1 if _is_known(model) else 0
    block, token, head, column = (_typed(model, name) for name in MICROSCOPE_INPUTS[1:])
    token = token or n_tokens
    asked = _Asked(NAMES[step - 1], block, token, head, column)
    limits = _limits(model, asked) if step else (0, 0, 0)
    found: Expected = {
        "microscope.typed": _column([step, block, token, head, column]),
        "microscope.limits": _column(limits),
    }
    if not step or not _is_there(model, asked, n_tokens, len(texts)):
        return found | _nothing(model)
    parts = _parts(model, trace, asked, switches)
    length, kind = longest_product(model.config, model.room.tokens), UNDER_MICROSCOPE[asked.step]
    last = parts.first - 1 + len(parts.left)
    if asked.step == "attn.heads":
        head = column // (model.config.n_embd // model.config.n_head)
    value = parts.values[-1]
    rows = {"left": parts.left, "right": parts.right, "product": parts.made}
    for name, values in {**rows, "sum": np.cumsum(parts.made)}.items():
        found[f"microscope.{name}"] = down(length, parts.first - 1, values.tolist())
    large = float(np.abs(parts.made).max()) / 2 if len(parts.made) else None
    lines = [*parts.values[:-1], *[None] * (LINES - len(parts.values)), value]
    area = _cell(model, asked)
    for name, its in (("value", value), ("gain", parts.gain), ("bias", parts.bias)):
        found[f"microscope.step.{name}"] = down(len(NAMES), step - 1, [its])
    return found | {
        "microscope.message": cell(""),
        "microscope.chosen": _column([step, kind, parts.first, last, head]),
        "microscope.large": _column([large]),
        "microscope.line": _column(lines),
        "microscope.cell": cell(area),
        "microscope.link": cell(area),
        "microscope.equals": _column([value]),
        "microscope.difference": cell(0.0),
    }


def _is_known(model: ModelInFile) -> bool:
    return "".join(model.texts("microscope.step")) in UNDER_MICROSCOPE


def _typed(model: ModelInFile, name: str) -> int:
    """A whole number; 0 for nothing, and -1 for what is no number."""
    shown = model.shown(f"microscope.{name}")
    value = None if shown is None else shown[0, 0]
    if isinstance(value, float):
        return math.floor(value)
    return 0 if value in (None, "") else -1


def _column(values: Sequence[float | None]) -> Grid:
    column = np.full((len(values), 1), None, dtype=object)
    column[:, 0] = [each if each is None else float(each) for each in values]
    return column


def _nothing(model: ModelInFile) -> Expected:
    """A sentence, and nothing else."""
    length = longest_product(model.config, model.room.tokens)
    heights = dict.fromkeys(("left", "right", "product", "sum"), length)
    heights |= dict.fromkeys(("label", "line", "arithmetic"), LINES)
    heights |= {f"step.{name}": len(NAMES) for name in ("value", "gain", "bias")}
    heights |= dict.fromkeys(("large", "cell", "link", "equals", "difference", "sentence"), 1)
    blank: Expected = {
        f"microscope.{name}": np.full((height, 1), None, dtype=object)
        for name, height in heights.items()
    }
    message = np.full((1, 1), SOMETHING, dtype=object)
    nothing = np.zeros((len(CHOSEN), 1)).astype(object)
    return blank | {"microscope.message": message, "microscope.chosen": nothing}


def _limits(model: ModelInFile, asked: _Asked) -> tuple[int, int, int]:
    """Whether the step stands in a block, and its least and its last column."""
    config, d = model.config, model.config.n_embd
    in_block = int(asked.step not in ("ln_f", *TALL))
    if asked.step in IN_SQUARES:
        return in_block, 1, asked.token
    widths = {"attn.c_attn": 3 * d, "mlp.c_fc": config.n_inner, "mlp.gelu": config.n_inner}
    width = config.n_vocab if asked.step in TALL else widths.get(asked.step, d)
    return in_block, 0, width - 1


def _is_there(model: ModelInFile, asked: _Asked, n_tokens: int, n_read: int) -> bool:
    """Whether the workbook has a number at this place."""
    config, (in_block, least, last) = model.config, _limits(model, asked)
    if in_block and not 0 <= asked.block < config.n_layer:
        return False
    if not 1 <= asked.token <= n_read or (asked.step in TALL and asked.token < n_tokens):
        return False
    if not least <= asked.column <= last:
        return False
    if asked.step not in IN_SQUARES:
        return True
    return 0 <= asked.head < config.n_head and not _hidden(model, asked)[asked.column - 1]


def _hidden(model: ModelInFile, asked: _Asked) -> np.ndarray:
    """For each token up to this one whether a window hides it."""
    hidden = reference.hidden(asked.token, model.config.window(asked.block))
    return np.asarray(hidden[asked.token - 1])


def _parts(
    model: ModelInFile, trace: reference.Trace, asked: _Asked, switches: reference.Switches
) -> _Parts:
    kind = UNDER_MICROSCOPE[asked.step]
    if kind == PRODUCT:
        return _product(model, trace, asked, switches)
    if kind == NORM:
        return _norm(model, trace, asked)
    return _softmax(model, trace, asked) if kind == SOFTMAX else _bend(model, trace, asked)


def _product(
    model: ModelInFile, trace: reference.Trace, asked: _Asked, switches: reference.Switches
) -> _Parts:
    config, weights, t, c = model.config, model.weights, asked.token - 1, asked.column
    d_head, first, bias, divisor, switch = config.n_embd // config.n_head, 1, None, None, None
    prefix = f"h.{asked.block}."
    if asked.step == "logits":
        left = trace["ln_f"][t]
        right = reference.float64(weights["wte" if config.tie_word_embeddings else "lm_head.w"][c])
        bias = float(weights["lm_head.b"][c, 0]) if config.head_bias else None
    elif asked.step == "attn.scores":
        part = slice(asked.head * d_head, (asked.head + 1) * d_head)
        left, right = trace[f"{prefix}attn.q"][t, part], trace[f"{prefix}attn.k"][c - 1, part]
        divisor = math.sqrt(d_head) if config.scale_attn_weights else 1.0
        divisor *= asked.block + 1 if config.scale_attn_by_inverse_layer_idx else 1
    elif asked.step == "attn.heads":
        seen = ~_hidden(model, asked)
        first = int(np.argmax(seen)) + 1
        left = trace[f"{prefix}attn.weights"][t, c // d_head, : t + 1][seen]
        right = trace[f"{prefix}attn.v"][: t + 1, c][seen]
        switch = float(switches.heads[asked.block, c // d_head])
    else:
        of = {"attn.c_attn": "ln_1", "attn.c_proj": "attn.heads", "mlp.c_fc": "ln_2"}
        left = trace[prefix + of.get(asked.step, "mlp.gelu")][t]
        right = reference.float64(weights[f"{prefix}{asked.step}.w"][:, c])
        bias = float(weights[f"{prefix}{asked.step}.b"][c])
        if asked.step == "mlp.c_proj":
            switch = float(switches.mlps[asked.block])
    made, value = left * right, _value(trace, asked)
    values = [float(made.sum()), bias if divisor is None else divisor, switch, value]
    return _Parts(first, left, right, made, values, switch, bias)


def _norm(model: ModelInFile, trace: reference.Trace, asked: _Asked) -> _Parts:
    last = model.config.n_layer - 1
    of = {"ln_1": f"h.{asked.block}.input", "ln_2": f"h.{asked.block}.attn.residual"}
    name = asked.step if asked.step == "ln_f" else f"h.{asked.block}.{asked.step}"
    left = trace[of.get(asked.step, f"h.{last}.mlp.residual")][asked.token - 1]
    apart = left - left.mean()
    gain, bias = (float(model.weights[f"{name}.{part}"][asked.column]) for part in "gb")
    normal = float(trace[f"{name}.normal"][asked.token - 1, asked.column])
    values = [float(left.mean()), float(left.var()), normal, gain, bias, _value(trace, asked)]
    return _Parts(1, left, apart, apart**2, values, gain, bias)


def _softmax(model: ModelInFile, trace: reference.Trace, asked: _Asked) -> _Parts:
    t, c, first = asked.token - 1, asked.column, 1
    if asked.step == "softmax":
        listed = np.zeros(0)  # too many to be listed
        scores, own = trace["logits"][t], c
    else:
        seen = ~_hidden(model, asked)
        first = int(np.argmax(seen)) + 1
        scores = listed = trace[f"h.{asked.block}.attn.scores"][t, asked.head, : t + 1][seen]
        own = c - first
    grown = np.exp(scores - scores.max())
    values = [float(scores.max()), float(grown[own]), float(grown.sum()), _value(trace, asked)]
    apart = listed - scores.max()
    return _Parts(first, listed, apart, np.exp(apart), values)


def _bend(model: ModelInFile, trace: reference.Trace, asked: _Asked) -> _Parts:
    x = float(trace[f"h.{asked.block}.mlp.c_fc"][asked.token - 1, asked.column])
    value, nothing = _value(trace, asked), np.zeros(0)
    bent = BENDS[model.config.activation_function](x)
    values = [x, bent, value / x if x else None, value]
    return _Parts(1, nothing, nothing, nothing, values)


def _value(trace: reference.Trace, asked: _Asked) -> float:
    name = asked.step if asked.step in trace else f"h.{asked.block}.{asked.step}"
    own = trace[name][asked.token - 1]
    if asked.step in IN_SQUARES:
        return float(own[asked.head, asked.column - 1])
    return float(own[asked.column])


def _cell(model: ModelInFile, asked: _Asked) -> str:
    """The address of the number, as a link has it."""
    name, context = f"h.{asked.block}.{asked.step}", model.room.tokens
    area = model.names.get(asked.step) or model.names.get(name)
    if area is None:
        return ""
    row, column = asked.token - 1, asked.column
    if asked.step in IN_SQUARES:
        column += asked.head * context - 1
    if asked.step in TALL:
        row, column = column, row
    its = area.cell(row, column)
    return f"'{its.tab}'!{its.address}"
