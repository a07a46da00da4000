"""From a checkpoint to a book: every tab in order, and the model's steps on them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace

import sheetgpt
from sheetgpt.book import data
from sheetgpt.book.attention import AttentionPage, looking
from sheetgpt.book.book import Book
from sheetgpt.book.checks import Compared, Inputs, built_with, checks_page
from sheetgpt.book.extras import EVERYTHING, Extras
from sheetgpt.book.freshness import Freshness, freshness
from sheetgpt.book.lens import LensInputs, LensPage
from sheetgpt.book.looks import ACCENT, GREEN, LINE, YELLOW
from sheetgpt.book.lookup import prompt_tables
from sheetgpt.book.microscope import Looked, MicroscopePage
from sheetgpt.book.neighbours import neighbours_page
from sheetgpt.book.page import Page
from sheetgpt.book.predicted import PredictedPage, choosing
from sheetgpt.book.prompt import Writing, prompt_page, splitting_of
from sheetgpt.book.reasons import ReasonsInputs, ReasonsPage
from sheetgpt.book.records import has_microscope, listed, placed
from sheetgpt.book.split import split_page
from sheetgpt.book.start import Shown, StartPage, start_cells
from sheetgpt.book.switches import Now, SwitchesPage, switching
from sheetgpt.book.token_rows import TokenRows, Tokens
from sheetgpt.book.witness import Said
from sheetgpt.book.words import Words
from sheetgpt.book.words_typed import examples
from sheetgpt.checkpoint.checkpoint import Checkpoint
from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import Call, Range, fixed
from sheetgpt.gpt2 import sampling
from sheetgpt.gpt2.config import Config
from sheetgpt.gpt2.weights import kind, shapes
from sheetgpt.steps.block import Attention, block
from sheetgpt.steps.embed import embed
from sheetgpt.steps.head import Head, probabilities
from sheetgpt.steps.sample import Vocabulary, is_chosen
from sheetgpt.steps.step import layer_norm
from sheetgpt.steps.tokenize import Room

# Whatever `start` shows: the tokens and what is wrong with them, the choice, the lens, the checks.
SHOWN = (
    "tokens.id", "tokens.text", "n_tokens", "prompt.message", "predicted.token", "completion",
    "candidates.token", "candidates.before", "lens.token", "lens.probability", "checks.summary",
    "switches.changed", "switches.sentence", "reasons.why",
)  # fmt: skip
TOKENIZER = ("unit", "leading", "otherwise")  # what no table of the workbook says of it
PROPERTY = "sheetgpt."  # the document properties by which a workbook of ours tells its model


def compile_book(
    checkpoint: Checkpoint,
    prompt: str,
    room: Room,
    words: Words,
    new_tokens: int = 1,
    *,
    manual: bool = False,
    extras: Extras = EVERYTHING,
    witness: Callable[[], Said] | None = None,
) -> Book:
    """The workbook of a checkpoint, with a prompt typed in, that writes `new_tokens` tokens.

    room: `room.tokens` is its context: the rows of tokens that it has.
    witness: asked once most is laid out, since the weights are read back meanwhile; None where
        nobody will look.
    manual: whether it calculates only when somebody asks for it.
    """
    config, texts = checkpoint.config, data.token_texts(checkpoint.tokenizer)
    template, words = words, words.of_activation(config.activation_function)
    n_tokens = len(checkpoint.tokenizer.encode_prompt(prompt))
    read = Compared(n_tokens, min(room.tokens, n_tokens + max(1, new_tokens) - 1))
    names: dict[str, Area] = {}
    pages = Pages(names, words)
    page = pages.add
    splitting = splitting_of(checkpoint.tokenizer)
    listed_steps = listed(config, room, splitting, extras)
    records = {record.name: record for record in listed_steps}

    # What people read, in the order in which the model computes it.
    on_start = page("start")
    on_start.opens_at_once = manual  # a large model calculates for many seconds
    on_prompt, on_embeddings = page("prompt to tokens"), page("embeddings")
    on_block = [
        page(f"block {b}", "later block" if b else "block", _local(words, config, b), block=b)
        for b in range(config.n_layer)
    ]
    on_layer_norm, on_logits, on_softmax = page("layer norm"), page("logits"), page("softmax")
    on_predicted, on_attention = page("predicted token"), page("attention")
    on_lens = page("logit lens") if extras.lens else None
    on_reasons, on_switches = page("reasons"), page("switches")
    on_microscope = page("microscope") if has_microscope(config) else None
    on_neighbours = page("neighbours") if extras.neighbours else None
    on_checks = page("checks")
    first_data = len(pages.all)

    # What is read before it is laid out has its place already.
    start = start_cells(on_start)
    chosen = choosing(on_predicted, room.tokens, config.n_vocab)
    looked_at = looking(on_attention, config)
    switches = switching(on_switches, config, effects=extras.effects)
    built_from = built_with(on_checks)

    # What the formulas read.
    on_vocabulary = page("vocabulary")
    vocabulary = data.vocabulary(on_vocabulary, checkpoint.tokenizer, texts)
    partial = data.partial(on_vocabulary, checkpoint.tokenizer)
    tables = prompt_tables(page, checkpoint.tokenizer, texts)
    weights = _weights(checkpoint, pages, texts)

    writing = Writing(chosen.id, chosen.controls, checkpoint.tokenizer.end_of_text)
    tokens = prompt_page(on_prompt, start.prompt, vocabulary, tables, room, writing)
    of_tokens = Tokens(tokens.text, tokens.id, read.read)

    def rows(on: Page, entries: Sequence[str] = ()) -> TokenRows:
        return TokenRows(on, of_tokens, records, entries=entries)

    x = embed(rows(on_embeddings), Call("row", (tokens.id,)), weights["wte"], weights["wpe"])
    marks = _marks(words, config.n_head)
    for b, on in enumerate(on_block):
        prefix, live = f"h.{b}.", {"attn.weights": looked_at.sentence(b)}
        how = attention_of(config, b)
        step = TokenRows(on, of_tokens, records, prefix, marks, live)
        h = {name.removeprefix(prefix): w for name, w in weights.items() if name.startswith(prefix)}
        switch = switches.of_block(b)
        x = block(step, x, h, how, config.activation_function, start.epsilon, switch)
    ln_f = layer_norm(rows(on_layer_norm), "ln_f", x, weights, start.epsilon)
    matrix = weights["wte" if config.tie_word_embeddings else "lm_head.w"]
    head = Head(matrix, weights.get("lm_head.b"))
    logits, softmax = probabilities(
        rows(on_logits, texts),
        rows(on_softmax, texts),
        ln_f,
        head,
        only=is_chosen(Call("row", (tokens.number,)), tokens.n_tokens, chosen.controls),
    )
    ids = fixed(Range(replace(logits.area, left=1, right=1)))  # they stand beside the logits
    end, between = checkpoint.tokenizer.end_of_text, " " * checkpoint.tokenizer.is_of_words
    looked_up = Vocabulary(logits, ids, vocabulary, partial, end, between)
    predicted = PredictedPage(
        on_predicted, chosen, start.controls, tokens, looked_up, softmax
    ).shown
    AttentionPage(
        on_attention, looked_at, tokens, _of_blocks(names, config.n_layer, "attn.weights")
    )
    says = None
    if on_lens is not None:
        residuals = _of_blocks(names, config.n_layer, "mlp.residual")
        chosen_id = Range(names["predicted.id"])
        seen = LensInputs(residuals, weights, start.epsilon, head, vocabulary, texts, chosen_id)
        says = LensPage(on_lens, tokens, seen).says
    about = ReasonsInputs(tokens, head, weights, start.epsilon, ids, vocabulary)
    votes = ReasonsPage(on_reasons, config, room.tokens, about)
    split_page(votes, config)
    said = None if witness is None else witness()
    built, fingerprints = (said.built, said.fingerprints) if said else (None, None)
    now = Now(tokens, start.prompt, built_from["prompt"], vocabulary, softmax)
    heads = _areas(names, config.n_layer, "attn.heads")
    switched = SwitchesPage(on_switches, switches, now, heads, built, manual=manual)
    typed = Inputs(
        {
            "prompt": prompt,
            "new_tokens": new_tokens,
            **asdict(sampling.Controls()),
            "switches.changed": 0,
        },
        {**start.typed, "switches.changed": switches.changed},
    )
    with_digests = [*pages.all[first_data:], on_switches]
    verdict = checks_page(on_checks, config, built_from, typed, read, fingerprints, with_digests)
    if on_microscope is not None:
        attention_ = [attention_of(config, b) for b in range(config.n_layer)]
        looked = Looked(config, names, weights, head, attention_, start.epsilon)
        MicroscopePage(on_microscope, tokens, looked, charts=not manual)
    if on_neighbours is not None:
        neighbours_page(
            on_neighbours, weights["wte"], vocabulary, examples(texts), charts=not manual
        )
    fresh = Freshness()
    if switched.mark is not None:
        fresh = freshness(
            on_start,
            on_predicted,
            chosen.beside,
            list(start.typed.values()),
            Range(names["prompt.shown"]),
            [Range(names[name]) for name in SHOWN if name in names],
            switched.mark,
        )
    why = Range(names["reasons.why"])
    shown = Shown(predicted, tokens, says, verdict, why, switches.changed, fresh)
    StartPage(on_start, start, shown, typed.values, config, room, pages.all, manual=manual)
    _colour(pages.all, on_checks, first_data)
    tabs = [each.finished(link_to=pages.all) for each in pages.all]
    return Book(
        tabs,
        names,
        _properties(
            checkpoint,
            room,
            template,
            prompt=prompt,
            new_tokens=new_tokens,
            **asdict(extras),
            manual=manual,
        ),
        manual,
        placed(listed_steps, tabs, names),
    )


def _local(words: Words, config: Config, block: int) -> str:
    """A sentence of a block whose tokens see only the last ones."""
    window = config.window(block)
    return words.label("local block", tokens=window - 1) if window else ""


def attention_of(config: Config, block: int) -> Attention:
    """How the tokens of a block attend."""
    divisor = block + 1 if config.scale_attn_by_inverse_layer_idx else 1
    return Attention(config.n_head, config.scale_attn_weights, divisor, config.window(block))


class Pages:
    """The pages of a book in their order, and the names that they share."""

    def __init__(self, names: dict[str, Area], words: Words) -> None:
        self.names, self.words = names, words
        self.all: list[Page] = []

    def add(self, tab: str, kind: str = "", more: str = "", **parts: object) -> Page:
        """A page with its title and what it is about; kind: where its words stand, if not there.

        more: a sentence that this page has besides.
        """
        about = self.words.tab(kind or tab)
        title, what, why = (t.format(**parts) for t in (about.title, about.about, about.why))
        self.all.append(Page(tab, self.names, self.words, title, what, f"{why} {more}".strip()))
        return self.all[-1]


def _of_blocks(names: Mapping[str, Area], n_layer: int, step: str) -> list[Range]:
    """One step's cells in every block."""
    return [Range(area) for area in _areas(names, n_layer, step)]


