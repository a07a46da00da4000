"""The tab `start`: the prompt, what the model writes, the controls, and the map of the model.

Its upper part fits the window of a small laptop. Columns are as wide as a token, so that the text
stands there token by token; whatever is longer runs on over the empty cells beside it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sheetgpt.book.book import Bars, Blank
from sheetgpt.book.checks import DIFFERS
from sheetgpt.book.freshness import Freshness
from sheetgpt.book.page import Page
from sheetgpt.book.predicted import Predicted
from sheetgpt.book.prompt import Prompt
from sheetgpt.book.records import CONTROLS, MOST_CHIPS
from sheetgpt.book.rules import begins_with, column_number, itself
from sheetgpt.book.words import percent
from sheetgpt.formula.cells import Area
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


@dataclass(frozen=True)
class StartCells:
    """The cells of `start` that the rest of the book reads.

    epsilon: layer norm's, which nobody types.
    """

    prompt: Range
    controls: Controls
    epsilon: Range

    @property
    def typed(self) -> dict[str, Range]:
        """The inputs by their names, the prompt first."""
        return {"prompt": self.prompt, **{name: getattr(self.controls, name) for name in CONTROLS}}


@dataclass(frozen=True)
class Shown:
    """What `start` shows of other tabs.

    says: what a block would say if it were the last; None without such a tab. strongest: the
        strongest reason for the next token, in words. changed: how many switches are not 1.
    freshness: whether all this belongs to the text that stands here.
    """

    predicted: Predicted
    prompt: Prompt
    says: Says | None
    verdict: Range
    strongest: Range
    changed: Range
    freshness: Freshness


def start_cells(page: Page) -> StartCells:
    """Reserved before there is anything on the tab, which shows what all others compute."""
    prompt = page.define("prompt", page.area(PROMPT, TEXT))
    rows = enumerate(CONTROLS, start=NEXT + 1)
    controls = {name: page.define(name, page.area(row, SIDE)) for row, name in rows}
    epsilon = page.define(FACTS[-1], page.area(MODEL + len(FACTS), SIDE))
    return StartCells(prompt, Controls(**controls), epsilon)


class StartPage:
    """typed: what stands in the inputs, by their names. pages: all tabs, for the map."""

    def __init__(
        self,
        page: Page,
        cells: StartCells,
        shown: Shown,
        typed: Mapping[str, str | float],
        config: Config,
        room: Room,
        pages: Sequence[Page],
        *,
        manual: bool,
    ) -> None:
        self.page, self.fresh, self.manual = page, shown.freshness, manual
        self.predicted, self.prompt = shown.predicted, shown.prompt
        chips = min(room.tokens, MOST_CHIPS)
        page.frozen = (3, 0)
        page.widths = {1: 15, **dict.fromkeys(range(TEXT, max(SIDE, TEXT + chips) + 1), TOKEN)}
        page.heights |= {1: 26, 3: 17, PROMPT: 36, COMPLETION: 30, CHIPS: 20, STATUS + 1: 18}
        page.heights |= dict.fromkeys(range(LIST, WHY_LINE), 14.5)
        self._text(cells.prompt, str(typed["prompt"]))
        self._answer()
        self._chips(page.area(CHIPS, TEXT, 1, chips))
        self._likeliest()
        page.write(
            WHY_LINE, 1, page.words.label("why line"), "step title", shown.strongest.area.cell(0, 0)
        )
        self._compute("start.why", WHY_LINE, TEXT, shown.strongest, "text")
        self._status(shown.verdict, shown.changed)
        self._map(pages, shown.says)
        self._controls(cells.controls, typed, room, config)
        self._model(config)
        self._explain("legend", LEGEND, KINDS)
        self._explain("symbols", SYMBOLS, {sign: (sign, "symbol") for sign in SIGNS})

    def _text(self, cell: Range, text: str) -> None:
        """Where a person types."""
        page = self.page
        page.write(PROMPT, 1, page.words.label("prompt"), "step title")
        page.write(PROMPT, TEXT, text, "input")
        whole = page.area(PROMPT, TEXT, 1, LAST - TEXT + 1)
        page.blanks.append(Blank(whole.columns(1, LAST - TEXT + 1), "input band"))
        page.merged.append(whole)
        page.cursor = cell.area

    def _answer(self) -> None:
        """What is wrong with the text, what the model writes behind it, and when it does."""
        page, label, fresh = self.page, self.page.words.label, self.fresh
        page.write(COMPLETION, 1, label("completion"), "step title")
        page.write(MESSAGE, SIDE, label("predicted"), "note")
        self._compute("start.message", MESSAGE, TEXT, self.prompt.message, "message")
        self._compute("start.token", PROMPT, SIDE, self.predicted.token, "token big")
        completion = self.predicted.completion
        self._compute("start.completion", COMPLETION, TEXT, completion, "completion", fresh.wait)
        if fresh.belongs is not None:
            page.compute(page.area(MESSAGE, CHART), fresh.belongs, "live")
        look, how = ("notice", "manual") if self.manual else ("why", "automatic")
        page.write(CALCULATION, 1, label(f"calculation {how}"), look)
        page.blanks.append(Blank(page.area(CALCULATION, TEXT, 1, SIDE + 1), look))
        page.heights[CALCULATION] = 24 if self.manual else 15

    def _controls(
        self, cells: Controls, typed: Mapping[str, str | float], room: Room, config: Config
    ) -> None:
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
        for name, limit in limits.items():
            cell = getattr(cells, name).area
            self._side(cell.top, typed[name], "control", name)
            page.allow(cell, name, *limit)

    def _model(self, config: Config) -> None:
        """The model's sizes."""
        page = self.page
        page.write(MODEL, SIDE, page.words.label("model"), "step title")
        for row, name in enumerate(FACTS, start=MODEL + 1):
            self._side(row, getattr(config, name), "fact", name)

    def _explain(self, name: str, top: int, samples: Mapping[str, tuple[float | str, str]]) -> None:
        """Samples of what a person will meet, each with a sentence."""
        self.page.write(top, SIDE, self.page.words.label(name), "step title")
        for row, (key, (sample, look)) in enumerate(samples.items(), start=top + 1):
            self._side(row, sample, look, f"{name} {key}")

    def _side(self, row: int, value: float | str, look: str, label: str) -> None:
        page = self.page
        page.write_or_leave(page.area(row, SIDE), value, look)
        page.write(row, SIDE + 1, page.words.label(label), "note")

    def _compute(
        self, name: str, row: int, column: int, tree: Expr, look: str, otherwise: str = ""
    ) -> Range:
        """A named cell that shows a formula, as long as that belongs to the text."""
        shown = self.fresh.when(tree, otherwise)
        cell = self.page.compute_named(name, row, column, shown, look)
        self.fresh.mark(self.page, cell.area, is_sentence=bool(otherwise))
        return cell

    def _chips(self, whole: Area) -> None:
        """The tokens side by side: the text of each, its id, and who wrote it."""
        page, label, prompt = self.page, self.page.words.label, self.prompt
        page.write(CHIPS, 1, label("tokens"), "step title")
        page.write(CHIPS + 1, 1, label("column id"), "why")
        rows = {}
        for row, name in enumerate(("text", "id", "from"), start=CHIPS):
            rows[name] = replace(whole, top=row, bottom=row)
            page.define(f"start.tokens.{name}", rows[name])
        for index in range(whole.shape[1]):
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

    def _status(self, verdict: Range, changed: Range) -> None:
        """How much room is used, and whether the formulas still say what the witness says."""
        page, prompt = self.page, self.prompt
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

    def _likeliest(self) -> None:
        page, words = self.page, self.page.words
        predicted, prompt = self.predicted, self.prompt
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
