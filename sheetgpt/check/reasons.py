"""What the tab `reasons` should show."""

import numpy as np

from sheetgpt.book.records import STRONGEST
from sheetgpt.calculate.conversion import as_text
from sheetgpt.check.explaining_tabs import place
from sheetgpt.check.file import Floats, Grid, ModelInFile
from sheetgpt.check.grids import as_good, cell, down
from sheetgpt.gpt2 import reference
from sheetgpt.gpt2.votes import Direction, direction, of_tokens, votes

Expected = dict[str, Grid | Floats]


def reasons(
    model: ModelInFile,
    trace: reference.Trace,
    n_tokens: int,
    texts: list[str],
    switches: reference.Switches,
) -> Expected:
    """For the token that was asked for, how every part votes.

    trace: of all tokens that were read. texts: the vocabulary's.
    """
    config, weights = model.config, model.weights
    row = _row(model, n_tokens, len(trace["tokens.id"]))
    logits = trace["logits"][row]
    (found_a, token), (found_b, other) = _pair(model, logits, texts)
    versus = 0.0 if _number(model, "rather", 1.0) <= 0 else 1.0
    pair = {token: 1.0 - versus} if token == other else {token: 1.0, other: -versus}
    along = direction(config, weights, trace, row, pair)
    its = votes(config, weights, trace, row, along)
    table = np.column_stack([its.heads, its.mlps, its.biases])
    scaled = along.apart * along.gain / along.deviation
    reads = [
        weights[f"h.{b}.attn.c_proj.w"] @ (scaled - scaled.mean()) for b in range(config.n_layer)
    ]
    parts = np.array([its.heads.sum(), its.mlps.sum(), its.biases.sum()])
    logit = sum(factor * float(logits[i]) for i, factor in pair.items())
    best = int(its.heads.argmax())
    here = (best // config.n_head, best % config.n_head)
    found: Expected = {
        "reasons.number": cell(float(row + 1)),
        "reasons.token.match": cell(float(found_a)),
        "reasons.token.id": cell(float(token)),
        "reasons.other.match": cell(float(found_b)),
        "reasons.other.id": cell(float(other)),
        "reasons.versus": cell(versus),
        "reasons.deviation": cell(along.deviation),
        "reasons.apart": along.apart[None],
        "reasons.scaled": scaled[None],
        "reasons.direction": (scaled - scaled.mean())[None],
        "reasons.reads": np.array(reads),
        "reasons.place": looks_at(model, trace, row),
        "reasons.heads": its.heads,
        "reasons.mlp": its.mlps[:, None],
        "reasons.biases": its.biases[:, None],
        "reasons.embeddings": its.embeddings[:, None],
        "reasons.parts": parts[:, None],
        "reasons.constant": cell(its.constant),
        "reasons.total": cell(logit),
        "reasons.logit": cell(logit),
        "reasons.gap": cell(0.0),
        "reasons.scale": cell(float(np.abs(table).max())),
        "reasons.best": cell(float(here[0] * (config.n_head + 1) + here[1])),
    }
    found |= _strongest(model, table[:, :-1])
    return found | _split(model, trace, along, row, here, switches)


def looks_at(model: ModelInFile, trace: reference.Trace, row: int) -> Grid:
    """The number of the token that each head looks at most; of equal ones, the workbook's."""
    config, shown = model.config, model.shown("reasons.place")
    found = np.empty((config.n_layer, config.n_head), dtype=object)
    for b, head in np.ndindex(found.shape):
        weights = np.nan_to_num(trace[f"h.{b}.attn.weights"][row, head, : row + 1])
        found[b, head] = place(weights, None if shown is None else shown[b, head])
    return found


def _number(model: ModelInFile, name: str, otherwise: float) -> float:
    typed = model.shown(f"reasons.{name}")
    value = None if typed is None else typed[0, 0]
    return value if isinstance(value, float) else otherwise


def _row(model: ModelInFile, n_tokens: int, n_read: int) -> int:
    """The row whose next token is explained; one that no new token follows is none."""
    asked = _number(model, "position", 0.0)
    return int(asked) - 1 if n_tokens <= asked <= n_read else n_tokens - 1


def _pair(
    model: ModelInFile, logits: Floats, texts: list[str]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Of the token and of the other: what was found of what was typed, and the id."""
    found = []
    for name in ("token", "other"):
        match = _typed(model, name, texts)
        if match < 2 * len(texts):
            found.append((match, match % len(texts)))
            continue
        among = (
            np.where(np.arange(len(logits)) == found[0][1], -np.inf, logits) if found else logits
        )
        likeliest = np.array([among.argmax()]) if np.isfinite(among).any() else np.array([0])
        shown = model.shown(f"reasons.{name}.id")
        (usual,) = as_good(likeliest, shown, logits)[0]
        found.append((match, int(usual)))
    return found[0], found[1]


def _typed(model: ModelInFile, name: str, texts: list[str]) -> int:
    typed = model.shown(f"reasons.{name}")
    value = None if typed is None else typed[0, 0]
    if isinstance(value, float):
        return int(value) if 0 <= value < len(texts) else 2 * len(texts)
    text = as_text(value) if isinstance(value, str | bool) else ""
    for more, key in enumerate((text, f" {text}")):
        if text and key in texts:
            return texts.index(key) + more * len(texts)
    return 2 * len(texts)


def _strongest(model: ModelInFile, table: Floats) -> Expected:
    """The largest votes of heads and MLPs; of equal ones, as the workbook has them."""
    votes_of = table.ravel()
    sizes = np.abs(votes_of)
    ranked = np.argsort(-sizes, kind="stable")[:STRONGEST]
    parts = as_good(ranked, model.shown("reasons.strongest.part"), sizes)
    chosen = parts[:, 0].astype(int)
    return {
        "reasons.strongest.size": sizes[chosen][:, None],
        "reasons.strongest.part": parts,
        "reasons.strongest.vote": votes_of[chosen][:, None],
    }


def _split(
    model: ModelInFile,
    trace: reference.Trace,
    along: Direction,
    row: int,
    best: tuple[int, int],
    switches: reference.Switches,
) -> Expected:
    """The vote of the head that was asked for, or of the one that is most for it, by tokens."""
    config, context = model.config, model.room.tokens
    asked = [_number(model, name, -1.0) for name in ("block", "head")]
    limits = (config.n_layer, config.n_head)
    is_there = all(0 <= each < limit for each, limit in zip(asked, limits, strict=True))
    block, head = (int(asked[0]), int(asked[1])) if is_there else best
    switch = float(switches.heads[block, head])
    weight, value = of_tokens(config, model.weights, trace, row, along, (block, head), switch)
    return {
        "reasons.split.block": cell(float(block)),
        "reasons.split.head": cell(float(head)),
        "reasons.split.weight": down(context, 0, list(weight)),
        "reasons.split.value": down(context, 0, list(value)),
        "reasons.split.vote": down(context, 0, list(weight * value)),
        "reasons.split.total": cell(float(weight @ value)),
    }
