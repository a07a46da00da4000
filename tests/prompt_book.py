"""A workbook of nothing but a prompt, the tab `prompt to tokens`, and the tables it reads."""

from dataclasses import dataclass

from sheetgpt.book import data
from sheetgpt.book.book import Book
from sheetgpt.book.calculate import calculate
from sheetgpt.book.lookup import prompt_tables
from sheetgpt.book.page import Page
from sheetgpt.book.prompt import prompt_page
from sheetgpt.book.words import load_words
from sheetgpt.calculate.units import Units
from sheetgpt.calculate.values import Scalar
from sheetgpt.gpt2.tokens import Tokenizer
from sheetgpt.steps.tokenize import Room
from tests.live import Live

TABS = ("start", "prompt to tokens", "vocabulary")


@dataclass
class Shown:
    """What the tab shows for one prompt."""

    ids: list[int]
    texts: list[str]
    n_tokens: float
    message: str
    errors: list[str]


class PromptBook:
    """It costs little to type one prompt after another."""

    def __init__(self, tokenizer: Tokenizer, room: Room) -> None:
        self.tokenizer, self.room = tokenizer, room
        words, names = load_words("en"), {}
        pages = [Page(tab, names, words, tab, tab) for tab in TABS]
        start, on_tab, on_vocabulary = pages
        start.write(5, 2, "", "input")
        shown = data.token_texts(tokenizer)
        texts = data.vocabulary(on_vocabulary, tokenizer, shown)

        def page(tab: str) -> Page:
            pages.append(Page(tab, names, words, tab, tab))
            return pages[-1]

        tables = prompt_tables(page, tokenizer, shown)
        prompt_page(on_tab, start.define("prompt", start.area(5, 2)), texts, tables, room)
        self.book = Book([page.finished(link_to=pages) for page in pages], names)
        self.live = Live(self.book, calculate(self.book))

    def show(self, prompt: Scalar, units: Units = Units.POINTS) -> Shown:
        """Type a prompt, in an application that counts in these units."""
        self.live.set(units, prompt=prompt)
        ids, texts, (n_tokens,), (message,) = (
            self.live.read(name)
            for name in ("tokens.id", "tokens.text", "n_tokens", "prompt.message")
        )
        return Shown(
            [int(each) for each in ids if each != ""],
            [each for each in texts if each != ""],
            n_tokens,
            message,
            [*self.live.errors()],
        )