def _areas(names: Mapping[str, Area], n_layer: int, step: str) -> list[Area]:
    return [names[f"h.{b}.{step}"] for b in range(n_layer)]


def _marks(words: Words, n_head: int) -> dict[str, list[str]]:
    """What stands over the parts of a step's rows."""
    heads = [words.label("head", number=number) for number in range(n_head)]
    steps = (f"attn.{step}" for step in ("q", "k", "v", "scores", "weights", "heads"))
    parts = [words.label(part) for part in ("queries", "keys", "values")]
    return {**dict.fromkeys(steps, heads), "attn.c_attn": parts}


def _colour(pages: Sequence[Page], checks: Page, first_data: int) -> None:
    """The tabs have the colours of what they hold: inputs, formulas, checks, weights."""
    for number, page in enumerate(pages):
        page.color = LINE if number >= first_data else ACCENT
    pages[0].color, checks.color = YELLOW, GREEN


def _weights(checkpoint: Checkpoint, pages: Pages, texts: list[str]) -> dict[str, Range]:
    """Every tensor on its tab: `wte`, `wpe`, one tab a block, and `weights f` for the rest."""
    config, weights = checkpoint.config, checkpoint.weights
    names = list(shapes(config))
    ranges = data.tensors(pages.add("wte"), weights, ["wte"], texts)
    ranges |= data.tensors(pages.add("wpe"), weights, ["wpe"])
    for b in range(config.n_layer):
        of_block = [name for name in names if name.startswith(f"h.{b}.")]
        on = pages.add(f"weights {b}", "weights", block=b)
        ranges |= data.tensors(on, weights, of_block, zeros=checkpoint.zeros)
    final = [name for name in names if name.startswith("ln_f.")]
    ranges |= data.tensors(pages.add("weights f"), weights, final, zeros=checkpoint.zeros)
    of_head = [name for name in names if name.startswith("lm_head.")]
    if of_head:
        ranges |= data.tensors(pages.add("lm_head"), weights, of_head, texts)
    return ranges


def _properties(
    checkpoint: Checkpoint, room: Room, words: Words, **ordered: str | int | bool
) -> dict[str, str]:
    """What the checker needs to know and cannot measure, one short text each.

    ordered: what else the book was compiled with; of a text no more than its digest.
    """
    stated = {"version": sheetgpt.__version__, "model": checkpoint.name, "words": words.digest}
    for name, value in ordered.items():
        stated[name] = data.digest([value]) if isinstance(value, str) else json.dumps(value)
    if checkpoint.zeros:
        stated["zeros"] = " ".join(dict.fromkeys(map(kind, checkpoint.zeros)))
    stated |= {name: json.dumps(value) for name, value in asdict(checkpoint.config).items()}
    tokenizer = checkpoint.tokenizer
    of_tokenizer = {
        **{name: getattr(tokenizer, name) for name in TOKENIZER},
        "has_specials": bool(tokenizer.specials),
    }
    stated |= {f"tokenizer.{name}": json.dumps(value) for name, value in of_tokenizer.items()}
    stated |= {f"room.{name}": str(size) for name, size in asdict(room).items()}
    return {PROPERTY + name: text for name, text in stated.items()}
