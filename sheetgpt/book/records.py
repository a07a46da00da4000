"""Every step of a workbook as data: its name, its words, how its cells lie, and its formulas.

The list is made once, of the configuration and the room. Whoever lays a step out, checks it or says
it in another language looks it up here, and needs to know no step by its name.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sheetgpt.book.book import Computed, Layout, StepRecord, Tab
from sheetgpt.formula.cells import Area
from sheetgpt.gpt2.config import Config
from sheetgpt.steps.block import SIXTEEN
from sheetgpt.steps.sample import columns
from sheetgpt.steps.tokenize import Room, Splitting, tables_of

LIKELIEST = 10  # candidates that are shown of each new token
CANDIDATES = ("draw", "token", "rank", "id", "logit", "before", "after", "from", "to", "taken")
CONTROLS = ("new_tokens", "temperature", "top_k", "top_p", "seed")
MOST_CHIPS = 64  # tokens that `start` shows side by side


def listed(config: Config, room: Room, splitting: Splitting, *, lens: bool) -> list[StepRecord]:
    """Every step in the order in which the workbook computes it."""
    return [
        *_prompt(room, splitting),
        *_model(config, room.tokens),
        *_predicted(config, room.tokens),
        *_attention(config),
        *(_lens(config) if lens else ()),
        *_checks(config, room.tokens),
        *_start(config, room.tokens, lens=lens),
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
        for each in tab.computed:
            in_rows[tab.name, each.area.top].append(each)

    def of(area: Area) -> Iterator[Computed]:
        for row in range(area.top, area.bottom + 1):
            for each in in_rows[area.tab, row]:
                if area.left <= each.area.left <= area.right:
                    yield each

    return tuple(replace(each, formulas=tuple(of(names[each.name]))) for each in records)


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


def _lens(config: Config) -> Iterator[StepRecord]:
    tab, blocks, d = "logit lens", config.n_layer, config.n_embd
    yield from _scalars(tab, "lens.shown")
    yield from _table(tab, (blocks, d), "lens.residual", "lens.ln_f.normal", "lens.ln_f")
    yield from _table(tab, (config.n_vocab, blocks), "lens.logits")
    answers = ("id", "token", "probability", "final")
    yield from _table(tab, (blocks, 1), *(f"lens.{each}" for each in answers))
    yield from _scalars(tab, "lens.from", "lens.sentence")


def _checks(config: Config, context: int) -> Iterator[StepRecord]:
    tab, steps = "checks", (len(model_steps(config, context)), 1)
    typed = (1 + len(CONTROLS), 1)
    yield StepRecord("checks.typed", tab, Layout.TABLE, typed, alike=False)
    yield from _table(tab, typed, "checks.same")
    yield from _scalars(tab, "checks.others")
    yield StepRecord("checks.now", tab, Layout.TABLE, steps, alike=False)
    compared = ("difference", "mark", "verdict")
    yield from _table(tab, steps, *(f"checks.{each}" for each in compared))
    yield from _scalars(tab, "checks.summary")


def _start(config: Config, context: int, *, lens: bool) -> Iterator[StepRecord]:
    tab, ranks = "start", (min(LIKELIEST, config.n_vocab), 1)
    yield from _scalars(tab, *(f"start.{each}" for each in ("message", "token", "completion")))
    chips = (1, min(context, MOST_CHIPS))
    yield from _table(tab, chips, *(f"start.tokens.{each}" for each in ("text", "id", "from")))
    yield from _scalars(tab, "start.used")
    yield from _table(tab, ranks, "start.likeliest.token", "start.likeliest.probability")
    yield from _scalars(tab, "start.likeliest.sentence")
    if lens:
        yield from _table(tab, (config.n_layer, 1), "start.blocks")
    yield from _scalars(tab, "start.checks")
