"""What every step of a workbook should show, from the witness."""

from collections.abc import Callable

import numpy as np

from sheetgpt.check.file import Floats, Grid, ModelInFile
from sheetgpt.errors import PromptError
from sheetgpt.formula.cells import Area
from sheetgpt.gpt2 import reference
from sheetgpt.gpt2.tokens import Stages, Tokenizer
from sheetgpt.steps.tokenize import Room, tables_of

TALL = ("logits", "softmax")  # steps where a column is a token
CAUSAL = ("attn.scores", "attn.weights")  # steps that are matrices of token by token
NEAR = 1e-9  # logits closer than this may change places

Trace = reference.Trace
Read = Callable[[str], Grid | None]


def names_of_formulas(model: ModelInFile) -> list[str]:
    """The name of everything that formulas compute, in the order in which they do."""
    tables = tables_of(model.room.rounds)
    likeliest = [f"likeliest.{each}" for each in ("logit", "id", "token", "probability")]
    steps = reference.step_names(model.config)
    return [
        *(f"{table}.{column}" for table, columns in tables.items() for column in columns),
        *(f"prompt.{each}" for each in ("shown", "used", "message")),
        *("n_tokens", "tokens.id", "tokens.text", "tokens.word"),
        *(name for name in steps if name not in ("tokens.id", "predicted.id")),
        *(f"predicted.{each}" for each in ("id", "token", "probability", *likeliest)),
        *(f"start.{each}" for each in ("message", "token", *likeliest[2:])),
    ]


def prompt_ids(model: ModelInFile, tokenizer: Tokenizer, n_tokens: Grid | None) -> list[int]:
    """The ids of the workbook's prompt; none where it is empty or does not fit."""
    try:
        stages = tokenizer.stages(model.prompt)
    except PromptError:
        return []
    if len(stages.ids) > model.room.tokens:
        return []
    refused = n_tokens is not None and n_tokens[0, 0] == 0
    return [] if refused and not _surely_fits(model.prompt, stages, model.room) else list(stages.ids)


def _surely_fits(prompt: str, stages: Stages, room: Room) -> bool:
    """Whether a sheet must take a prompt, however it counts characters and cuts words."""
    return (
        len(prompt.encode("utf-16-le")) // 2 <= room.characters
        and len(prompt.encode()) <= room.bytes
        and max((len(word.rounds) for word in stages.words), default=0) <= room.rounds
        and len(stages.ids) <= room.tokens
    )


def expected(
    model: ModelInFile, ids: list[int], texts: list[str], read: Read
) -> dict[str, Grid | Floats]:
    """What each name's cells should hold: numbers or texts; None or NaN where they should be blank.

    texts: the vocabulary's; read: what the workbook holds, asked only where two tokens are
        equally likely, since either may then come first.
    """
    context = model.room.tokens
    tokens = np.full((context, 1), None, dtype=object)
    tokens[: len(ids), 0] = ids
    found: dict[str, Grid | Floats] = {
        "n_tokens": _cell(len(ids)),
        "tokens.id": tokens,
        "tokens.text": _each(tokens, lambda i: texts[i]),
    }
    if not ids:
        return found
    found["prompt.message"] = found["start.message"] = _cell("")  # nothing to complain of
    trace = reference.forward(model.config, model.weights, ids)
    for name, values in trace.items():
        if name not in ("tokens.id", "predicted.id"):
            found[name] = _laid_out(name, values, context)
    logits, softmax = trace["logits"][-1], trace["softmax"][-1]
    chosen = _ids(np.argsort(-logits, kind="stable")[:1], read("predicted.id"), logits)
    ranked = _ids(np.argsort(-logits, kind="stable")[:10], read("predicted.likeliest.id"), logits)
    found |= _tokens("predicted", chosen, texts, logits, softmax)
    found |= _tokens("predicted.likeliest", ranked, texts, logits, softmax)
    found["start.token"] = found["predicted.token"]
    for each in ("token", "probability"):
        found[f"start.likeliest.{each}"] = found[f"predicted.likeliest.{each}"]
    return found


def _tokens(
    name: str, ids: Grid, texts: list[str], logits: Floats, softmax: Floats
) -> dict[str, Grid]:
    return {
        f"{name}.id": ids,
        f"{name}.token": _each(ids, lambda i: texts[i]),
        f"{name}.logit": _each(ids, lambda i: float(logits[i])),
        f"{name}.probability": _each(ids, lambda i: float(softmax[i])),
    }


def _ids(ranked: Floats, shown: Grid | None, logits: Floats) -> Grid:
    """These ids in a column, but for those that the workbook has in another, equally good order."""
    ids = ranked.astype(object)[:, None]
    if shown is None or shown.shape != ids.shape:
        return ids
    for row, other in enumerate(shown[:, 0]):
        if isinstance(other, float) and other.is_integer() and 0 <= other < len(logits):
            if abs(logits[int(other)] - logits[ids[row, 0]]) <= NEAR:
                ids[row, 0] = int(other)
    return ids


def _laid_out(name: str, values: Floats, context: int) -> Floats:
    """A trace as it stands on the tab, [context, width], NaN in the rows without a token."""
    n = len(values)
    if name in TALL:
        tall = np.full((values.shape[1], context), np.nan)
        tall[:, n - 1] = values[n - 1]  # tokens within the prompt need no prediction
        return tall
    if values.ndim == 3:  # [n, n_head, n], NaN where masked; the heads side by side
        heads = np.full((context, values.shape[1], context), np.nan)
        heads[:n, :, :n] = values
        return heads.reshape(context, -1)
    rows = np.full((context, values.shape[1]), np.nan)
    rows[:n] = values
    return rows


def formula_cells(name: str, area: Area) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """The cells of a step that formulas must fill: all but those a token may not see."""
    needed = np.ones(area.shape, dtype=bool)
    if name.endswith(CAUSAL):
        context = area.shape[0]
        later = np.triu(np.ones((context, context), dtype=bool), k=1)
        needed &= ~np.tile(later, (1, area.shape[1] // context))
    return needed


def _cell(value: float | str) -> Grid:
    return np.array([[value]], dtype=object)


def _each(ids: Grid, function: Callable[[int], object]) -> Grid:
    values = np.full(ids.shape, None, dtype=object)
    for place, i in np.ndenumerate(ids):
        values[place] = None if i is None else function(i)
    return values
