"""What the tabs that explain and compare should show: `attention`, `logit lens`, `checks`."""

from collections.abc import Mapping, Sequence

import numpy as np

from sheetgpt.book.book import Layout
from sheetgpt.book.checks import HOLDS, OTHER
from sheetgpt.book.records import TYPED, model_steps
from sheetgpt.book.trace import fingerprint
from sheetgpt.check.file import Floats, Grid, ModelInFile
from sheetgpt.check.grids import NEAR, as_good, as_id, cell, each
from sheetgpt.gpt2 import reference
from sheetgpt.gpt2.config import Config

Expected = dict[str, Grid | Floats]


def attention(
    model: ModelInFile, trace: reference.Trace, n_tokens: int, texts: Sequence[str],
    shown: Grid | None,
) -> Expected:  # fmt: skip
    """For the token that was asked for, what each head of each block looks at most.

    texts: of the tokens. shown: the places that the workbook has, for where two weigh the same.
    """
    config, chosen = model.config, model.numbers("attention.chosen")
    asked = 0.0 if chosen is None else float(chosen[0, 0])
    number = int(asked) if 1 <= asked <= len(texts) else n_tokens
    rows = np.array(  # [n_layer, n_head, number]
        [trace[f"h.{b}.attn.weights"][number - 1, :, :number] for b in range(config.n_layer)]
    )
    rows = np.nan_to_num(rows)  # what a window hides has no weight
    places = np.empty(rows.shape[:2], dtype=object)
    for at in np.ndindex(places.shape):
        there = None if shown is None or shown.shape != places.shape else shown[at]
        places[at] = place(rows[at], there)
    weights = rows.max(axis=2)
    remarkable = np.where((places != 1) & (places != number), weights, 0.0)
    strength = remarkable.max(axis=1, keepdims=True)
    heads = remarkable.argmax(axis=1).astype(object)[:, None]
    heads[strength == 0] = None
    return {
        "attention.number": cell(number),
        "attention.weight": weights,
        "attention.place": places,
        "attention.token": each(places, lambda place: texts[place - 1]),
        "attention.strength": strength,
        "attention.head": heads,
    }


def place(weights: Floats, shown: object) -> int:
    """The number of the token with the largest weight; the one shown, where it has as much."""
    best = int(weights.argmax())
    other = as_id(shown - 1, len(weights)) if isinstance(shown, float) else None
    if other is not None and weights[best] - weights[other] <= NEAR:
        best = other
    return best + 1


def lens(
    model: ModelInFile, trace: reference.Trace, n_tokens: int, chosen: int, texts: Sequence[str],
    shown: Grid | None,
) -> Expected:  # fmt: skip
    """What each block's output would say, read by the final layer norm and the output head.

    chosen: the first new token. texts: the vocabulary's. shown: the ids that the workbook has.
    """
    config, weights, switch = model.config, model.weights, model.numbers("lens.on")
    if switch is None or switch[0, 0] != 1:
        return {"lens.shown": cell(0.0)} | _nothing(config)
    blocks = range(config.n_layer)
    residuals = np.array([trace[f"h.{b}.mlp.residual"][n_tokens - 1] for b in blocks])
    parts: reference.Trace = {}
    rows = reference.layer_norm(residuals, weights, "ln_f", config.layer_norm_epsilon, parts)
    logits = reference.unembed(rows, weights, config)  # [n_layer, n_vocab]
    shares = reference.softmax(logits)
    ids = np.array(
        [
            as_good(np.array([row.argmax()]), None if shown is None else shown[b : b + 1], row)[0]
            for b, row in enumerate(logits)
        ]
    )
    stays = [b + 1 for b in blocks if ids[b, 0] != chosen]
    return {
        "lens.shown": cell(1.0),
        "lens.residual": residuals,
        "lens.ln_f.normal": parts["ln_f.normal"],
        "lens.ln_f": rows,
        "lens.logits": logits.T,
        "lens.id": ids,
        "lens.token": each(ids, lambda i: texts[i]),
        "lens.probability": shares.max(axis=1, keepdims=True),
        "lens.final": shares[:, [chosen]],
        "lens.from": cell(max(stays, default=0)),
    }


def _nothing(config: Config) -> Expected:
    """A lens that is switched off shows nothing and costs nothing."""
    n, d = config.n_layer, config.n_embd
    shapes = {"residual": (n, d), "ln_f.normal": (n, d), "ln_f": (n, d), "from": (1, 1)}
    shapes |= {"logits": (config.n_vocab, n)}
    shapes |= dict.fromkeys(("id", "token", "probability", "final", "sentence"), (n, 1))
    shapes["sentence"] = (1, 1)
    return {f"lens.{name}": np.full(shape, None, object) for name, shape in shapes.items()}


def checks(model: ModelInFile, found: Mapping[str, Grid | Floats]) -> Expected:
    """The fingerprints of this text, and whether they are those of build time.

    found: what the steps should show, as it stands on their tabs.
    """
    built = [model.numbers(f"checks.{name}") for name in ("tokens", "read")]
    if any(value is None for value in built):
        return {}
    tokens, read = (int(value[0, 0]) for value in built if value is not None)
    steps = model_steps(model.config, model.room.tokens)
    now = []
    for step in steps:
        values = found[step.name].astype(np.float64)
        if step.layout is not Layout.SCALAR:
            values = values[:, tokens - 1 : read] if step.is_tall else values[:read]
        now.append([fingerprint(step, values, first=(tokens - 1) * step.is_tall)])
    same = [[HOLDS if _is_same(model, name) else OTHER] for name in TYPED]
    others = same.count([OTHER])
    mark = OTHER if others else HOLDS
    return {
        "checks.now": np.array(now),
        "checks.same": np.array(same, dtype=object),
        "checks.others": cell(others),
        "checks.mark": np.full((len(steps), 1), mark, dtype=object),
    }


def _is_same(model: ModelInFile, name: str) -> bool:
    """Whether an input is what it was when the workbook was built."""
    return model.texts(name) == model.texts(f"checks.{name}")
