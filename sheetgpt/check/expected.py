"""What every step of a workbook should show, from the witness."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sheetgpt.book.book import Layout, StepRecord
from sheetgpt.book.data import token_texts
from sheetgpt.book.records import LIKELIEST, has_microscope
from sheetgpt.book.trace import laid_out
from sheetgpt.check import explaining_tabs
from sheetgpt.check.file import Floats, Grid, ModelInFile
from sheetgpt.check.grids import ANYTHING, SOMETHING, as_good, as_id, cell, down, each
from sheetgpt.check.microscope import microscope
from sheetgpt.check.neighbours import neighbours
from sheetgpt.check.reasons import reasons
from sheetgpt.errors import PromptError
from sheetgpt.formula.cells import Area
from sheetgpt.formula.text import length_in_excel
from sheetgpt.gpt2 import reference
from sheetgpt.gpt2.sampling import Controls, choose, probabilities, uniform_numbers
from sheetgpt.gpt2.tokens import Stages, Tokenizer
from sheetgpt.gpt2.weights import shapes
from sheetgpt.steps.sample import LARGEST_SEED
from sheetgpt.steps.switches import LEAST, MOST
from sheetgpt.steps.tokenize import Room

Trace = reference.Trace
Read = Callable[[str], Grid | None]


def prompt_ids(model: ModelInFile, tokenizer: Tokenizer, n_tokens: Grid | None) -> list[int]:
    """The ids of the workbook's prompt, without one the end of a text; none if it does not fit."""
    if not model.prompt:
        return tokenizer.encode_prompt("")
    try:
        stages = tokenizer.stages(model.prompt)
    except PromptError:
        return []
    refused = n_tokens is not None and n_tokens[0, 0] == 0
    if refused and not surely_fits(model.prompt, stages, model.room):
        return []
    ids = tokenizer.encode_prompt(model.prompt)
    return ids if len(ids) <= model.room.tokens else []


def surely_fits(prompt: str, stages: Stages, room: Room) -> bool:
    """Whether a sheet must take a prompt, however it counts characters and cuts words."""
    return (
        length_in_excel(prompt) <= room.characters
        and (not room.bytes or len(prompt.encode()) <= room.bytes)  # without it none are counted
        and max((len(word.rounds) for word in stages.words), default=0) <= room.rounds
        and len(stages.ids) <= room.tokens
    )


def controls(model: ModelInFile) -> tuple[Controls, int]:
    """How the workbook is told to choose, and how many new tokens it is to write.

    A cell that holds no number is as if it were not there; a number counts within its limits.
    """

    def typed(name: str, otherwise: float, least: float = 0.0) -> float:
        values = model.numbers(name)
        return otherwise if values is None else max(least, float(values[0, 0]))

    how = Controls(
        typed("temperature", 0.0),
        int(typed("top_k", 0)),
        min(typed("top_p", 1.0), 1.0),
        min(int(typed("seed", 0)), LARGEST_SEED),
    )
    return how, int(typed("new_tokens", 1, least=1))


def switches(model: ModelInFile) -> reference.Switches:
    """By what each part is multiplied: 1 where its cell holds no number."""

    def typed(name: str, shape: tuple[int, int]) -> Floats:
        shown = model.shown(name)
        if shown is None or shown.shape != shape:
            return np.ones(shape)
        number = np.vectorize(lambda value: value if isinstance(value, float) else 1.0)
        found: Floats = np.clip(number(shown).astype(np.float64), LEAST, MOST)
        return found

    heads = typed("switch.heads", (model.config.n_layer, model.config.n_head))
    return reference.Switches(heads, typed("switch.mlp", (model.config.n_layer, 1))[:, 0])


def wanted_of(model: ModelInFile) -> tuple[list[int], dict[str, Grid | Floats]]:
    """The prompt's ids, and what every step should show; nothing where no model is there."""
    if model.tokenizer is None or len(model.weights) < len(shapes(model.config)):
        return [], {}
    ids = prompt_ids(model, model.tokenizer, model.shown("n_tokens"))
    texts = token_texts(model.tokenizer)
    return ids, expected(model, ids, texts, model.shown)


