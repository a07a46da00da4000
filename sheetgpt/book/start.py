"""The tab `start`: the prompt, what follows it, and where to find everything else."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sheetgpt.book.book import Bars
from sheetgpt.book.page import Page
from sheetgpt.book.prompt import Prompt
from sheetgpt.formula.expr import Range, call, when
from sheetgpt.gpt2.config import Config
from sheetgpt.steps.head import likeliest_id, of_token, ranked_id

LIKELIEST = 10
LIST, MAP = 9, 21  # the rows where the likeliest tokens begin, and the map of the model
FACTS = (
    "n_layer", "n_head", "n_embd", "n_inner", "n_ctx", "n_vocab", "layer_norm_epsilon",
)  # fmt: skip


@dataclass(frozen=True)
class Predicted:
    """The next token, and the likeliest ones with their probabilities."""

    page: Page
    token: Range
    probability: Range
    tokens: Range
    probabilities: Range


def predicted_page(
    page: Page, logits: Range, softmax: Range, prompt: Prompt, texts: Range
) -> Predicted:
    """The token with the largest logit, and the ten likeliest."""
    ids = Range(replace(logits.area, left=1, right=1))  # they stand beside the logits
    label, n_tokens = page.words.label, prompt.n_tokens

    def headline(name: str, tree: object, look: str) -> Range:
        words = page.words.step(name)
        row = page.row
        page.write(row, 2, words.title, "step title")
        page.write(row, 4, words.why, "why")
        area = page.area(row, 3)
        page.compute(area, when(n_tokens.equals(0), "", tree), look)  # type: ignore[arg-type]
        page.row += 1
        return page.define(name, area)

    page.widths = {1: 7, 2: 26, 3: 24, 4: 14, 5: 14}
    page.row = 5
    last = of_token(logits, n_tokens)
    chosen = headline("predicted.id", likeliest_id(last), "integer")
    token = headline("predicted.token", call("INDEX", texts, chosen + 1), "token big")
    probability = headline(
        "predicted.probability", call("INDEX", softmax, chosen + 1, n_tokens), "probability"
    )

    ranks = min(LIKELIEST, logits.area.shape[0])
    top = page.row + 3
    words = page.words.step("predicted.likeliest")
    page.write(top - 2, 2, words.title, "step title")
    page.write(top - 2, 4, words.why, "why")
    for column, heading in enumerate(("rank", "token", "id", "logit", "probability"), start=1):
        page.write(top - 1, column, label(f"column {heading}"), "heading")
    page.fill(top, 1, np.arange(1, ranks + 1)[:, None], "index")
    areas = {
        heading: page.area(top, column, ranks)
        for column, heading in enumerate(("token", "id", "logit", "probability"), start=2)
    }
    for row in range(ranks):
        rank, logit = Range(page.area(top + row, 1)), Range(areas["logit"].row(row))
        above = Range(page.area(top - 1, areas["logit"].left, row + 1))
        identifier = Range(areas["id"].row(row))
        for heading, tree, look in (
            ("logit", call("LARGE", last, rank), "number"),
            ("id", ranked_id(last, ids, logit, above), "integer"),
            ("token", call("INDEX", texts, identifier + 1), "token"),
            ("probability", call("INDEX", softmax, identifier + 1, n_tokens), "probability"),
        ):
            page.compute(areas[heading].row(row), when(n_tokens.equals(0), "", tree), look)
    named = {
        heading: page.define(f"predicted.likeliest.{heading}", area)
        for heading, area in areas.items()
    }
    return Predicted(page, token, probability, named["token"], named["probability"])


class Start:
    """The tab `start`, begun before the others, which need the prompt, and finished after them."""

    def __init__(self, page: Page, config: Config, prompt: str) -> None:
        self.page = page
        page.frozen = (1, 0)
        page.widths = {1: 18, 2: 66, 3: 24, 4: 3, 5: 12, 6: 50}
        page.write(5, 1, page.words.label("prompt"), "heading")
        page.write(5, 2, prompt, "input")
        page.heights[5] = 36
        self.prompt = page.define("prompt", page.area(5, 2))
        self.epsilon = self._model(config)

    def _model(self, config: Config) -> Range:
        """The model's sizes; returns the cell that layer norm's epsilon stands in."""
        page, label = self.page, self.page.words.label
        page.write(MAP, 5, label("model"), "step title")
        for row, name in enumerate(FACTS, start=MAP + 1):
            page.write(row, 5, getattr(config, name), "fact")
            page.write(row, 6, label(name), "why")
        return page.define("layer_norm_epsilon", page.area(MAP + len(FACTS), 5))

    def finish(self, predicted: Predicted, prompt: Prompt, pages: Sequence[Page]) -> None:
        """The prediction, the likeliest tokens, and the table of contents."""
        page, label = self.page, self.page.words.label
        page.write(4, 3, label("predicted"), "heading")
        page.compute(page.define("start.token", page.area(5, 3)).area, predicted.token, "token big")
        page.compute(page.define("start.message", page.area(6, 2)).area, prompt.message, "message")
        self._likeliest(predicted)
        page.write(MAP, 1, label("contents"), "step title")
        for row, other in enumerate(pages[1:], start=MAP + 1):
            page.write(row, 1, other.tab, "link", link=other.tab)
            page.write(row, 2, other.about, "text")

    def _likeliest(self, predicted: Predicted) -> None:
        page, label = self.page, self.page.words.label
        page.write(LIST - 1, 2, label("likeliest"), "step title")
        ranks = predicted.tokens.area.shape[0]
        areas = []
        for column, name, whole, look in (
            (2, "token", predicted.tokens, "token"),
            (3, "probability", predicted.probabilities, "probability"),
        ):
            areas.append(page.define(f"start.likeliest.{name}", page.area(LIST, column, ranks)).area)
            for row in range(ranks):
                page.compute(areas[-1].row(row), Range(whole.area.row(row)), look)
        title = label("likeliest")
        page.charts.append(Bars(*areas, page.area(4, 5), title, label("chart"), 15.5, 9.2))
