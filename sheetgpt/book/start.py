"""The tab `start`: the prompt, what the model writes, the controls, and the map of the model."""

from collections.abc import Sequence

from sheetgpt.book.book import Bars
from sheetgpt.book.page import Page
from sheetgpt.book.predicted import Predicted
from sheetgpt.book.prompt import Prompt
from sheetgpt.formula.expr import Range
from sheetgpt.gpt2.config import Config
from sheetgpt.steps.sample import Controls

PROMPT, COMPLETION, LIST, MAP = 5, 7, 11, 24  # the rows where each part begins
CONTROLS = {"temperature": 0.0, "top_k": 0, "top_p": 1.0, "seed": 0}  # as in Hugging Face, greedy
FACTS = (
    "n_layer", "n_head", "n_embd", "n_inner", "n_ctx", "n_vocab", "layer_norm_epsilon",
)  # fmt: skip


class Start:
    """Begun before the other tabs, which need the prompt, and finished after them."""

    def __init__(self, page: Page, config: Config, prompt: str, new_tokens: int) -> None:
        self.page = page
        page.frozen = (1, 0)
        page.widths = {1: 18, 2: 66, 3: 24, 4: 3, 5: 12, 6: 50}
        page.heights |= {PROMPT: 36, COMPLETION: 44}
        page.write(PROMPT, 1, page.words.label("prompt"), "heading")
        page.write(PROMPT, 2, prompt, "input")
        self.prompt = page.define("prompt", page.area(PROMPT, 2))
        self.controls = self._controls(new_tokens)
        self.epsilon = self._model(config)

    def _controls(self, new_tokens: int) -> Controls:
        """The labelled cells in which a person says how to choose and how much."""
        page, label = self.page, self.page.words.label
        page.write(PROMPT - 1, 5, label("controls"), "heading")
        cells = {}
        for row, (name, value) in enumerate(
            {"new_tokens": new_tokens, **CONTROLS}.items(), start=PROMPT
        ):
            page.write(row, 5, value, "control")
            page.write(row, 6, label(name), "why")
            cells[name] = page.define(name, page.area(row, 5))
        return Controls(**cells)

    def _model(self, config: Config) -> Range:
        """The model's sizes; returns the cell that layer norm's epsilon stands in."""
        page, label = self.page, self.page.words.label
        page.write(MAP, 5, label("model"), "step title")
        for row, name in enumerate(FACTS, start=MAP + 1):
            page.write(row, 5, getattr(config, name), "fact")
            page.write(row, 6, label(name), "why")
        return page.define("layer_norm_epsilon", page.area(MAP + len(FACTS), 5))

    def finish(self, predicted: Predicted, prompt: Prompt, pages: Sequence[Page]) -> None:
        """What the model writes, the likeliest tokens, and the table of contents."""
        page, label = self.page, self.page.words.label
        page.write(PROMPT - 1, 3, label("predicted"), "heading")
        page.write(COMPLETION, 1, label("completion"), "heading")
        for name, row, column, shown, look in (
            ("token", PROMPT, 3, predicted.token, "token big"),
            ("message", PROMPT + 1, 2, prompt.message, "message"),
            ("completion", COMPLETION, 2, predicted.completion, "completion"),
        ):
            page.compute(page.define(f"start.{name}", page.area(row, column)).area, shown, look)
        self._likeliest(predicted)
        page.write(MAP, 1, label("contents"), "step title")
        for row, other in enumerate(pages[1:], start=MAP + 1):
            page.write(row, 1, other.tab, "link", link=other.tab)
            page.write(row, 2, other.about, "text")

    def _likeliest(self, predicted: Predicted) -> None:
        page, title = self.page, self.page.words.label("likeliest")
        page.write(LIST - 1, 2, title, "step title")
        ranks = predicted.tokens.area.shape[0]
        areas = []
        for column, name, whole, look in (
            (2, "token", predicted.tokens, "token"),
            (3, "probability", predicted.probabilities, "probability"),
        ):
            areas.append(
                page.define(f"start.likeliest.{name}", page.area(LIST, column, ranks)).area
            )
            for row in range(ranks):
                page.compute(areas[-1].row(row), Range(whole.area.row(row)), look)
        labels, values = areas
        page.charts.append(
            Bars(labels, values, page.area(LIST - 1, 5), page.words.label("chart"), 15.5, 7.2)
        )