def expected(
    model: ModelInFile, ids: list[int], texts: list[str], read: Read
) -> dict[str, Grid | Floats]:
    """What each name's cells should hold: numbers or texts; None or NaN where they should be blank.

    ids: the prompt's. texts: the vocabulary's. read: what the workbook holds; asked for the ids
        that it has written and reads again, so that a fault shows in the step that has it and
        not in all that comes after, and where two tokens are equally likely, since either may
        then come first. Where it has written what is no id, the rows behind may hold
        anything: ANYTHING or infinity.
    """
    context = model.room.tokens
    found: dict[str, Grid | Floats] = {"n_tokens": cell(len(ids))}
    if not ids:
        tokens = np.full((context, 1), None, dtype=object)
        found |= {"tokens.id": tokens, "tokens.text": tokens}
        # Without a prompt and a token to start from there is nothing to say.
        message = np.full((1, 1), SOMETHING if model.prompt else "", dtype=object)
        nothing = np.full((1, 1), None, dtype=object)
        return found | {
            "prompt.message": message,
            "start.message": message,
            **{f"predicted.{each}": nothing for each in ("id", "token", "probability")},
            "completion": nothing,
        }
    assert model.tokenizer is not None
    how, n_new = controls(model)
    chosen = read("choice.id")
    if chosen is not None and chosen.shape != (context, 1):
        chosen = None
    read_ids, is_broken = _read_ids(model, ids, n_new, chosen)
    tokens = down(context, 0, read_ids)
    found |= {"tokens.id": tokens, "tokens.text": each(tokens, lambda i: texts[i])}
    found |= {f"control.{name}": cell(float(value)) for name, value in asdict(how).items()}
    found["control.new_tokens"] = cell(float(n_new))
    parts = switches(model)
    found |= {"switches.heads": parts.heads, "switches.mlp": parts.mlps[:, None]}
    changed = int((parts.heads != 1).sum() + (parts.mlps != 1).sum())
    found["switches.changed"] = cell(float(changed))
    found["prompt.message"] = found["start.message"] = cell("")  # nothing to complain of
    trace = reference.forward(model.config, model.weights, read_ids, parts)
    for name, values in trace.items():
        if name not in ("tokens.id", "predicted.id"):
            found[name] = laid_out(model.records[name], values, len(ids) - 1)
    logits, softmax = trace["logits"][len(ids) - 1 :], trace["softmax"][len(ids) - 1 :]
    written = _written(logits, how, len(ids) - 1, chosen)
    found |= _choices(model, written, logits, how, texts, len(ids) - 1)
    found |= _candidates(model, logits, softmax, how, texts, read)
    found |= {
        "predicted.id": cell(written[0]),
        "predicted.token": cell(texts[written[0]]),
        "predicted.probability": cell(float(softmax[0, written[0]])),
        "completion": cell(model.tokenizer.decode(_without_end(model, written))),
    }
    for name in ("token", "completion"):
        found[f"start.{name}"] = found["completion" if name == "completion" else "predicted.token"]
    n_ranks = min(LIKELIEST, model.config.n_vocab)
    found["start.likeliest.token"] = found["candidates.token"][:n_ranks]
    found["start.likeliest.probability"] = found["candidates.before"][:n_ranks]
    found |= _next_token(model, found, logits[0], softmax[0], texts)
    if not is_broken:
        read_texts = [texts[i] for i in read_ids]
        found |= explaining_tabs.attention(
            model, trace, len(ids), read_texts, read("attention.place")
        )
        found |= explaining_tabs.lens(model, trace, len(ids), written[0], texts, read("lens.id"))
        found |= reasons(model, trace, len(ids), texts, parts)
        if has_microscope(model.config):
            found |= microscope(model, trace, len(ids), read_texts, parts)
        if model.extras.neighbours:
            found |= neighbours(model, texts, read)
        found |= explaining_tabs.checks(model, found)
    if is_broken:
        for name, values in found.items():
            tall = model.records[name].is_tall
            if values.shape[tall] == context and not name.startswith("candidates."):
                behind = (slice(None),) * tall + (slice(len(read_ids), None),)
                anything: Any = np.inf if values.dtype == np.float64 else ANYTHING
                values[behind] = anything
    return found


