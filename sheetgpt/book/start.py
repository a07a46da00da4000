"""The tab `start`: the prompt, what the model writes, the controls, and the map of the model.

Its upper part fits the window of a small laptop. Columns are as wide as a token, so that the text
stands there token by token; whatever is longer runs on over the empty cells beside it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from sheetgpt.book.book import Bars, Blank
from sheetgpt.book.checks import DIFFERS
from sheetgpt.book.freshness import Freshness
from sheetgpt.book.page import Page
from sheetgpt.book.predicted import Predicted
from sheetgpt.book.prompt import Prompt
from sheetgpt.book.records import MOST_CHIPS
from sheetgpt.book.rules import begins_with, column_number, itself
from sheetgpt.book.words import percent
from sheetgpt.formula.expr import Expr, Range, call, fixed, when
from sheetgpt.gpt2.config import Config
from sheetgpt.steps.sample import LARGEST_SEED, Controls
from sheetgpt.steps.tokenize import Room

# The rows where the parts begin: what is seen at once, and below it the map.
PROMPT, MESSAGE, COMPLETION, CHIPS, CALCULATION, NEXT = 4, 5, 6, 7, 10, 11
LIST = NEXT + 2
WHY_LINE = LIST + 10
STATUS = WHY_LINE + 1
MAP = STATUS + 4

# The columns: the text and what follows from it, the right side, and on the map what and why.
TEXT, LAST, SIDE = 2, 13, 15
WHAT, WHY = 3, 9
CHART = 5
TOKEN = 7.6  # the width of a token, in characters

CONTROLS = {"temperature": 0.0, "top_k": 0, "top_p": 1.0, "seed": 0}  # as in Hugging Face, greedy
FACTS = (
    "n_layer", "n_head", "n_embd", "n_inner", "n_ctx", "n_vocab", "layer_norm_epsilon",
)  # fmt: skip
KINDS: dict[str, tuple[float | str, str]] = {  # of cells: a sample, and its look
    "input": (1, "control sample"),
    "formula": (0.25, "formula"),
    "weight": (-0.0731, "weight sample"),
    "check": ("✓", "check"),
    "masked": ("", "masked"),
}
SIGNS = ("·", "×", "ᵀ", "[1…t]", "mean, var", "√", "exp, Σ", "tanh")  # of the mathematics
LEGEND, SYMBOLS, MODEL = MAP, MAP + 7, MAP + 17

Says = Callable[[int, str], Expr]  # the number of a block, and what to say where nothing is known


class Start:
    """Begun before the other tabs, which need the prompt, and finished after them."""

    def __init__(
        self, page: Page, config: Config, prompt: str, room: Room, new_tokens: int, *, manual: bool
    ) -> None:
        self.page, self.manual = page, manual
        page.opens_at_once = manual  # a large model calculates for many seconds
        page.frozen = (3, 0)
        chips = min(room.tokens, MOST_CHIPS)
        page.widths = {1: 15, **dict.fromkeys(range(TEXT, max(SIDE, TEXT + chips) + 1), TOKEN)}
        page.heights |= {1: 26, 3: 17, PROMPT: 36, COMPLETION: 30, CHIPS: 20, STATUS + 1: 18}
        page.heights |= dict.fromkeys(range(LIST, WHY_LINE), 14.5)
        page.write(PROMPT, 1, page.words.label("prompt"), "step title")
        page.write(PROMPT, TEXT, prompt, "input")
        whole = page.area(PROMPT, TEXT, 1, LAST - TEXT + 1)
        page.blanks.append(Blank(whole.columns(1, LAST - TEXT + 1), "input band"))
        page.merged.append(whole)
        self.prompt = page.define("prompt", page.area(PROMPT, TEXT))
        page.cursor = self.prompt.area
        self.chips = page.area(CHIPS, TEXT, 1, chips)
        self.cells = {"prompt": self.prompt}
        self.controls = self._controls(new_tokens, room, config)
        self.epsilon = self._model(config)
        self._explain("legend", LEGEND, KINDS)
        self._explain("symbols", SYMBOLS, {sign: (sign, "symbol") for sign in SIGNS})

    def _controls(self, new_tokens: int, room: Room, config: Config) -> Controls:
        """The labelled cells in which a person says how to choose and how much."""
        page = self.page
        page.write(NEXT, SIDE, page.words.label("controls"), "step title")
        page.heights[NEXT] = 20
        limits: dict[str, tuple[str, float, float]] = {
            "new_tokens": ("whole", 1, room.tokens),
            "temperature": ("decimal", 0, 100),
            "top_k": ("whole", 0, config.n_vocab),
            "top_p": ("decimal", 0, 1),
            "seed": ("whole", 0, LARGEST_SEED),
        }
        cells = {}
        for row, (name, value) in enumerate(
            {"new_tokens": new_tokens, **CONTROLS}.items(), start=NEXT + 1
        ):
            self._side(row, value, "control", name)
            cells[name] = page.define(name, page.area(row, SIDE))
            page.allow(cells[name].area, name, *limits[name])
        self.cells |= cells
        return Controls(**cells)

    def _model(self, config: Config) -> Range:
        """The model's sizes; returns the cell that layer norm's epsilon stands in."""
        page = self.page
        page.write(MODEL, SIDE, page.words.label("model"), "step title")
        for row, name in enumerate(FACTS, start=MODEL + 1):
            self._side(row, getattr(config, name), "fact", name)
        return page.define("layer_norm_epsilon", page.area(MODEL + len(FACTS), SIDE))

    def _explain(self, name: str, top: int, samples: Mapping[str, tuple[float | str, str]]) -> None:
        """Samples of what a person will meet, each with a sentence."""
        self.page.write(top, SIDE, self.page.words.label(name), "step title")
        for row, (key, (sample, look)) in enumerate(samples.items(), start=top + 1):
            self._side(row, sample, look, f"{name} {key}")

    def _side(self, row: int, value: float | str, look: str, label: str) -> None:
        page = self.page
        if value == "":
            page.blanks.append(Blank(page.area(row, SIDE), look))
        else:
            page.write(row, SIDE, value, look)
        page.write(row, SIDE + 1, page.words.label(label), "note")

    def finish(
        self,
        predicted: Predicted,
        prompt: Prompt,
        says: Says | None,
        verdict: Range,
        strongest: Range,
        changed: Range,
        freshness: Freshness,
        pages: Sequence[Page],
    ) -> None:
        """What the model writes, whether all is well, the likeliest tokens, and the map.

        says: what a block would say if it were the last, or else the text given; None without
            a logit lens.
        strongest: the strongest reason for the next token, in words.
        changed: how many switches are not 1.
        freshness: whether what stands here belongs to the text that stands here.
        """
        page, label = self.page, self.page.words.label
        self.fresh = freshness
        page.write(COMPLETION, 1, label("completion"), "step title")
        page.write(MESSAGE, SIDE, label("predicted"), "note")
        self._compute("start.message", MESSAGE, TEXT, prompt.message, "message")
        self._compute("start.token", PROMPT, SIDE, predicted.token, "token big")
        completion, wait = predicted.completion, freshness.wait
        self._compute("start.completion", COMPLETION, TEXT, completion, "completion", wait)
        if freshness.belongs is not None:
            page.compute(page.area(MESSAGE, CHART), freshness.belongs, "live")
        self._chips(prompt)
        look, how = ("notice", "manual") if self.manual else ("why", "automatic")
        page.write(CALCULATION, 1, label(f"calculation {how}"), look)
        page.blanks.append(Blank(page.area(CALCULATION, TEXT, 1, SIDE + 1), look))
        page.heights[CALCULATION] = 24 if self.manual else 15
        self._likeliest(predicted, prompt)
        page.write(WHY_LINE, 1, label("why line"), "step title", strongest.area.cell(0, 0))
        self._compute("start.why", WHY_LINE, TEXT, strongest, "text")
        self._status(prompt, verdict, changed)
        self._map(pages, says)

    def _compute(
        self, name: str, row: int, column: int, tree: Expr, look: str, otherwise: str = ""
    ) -> Range:
        """A named cell that shows a formula, as long as that belongs to the text."""
        shown = self.fresh.when(tree, otherwise)
        cell = self.page.compute_named(name, row, column, shown, look)
        self.fresh.mark(self.page, cell.area, is_sentence=bool(otherwise))
        return cell

    def _chips(self, prompt: Prompt) -> None:
        """The tokens side by side: the text of each, its id, and who wrote it."""
        page, label = self.page, self.page.words.label
        page.write(CHIPS, 1, label("tokens"), "step title")
        page.write(CHIPS + 1, 1, label("column id"), "why")
        rows = {}
        for row, name in enumerate(("text", "id", "from"), start=CHIPS):
            rows[name] = replace(self.chips, top=row, bottom=row)
            page.define(f"start.tokens.{name}", rows[name])
        for index in range(self.chips.shape[1]):
            number, its_id = Range(prompt.number.area.row(index)), Range(prompt.id.area.row(index))
            whose = when(number > prompt.n_tokens, label("written"), label("yours"))
            for name, tree, look in (
                ("text", Range(prompt.text.area.row(index)), "chip"),
                ("id", its_id, "chip id manual" if self.manual else "chip id"),
                ("from", when(its_id.equals(""), "", whose), "chip note"),
            ):
                cell = rows[name].columns(index, index + 1)
                page.compute(cell, self.fresh.when(tree, ""), look)
                self.fresh.mark(page, cell)
        text = itself(rows["text"])
        there = call("ISTEXT", text), call("LEN", text) > 0
        is_written = column_number(rows["text"]) >= prompt.n_tokens
        page.rule(rows["text"], call("AND", *there, is_written), "written")
        page.rule(rows["text"], call("AND", *there), "yours")

    def _status(self, prompt: Prompt, verdict: Range, changed: Range) -> None:
        """How much room is used, and whether the formulas still say what the witness says."""
        page = self.page
        page.write(STATUS, 1, page.words.label("status"), "step title")
        used = call("COUNT", prompt.id)
        sentence = page.words.sentence(
            "used tokens",
            used=used,
            room=prompt.id.area.shape[0],
            prompt=prompt.n_tokens,
            written=used - prompt.n_tokens,
        )
        self._compute("start.used", STATUS, TEXT, sentence, "text")
        self._compute("start.checks", STATUS + 1, TEXT, verdict, "verdict")
        band = page.area(STATUS + 1, TEXT, 1, LAST - TEXT + 1)
        page.blanks.append(Blank(band.columns(1, LAST - TEXT + 1), "verdict"))
        sentence = page.words.sentence("switches changed", count=changed)
        shown = when(changed > 0, sentence, "")
        self._compute("start.switches", STATUS + 2, TEXT, shown, "message")
        page.rule(band, begins_with(DIFFERS, fixed(Range(band.cell(0, 0)))), "differs")

    def _likeliest(self, predicted: Predicted, prompt: Prompt) -> None:
        page, words = self.page, self.page.words
        page.write(NEXT, 1, words.label("likeliest"), "step title")
        ranks = predicted.tokens.area.shape[0]
        areas = []
        for column, name, whole, look in (
            (TEXT, "token", predicted.tokens, "token"),
            (1, "probability", predicted.probabilities, "share"),
        ):
            area = page.define(f"start.likeliest.{name}", page.area(LIST, column, ranks)).area
            areas.append(area)
            for row in range(ranks):
                page.compute(area.row(row), self.fresh.when(Range(whole.area.row(row)), ""), look)
            self.fresh.mark(page, area)
        tokens, shares = areas
        sentence = words.sentence(
            "likeliest sentence",
            last=call("INDEX", prompt.text, prompt.n_tokens),
            next=Range(tokens.row(0)),
            percent=percent(Range(shares.row(0)), 2),
        )
        shown = when(prompt.n_tokens.equals(0), "", sentence)
        self._compute("start.likeliest.sentence", NEXT + 1, 1, shown, "live")
        corner = page.area(LIST, CHART)
        page.charts.append(Bars(tokens, shares, corner, words.label("chart"), 14, 4.95))

    def _map(self, pages: Sequence[Page], says: Says | None) -> None:
        """Every tab in order: what happens there, and why, or what a block would say."""
        page, words = self.page, self.page.words
        page.write(MAP, 1, words.label("contents"), "step title")
        for column, heading in ((1, "where"), (WHAT, "what"), (WHY, "because")):
            page.write(MAP + 1, column, words.label(heading), "heading")
        row = MAP + 2
        blocks = [number for number, other in enumerate(pages) if other.tab.startswith("block ")]
        if says is not None:
            area = page.area(row + blocks[0] - 1, WHY, len(blocks))
            said = page.define("start.blocks", area).area
            for block in range(len(blocks)):
                tree = says(block, words.tab("later block").why)
                page.compute(said.row(block), self.fresh.when(tree, ""), "why")
            self.fresh.mark(page, said)
        for number, other in enumerate(pages[1:], start=1):
            if other.tab == "vocabulary":  # from here on nothing is computed any more
                page.write(row + 1, 1, words.label("learned"), "step title")
                row += 2
            page.write(row, 1, other.tab, "link", other.corner)
            page.write(row, WHAT, other.about, "text")
            if says is None or number not in blocks:
                page.write(row, WHY, other.why, "why")
            row += 1
