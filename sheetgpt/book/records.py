"""Every step of a workbook as data: its name, its words, how its cells lie, and its formulas.

The list is made once, of the configuration and the room. Whoever lays a step out, checks it or says
it in another language looks it up here, and needs to know no step by its name.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sheetgpt.book.book import Computed, Layout, StepRecord, Tab
from sheetgpt.book.extras import Extras
from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import MOST_CHOICES
from sheetgpt.gpt2.config import Config
from sheetgpt.steps.block import SIXTEEN
from sheetgpt.steps.sample import columns
from sheetgpt.steps.tokenize import Room, Splitting, tables_of

STRONGEST = 10  # votes that are told in words
LIKELIEST = 10  # candidates that are shown of each new token
CANDIDATES = ("draw", "token", "rank", "id", "logit", "before", "after", "from", "to", "taken")
CONTROLS = ("new_tokens", "temperature", "top_k", "top_p", "seed")
TYPED = ("prompt", *CONTROLS, "switches.changed")  # whatever the steps depend on
MOST_CHIPS = 64  # tokens that `start` shows side by side

# The steps that the microscope shows, and what it shows of each: the terms of a product, or the
# arithmetic of a layer norm, of a softmax, of an activation.
PRODUCT, NORM, SOFTMAX, BEND = 1, 2, 3, 4
UNDER_MICROSCOPE = {
    "ln_1": NORM, "attn.c_attn": PRODUCT, "attn.scores": PRODUCT, "attn.weights": SOFTMAX,
    "attn.heads": PRODUCT, "attn.c_proj": PRODUCT, "ln_2": NORM, "mlp.c_fc": PRODUCT,
    "mlp.gelu": BEND, "mlp.c_proj": PRODUCT, "ln_f": NORM, "logits": PRODUCT, "softmax": SOFTMAX,
}  # fmt: skip
MICROSCOPE_INPUTS = ("step", "block", "token", "head", "column")
CHOSEN = ("number", "kind", "first", "terms", "head")  # what follows from what was typed
LINES = 6  # of arithmetic
# What is said of a word that was typed, and of a neighbour; and whether each row says it by one
# formula, for every word has a name of its own, and every rank a number.
NEIGHBOUR_COLUMNS = {"token": True, "id": True, "spaced": False, "typed": False, "note": False}
NEAREST = {"cosine": False, "id": False, "token": True, "angle": True}


def listed(config: Config, room: Room, splitting: Splitting, extras: Extras) -> list[StepRecord]:
    """Every step in the order in which the workbook computes it."""
    return [
        *_prompt(room, splitting),
        *_switches(config),
        *_model(config, room.tokens),
        *_predicted(config, room.tokens),
        *_attention(config),
        *_next_token(),
        *_reasons(config, room.tokens),
        *(_lens(config) if extras.lens else ()),
        *(_microscope(config, room.tokens) if has_microscope(config) else ()),
        *(_neighbours(config) if extras.neighbours else ()),
        *_checks(config, room.tokens),
        *_start(config, room.tokens, extras),
    ]


def model_steps(config: Config, context: int) -> list[StepRecord]:
    """Those that the witness knows, too, in its order."""
    found = _model(config, context)
    ids = StepRecord("tokens.id", "prompt to tokens", Layout.ROW, (context, 1))
    return [ids, *found, StepRecord("predicted.id", "predicted token", Layout.SCALAR)]


def placed(
    records: Sequence[StepRecord], tabs: Sequence[Tab], names: Mapping[str, Area]
) -> tuple[StepRecord, ...]:
    """The records with their formulas."""
    in_rows: dict[tuple[str, int], list[Computed]] = defaultdict(list)
    for tab in tabs:
        for each in sorted(tab.computed, key=_column):
            in_rows[tab.name, each.area.top].append(each)

    def of(area: Area) -> Iterator[Computed]:
        for row in range(area.top, area.bottom + 1):
            found = in_rows[area.tab, row]
            first = bisect_left(found, area.left, key=_column)
            yield from found[first : bisect_right(found, area.right, lo=first, key=_column)]

    return tuple(replace(each, formulas=tuple(of(names[each.name]))) for each in records)


def _column(computed: Computed) -> int:
    return computed.area.left


def _scalars(tab: str, *names: str) -> Iterator[StepRecord]:
    return (StepRecord(name, tab, Layout.SCALAR) for name in names)


def _table(tab: str, shape: tuple[int, int], *names: str) -> Iterator[StepRecord]:
    return (StepRecord(name, tab, Layout.TABLE, shape) for name in names)


def _prompt(room: Room, splitting: Splitting) -> Iterator[StepRecord]:
    tab, rows = "prompt to tokens", (room.tokens, 1)
    for table, names in tables_of(room.rounds, splitting).items():
        length = room.characters if table == "characters" else room.bytes
        yield from _table(tab, (length, 1), *(f"{table}.{column}" for column in names))
    yield from _scalars(tab, "prompt.shown")
    n_kinds = 4 if splitting.unit == "bytes" else 2
    yield from _table(tab, (1, n_kinds + 1), "prompt.used")
    yield from _scalars(tab, "prompt.message", "n_tokens")
    yield StepRecord("tokens.id", tab, Layout.ROW, rows)
    yield from _table(tab, rows, "tokens.text", "tokens.word")


def _switches(config: Config) -> Iterator[StepRecord]:
    yield from _table("switches", (config.n_layer, config.n_head), "switches.heads")
    yield from _table("switches", (config.n_layer, 1), "switches.mlp")
    yield from _scalars("switches", "switches.changed", "switches.sentence")


def _next_token() -> Iterator[StepRecord]:
    said = (f"switches.now.{each}" for each in ("token", "probability", "ahead"))
    yield from _scalars("switches", *said, "switches.built.token", "switches.built.now")


def _model(config: Config, context: int) -> list[StepRecord]:
    d, tall = config.n_embd, (config.n_vocab, context)
    found = [
        StepRecord(f"embed.{each}", "embeddings", Layout.ROW, (context, d))
        for each in ("text", "position")
    ]
    for b in range(config.n_layer):
        found += _block(config, context, b)
    for name in ("ln_f.normal", "ln_f"):
        found.append(StepRecord(name, "layer norm", Layout.ROW, (context, d)))
    return [*found, *(StepRecord(name, name, Layout.TALL, tall) for name in ("logits", "softmax"))]


def _block(config: Config, context: int, b: int) -> Iterator[StepRecord]:
    widths = {
        "attn.c_attn": 3 * config.n_embd, "mlp.c_fc": config.n_inner, "mlp.gelu": config.n_inner,
    }  # fmt: skip
    for number, names in enumerate(SIXTEEN, start=1):
        for name in names:
            is_causal = name in ("attn.scores", "attn.weights")
            attends = is_causal or name == "attn.heads"
            width = config.n_head * context if is_causal else widths.get(name, config.n_embd)
            yield StepRecord(
                f"h.{b}.{name}",
                f"block {b}",
                Layout.CAUSAL if is_causal else Layout.ROW,
                (context, width),
                f"h.b.{name}",
                number,
                is_share=name == "attn.weights",
                window=config.window(b) if attends else 0,
            )


def _predicted(config: Config, context: int) -> Iterator[StepRecord]:
    tab = "predicted token"
    yield from _scalars(tab, *(f"control.{name}" for name in CONTROLS))
    choice = ("after", *columns(config.n_vocab))
    yield from _table(tab, (context, 1), *(f"choice.{column}" for column in choice))
    yield from _scalars(tab, *(f"predicted.{each}" for each in ("id", "token", "probability")))
    yield from _scalars(tab, "completion")
    length = min(LIKELIEST, context) * min(LIKELIEST, config.n_vocab)
    computed = (column for column in CANDIDATES if column not in ("draw", "rank"))
    yield from _table(tab, (length, 1), *(f"candidates.{column}" for column in computed))


def _attention(config: Config) -> Iterator[StepRecord]:
    tab, blocks = "attention", (config.n_layer, 1)
    yield from _scalars(tab, "attention.number", "attention.from")
    grids = ("attention.weight", "attention.place", "attention.token")
    yield from _table(tab, (config.n_layer, config.n_head), *grids)
    yield from _table(tab, blocks, "attention.strength", "attention.head", "attention.sentence")
    yield from _scalars(tab, "attention.strongest")
    for b in range(config.n_layer):
        yield from _scalars(f"block {b}", f"live.h.{b}.attn.weights")


def _reasons(config: Config, context: int) -> Iterator[StepRecord]:
    tab, blocks, heads, d = "reasons", config.n_layer, config.n_head, config.n_embd
    ids = (f"{name}.{column}" for name in ("token", "other") for column in ("match", "id"))
    scalars = ("number", *ids, "versus", "target", "sentence", "message", "deviation")
    yield from _scalars(tab, *(f"reasons.{name}" for name in scalars))
    yield from _table(
        tab, (1, d), *(f"reasons.{name}" for name in ("apart", "scaled", "direction"))
    )
    yield StepRecord("reasons.reads", tab, Layout.TABLE, (blocks, d), alike=False)
    yield from _table(tab, (blocks, heads), "reasons.heads", "reasons.place")
    for name in ("mlp", "biases"):
        yield StepRecord(f"reasons.{name}", tab, Layout.TABLE, (blocks, 1), alike=False)
    yield from _table(tab, (2, 1), "reasons.embeddings")
    yield StepRecord("reasons.parts", tab, Layout.TABLE, (3, 1), alike=False)
    sums = ("constant", "total", "logit", "gap", "scale", "best", "why")
    yield from _scalars(tab, *(f"reasons.{name}" for name in sums))
    length = min(STRONGEST, blocks * (heads + 1))
    columns = ("size", "part", "vote", "sentence")
    yield from _table(tab, (length, 1), *(f"reasons.strongest.{name}" for name in columns))
    yield from _scalars(tab, "reasons.split.block", "reasons.split.head")
    yield from _table(tab, (1, d), "reasons.split.reads")
    of_tokens = ("weight", "value", "vote")
    yield from _table(tab, (context, 1), *(f"reasons.split.{name}" for name in of_tokens))
    yield from _scalars(tab, "reasons.split.total", "reasons.split.sentence")


def _lens(config: Config) -> Iterator[StepRecord]:
    tab, blocks, d = "logit lens", config.n_layer, config.n_embd
    yield from _scalars(tab, "lens.shown")
    yield from _table(tab, (blocks, d), "lens.residual", "lens.ln_f.normal", "lens.ln_f")
    yield from _table(tab, (config.n_vocab, blocks), "lens.logits")
    answers = ("id", "token", "probability", "final")
    yield from _table(tab, (blocks, 1), *(f"lens.{each}" for each in answers))
    yield from _scalars(tab, "lens.from", "lens.sentence")


def has_microscope(config: Config) -> bool:
    """Whether there are few enough blocks and heads for a formula that chooses among them."""
    return max(config.n_layer, config.n_head) <= MOST_CHOICES


def longest_product(config: Config, context: int) -> int:
    """How many terms a number can have."""
    return max(config.n_embd, config.n_inner, context)


def _microscope(config: Config, context: int) -> Iterator[StepRecord]:
    tab, terms = "microscope", (longest_product(config, context), 1)

    def unlike(name: str, rows: int) -> StepRecord:
        return StepRecord(f"microscope.{name}", tab, Layout.TABLE, (rows, 1), alike=False)

    yield unlike("typed", len(MICROSCOPE_INPUTS))
    yield unlike("limits", 3)
    yield from _scalars(tab, "microscope.message")
    yield unlike("chosen", len(CHOSEN))
    yield from _table(tab, terms, *(f"microscope.{each}" for each in ("left", "right", "product")))
    yield from _scalars(tab, "microscope.large")
    yield from _table(tab, terms, "microscope.sum")
    for name in ("label", "line", "arithmetic"):
        yield unlike(name, LINES)
    for name in ("value", "gain", "bias"):
        yield unlike(f"step.{name}", len(UNDER_MICROSCOPE))
    values = ("cell", "link", "equals", "difference", "sentence", "sees")
    yield from _scalars(tab, *(f"microscope.{each}" for each in values))


def nearest(n_vocab: int) -> int:
    """How many neighbours are listed."""
    return min(LIKELIEST, n_vocab)


def _neighbours(config: Config) -> Iterator[StepRecord]:
    tab, d, vocabulary = "neighbours", config.n_embd, (config.n_vocab, 1)
    for part, words in (("word", 1), ("sum", 3), ("pair", 2)):
        for each, alike in NEIGHBOUR_COLUMNS.items():
            yield StepRecord(
                f"neighbours.{part}.{each}", tab, Layout.TABLE, (words, 1), alike=alike
            )
    yield from _table(tab, vocabulary, "neighbours.norm")
    for part in ("word", "sum"):
        yield from _table(tab, (d, 1), f"neighbours.{part}.numbers")
        yield from _scalars(tab, f"neighbours.{part}.length")
        yield from _table(tab, vocabulary, f"neighbours.{part}.cosine")
        for each, alike in NEAREST.items():
            name, shape = f"neighbours.{part}.nearest.{each}", (nearest(config.n_vocab), 1)
            yield StepRecord(name, tab, Layout.TABLE, shape, alike=alike)
        yield from _scalars(tab, f"neighbours.{part}.sentence")
    numbers = ("first", "second", "product")
    yield from _table(tab, (d, 1), *(f"neighbours.pair.{each}" for each in numbers))
    facts = ("cosine", "angle", "large", "sentence")
    yield from _scalars(tab, *(f"neighbours.pair.{each}" for each in facts))


def _checks(config: Config, context: int) -> Iterator[StepRecord]:
    tab, steps = "checks", (len(model_steps(config, context)), 1)
    typed = (len(TYPED), 1)
    yield StepRecord("checks.typed", tab, Layout.TABLE, typed, alike=False)
    yield from _table(tab, typed, "checks.same")
    yield from _scalars(tab, "checks.others")
    yield StepRecord("checks.now", tab, Layout.TABLE, steps, alike=False)
    compared = ("difference", "mark", "verdict")
    yield from _table(tab, steps, *(f"checks.{each}" for each in compared))
    yield from _scalars(tab, "checks.summary")


def _start(config: Config, context: int, extras: Extras) -> Iterator[StepRecord]:
    tab, ranks = "start", (min(LIKELIEST, config.n_vocab), 1)
    yield from _scalars(tab, *(f"start.{each}" for each in ("message", "token", "completion")))
    chips = (1, min(context, MOST_CHIPS))
    yield from _table(tab, chips, *(f"start.tokens.{each}" for each in ("text", "id", "from")))
    yield from _scalars(tab, "start.why", "start.used", "start.switches")
    yield from _table(tab, ranks, "start.likeliest.token", "start.likeliest.probability")
    yield from _scalars(tab, "start.likeliest.sentence")
    if extras.lens:
        yield from _table(tab, (config.n_layer, 1), "start.blocks")
    yield from _scalars(tab, "start.checks")