def _read_ids(
    model: ModelInFile, ids: Sequence[int], n_new: int, shown: Grid | None
) -> tuple[list[int], bool]:
    """The prompt's ids and those that the workbook has written behind them and reads again.

    Also whether something follows there that is no id. Whether each id was rightly chosen is
    for `_written` to tell.
    """
    assert model.tokenizer is not None
    read_ids = list(ids)
    while len(read_ids) < min(len(ids) + n_new - 1, model.room.tokens) and shown is not None:
        value = shown[len(read_ids) - 1, 0]
        written = as_id(value, model.config.n_vocab)
        if written is None:
            return read_ids, value not in (None, "")
        if written == model.tokenizer.end_of_text:
            break
        read_ids.append(written)
    return read_ids, False


def _written(logits: Floats, how: Controls, first: int, shown: Grid | None) -> list[int]:
    """The id to be chosen after each of these rows, the first of which is row `first`."""
    uniform = uniform_numbers(how.seed)
    written = [choose(row, how, next(uniform)) for row in logits]
    if shown is None or how.temperature > 0:
        return written
    begun = shown[first : first + len(written)]
    return [
        int(as_good(np.array([i]), each[None], row)[0, 0])
        for i, each, row in zip(written, begun, logits, strict=False)
    ]


def _without_end(model: ModelInFile, written: list[int]) -> list[int]:
    assert model.tokenizer is not None
    return [i for i in written if i != model.tokenizer.end_of_text]


def _choices(
    model: ModelInFile,
    written: list[int],
    logits: Floats,
    how: Controls,
    texts: list[str],
    first: int,
) -> dict[str, Grid | Floats]:
    """What was drawn in the rows of the tokens that new ones follow, the first in row `first`."""
    assert model.tokenizer is not None
    context, uniform = model.room.tokens, uniform_numbers(how.seed)
    shares = [float(probabilities(row, how)[i]) for i, row in zip(written, logits, strict=True)]
    return {
        "choice.uniform": down(context, first, [next(uniform) for _ in written]),
        "choice.largest": down(context, first, [float(row.max()) for row in logits]),
        "choice.id": down(context, first, written),
        "choice.token": down(context, first, [texts[i] for i in written]),
        "choice.probability": down(context, first, shares),
    }


def _candidates(
    model: ModelInFile,
    logits: Floats,
    softmax: Floats,
    how: Controls,
    texts: list[str],
    read: Read,
) -> dict[str, Grid | Floats]:
    """The likeliest of each new token, before and after the cuts, one below the other."""
    n_ranks = min(LIKELIEST, model.config.n_vocab)
    length = n_ranks * min(LIKELIEST, model.room.tokens)
    shown = read("candidates.id")
    rows: list[tuple[int, str, float, float, float]] = []
    for draw, row in enumerate(logits[: length // n_ranks]):
        ranked = np.argsort(-row, kind="stable")[:n_ranks]
        begin = draw * n_ranks
        ids = as_good(ranked, None if shown is None else shown[begin : begin + n_ranks], row)
        after = probabilities(row, how)
        rows += [
            (i, texts[i], float(row[i]), float(softmax[draw, i]), float(after[i]))
            for i in ids[:, 0]
        ]
    names = ("id", "token", "logit", "before", "after")
    listed = zip(names, zip(*rows, strict=True), strict=True)
    return {f"candidates.{name}": down(length, 0, values) for name, values in listed}


def _next_token(
    model: ModelInFile,
    found: Mapping[str, Grid | Floats],
    logits: Floats,
    softmax: Floats,
    texts: list[str],
) -> dict[str, Grid | Floats]:
    """What the tab `switches` says of the likeliest next token, and of that of build time."""
    best = np.sort(logits)[::-1]
    said = {
        "switches.now.token": found["candidates.token"][:1],
        "switches.now.probability": found["candidates.before"][:1],
        "switches.now.ahead": cell(float(best[0] - best[min(1, len(best) - 1)])),
    }
    token = model.numbers("switches.token")
    built = None if token is None else as_id(token[0, 0], len(texts))
    if built is not None and model.prompt == "".join(model.texts("checks.prompt")):
        said["switches.built.now"] = cell(float(softmax[built]))
    return said if built is None else said | {"switches.built.token": cell(texts[built])}


def formula_cells(record: StepRecord, area: Area) -> NDArray[np.bool_]:
    """The cells of a step that formulas must fill: all but those a token may not see."""
    needed = np.ones(area.shape, dtype=bool)
    context = area.shape[0]
    if record.layout is Layout.CAUSAL and area.shape == record.shape:
        hidden = reference.hidden(context, record.window)
        needed &= ~np.tile(hidden, (1, area.shape[1] // context))
    return needed
