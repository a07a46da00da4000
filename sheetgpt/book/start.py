"""The tab `start`: the prompt, what the model writes, the controls, and the map of the model."""

from collections.abc import Callable, Mapping, Sequence

from sheetgpt.book.book import Bars, Blank
from sheetgpt.book.page import Page
from sheetgpt.book.predicted import Predicted
from sheetgpt.book.prompt import Prompt
from sheetgpt.formula.expr import Expr, Range, call, when
from sheetgpt.gpt2.config import Config
from sheetgpt.steps.sample import Controls

# The rows where the parts of the left side begin, and those of the right side.
PROMPT, MESSAGE, COMPLETION, STATUS, NEXT = 5, 6, 7, 9, 14
LIST = NEXT + 2
MAP = LIST + 13
CONTROLS_TOP, LEGEND, SYMBOLS, MODEL = 9, 16, MAP, MAP + 11
SIDE = 5  # the column where the right side begins

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

Says = Callable[[int, str], Expr]  # the number of a block, and what to say where nothing is known


class Start:
    """Begun before the other tabs, which need the prompt, and finished after them."""

    def __init__(
        self, page: Page, config: Config, prompt: str, new_tokens: int, *, manual: bool
    ) -> None:
        self.page = page
        page.opens_at_once = True  # a large model calculates for many seconds
        page.frozen = (3, 0)
        page.widths = {1: 20, 2: 58, 3: 48, 4: 3, 5: 11, 6: 52}
        page.heights |= {PROMPT: 52, COMPLETION: 60}
        page.heights |= {CONTROLS_TOP: 20, LEGEND: 20}  # titles above a frame, in any script
        page.write(PROMPT, 1, page.words.label("prompt"), "step title")
        page.write(PROMPT, 2, prompt, "input")
        self.prompt = page.define("prompt", page.area(PROMPT, 2))
        page.write(STATUS, 1, page.words.label("status"), "step title")
        how = "manual" if manual else "automatic"
        page.write(STATUS + 2, 2, page.words.label(f"calculation {how}"), "text")
        self.cells = {"prompt": self.prompt}
        self.controls = self._controls(new_tokens)
        self.epsilon = self._model(config)
        self._explain("legend", LEGEND, KINDS)
        self._explain("symbols", SYMBOLS, {sign: (sign, "symbol") for sign in SIGNS})

    def _controls(self, new_tokens: int) -> Controls:
        """The labelled cells in which a person says how to choose and how much."""
        page = self.page
        page.write(CONTROLS_TOP, SIDE, page.words.label("controls"), "step title")
        cells = {}
        for row, (name, value) in enumerate(
            {"new_tokens": new_tokens, **CONTROLS}.items(), start=CONTROLS_TOP + 1
        ):
            self._side(row, value, "control", name)
            cells[name] = page.define(name, page.area(row, SIDE))
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
        pages: Sequence[Page],
    ) -> None:
        """What the model writes, whether all is well, the likeliest tokens, and the map.

        says: what a block would say if it were the last, or else the text given; None without
            a logit lens.
        """
        page, label = self.page, self.page.words.label
        page.write(COMPLETION, 1, label("completion"), "step title")
        page.write(PROMPT - 1, 3, label("predicted"), "heading")
        for name, row, column, shown, look in (
            ("token", PROMPT, 3, predicted.token, "token big"),
            ("message", MESSAGE, 2, prompt.message, "message"),
            ("completion", COMPLETION, 2, predicted.completion, "completion"),
        ):
            page.compute_named(f"start.{name}", row, column, shown, look)
        self._status(prompt, verdict)
        self._likeliest(predicted, prompt)
        self._map(pages, says)

    def _status(self, prompt: Prompt, verdict: Range) -> None:
        """How much room is used, and whether the formulas still say what the witness says."""
        page = self.page
        used = call("COUNT", prompt.id)
        sentence = page.words.sentence(
            "used tokens",
            used=used,
            room=prompt.id.area.shape[0],
            prompt=prompt.n_tokens,
            written=used - prompt.n_tokens,
        )
        page.compute_named("start.used", STATUS, 2, sentence, "text")
        page.compute_named("start.checks", STATUS + 1, 2, verdict, "verdict")
        differs = f'LEFT($B${STATUS + 1})="✗"'
        page.rule(page.area(STATUS + 1, 2), differs, "differs")

    def _likeliest(self, predicted: Predicted, prompt: Prompt) -> None:
        page, words = self.page, self.page.words
        page.write(NEXT, 1, words.label("likeliest"), "step title")
        ranks = predicted.tokens.area.shape[0]
        areas = []
        for column, name, whole, look in (
            (2, "token", predicted.tokens, "token"),
            (1, "probability", predicted.probabilities, "share"),
        ):
            areas.append(
                page.define(f"start.likeliest.{name}", page.area(LIST, column, ranks)).area
            )
            for row in range(ranks):
                page.compute(areas[-1].row(row), Range(whole.area.row(row)), look)
        tokens, shares = areas
        sentence = words.sentence(
            "likeliest sentence",
            last=call("INDEX", prompt.text, prompt.n_tokens),
            next=Range(tokens.row(0)),
            percent=call("ROUND", 100 * Range(shares.row(0)), 2),
        )
        shown = when(prompt.n_tokens.equals(0), "", sentence)
        page.compute_named("start.likeliest.sentence", NEXT + 1, 1, shown, "live")
        page.charts.append(
            Bars(tokens, shares, page.area(NEXT + 1, 3), words.label("chart"), 9, 6.3)
        )

    def _map(self, pages: Sequence[Page], says: Says | None) -> None:
        """Every tab in order: what happens there, and why, or what a block would say."""
        page, words = self.page, self.page.words
        page.write(MAP, 1, words.label("contents"), "step title")
        for column, heading in enumerate(("where", "what", "because"), start=1):
            page.write(MAP + 1, column, words.label(heading), "heading")
        row = MAP + 2
        blocks = [number for number, other in enumerate(pages) if other.tab.startswith("block ")]
        if says is not None:
            said = page.define("start.blocks", page.area(row + blocks[0] - 1, 3, len(blocks))).area
            for block in range(len(blocks)):
                page.compute(said.row(block), says(block, words.tab("later block").why), "why")
        for number, other in enumerate(pages[1:], start=1):
            if other.tab == "vocabulary":  # from here on nothing is computed any more
                page.write(row + 1, 1, words.label("learned"), "step title")
                row += 2
            page.write(row, 1, other.tab, "link", other.corner)
            page.write(row, 2, other.about, "text")
            if says is None or number not in blocks:
                page.write(row, 3, other.why, "why")
            row += 1
