"""All lessons as one workbook, with a first tab that leads to them."""

from collections.abc import Callable

import sheetgpt
from sheetgpt.book.book import Book
from sheetgpt.book.compile import PROPERTY
from sheetgpt.book.looks import ACCENT, YELLOW
from sheetgpt.book.words import Words
from sheetgpt.checkpoint.checkpoint import Checkpoint
from sheetgpt.formula.cells import Area
from sheetgpt.lessons.attention import attention
from sheetgpt.lessons.chat import chat
from sheetgpt.lessons.choosing import choosing
from sheetgpt.lessons.counting import counting
from sheetgpt.lessons.learn_tokens import learn_tokens
from sheetgpt.lessons.learning import learning
from sheetgpt.lessons.lesson import Lesson
from sheetgpt.lessons.neuron import neuron
from sheetgpt.lessons.words_as_numbers import words_as_numbers

LESSONS: dict[str, Callable[[Lesson, Checkpoint], None]] = {
    "learn tokens": lambda page, model: learn_tokens(page),
    "words as numbers": lambda page, model: words_as_numbers(page),
    "a neuron, a layer": lambda page, model: neuron(page),
    "learning": lambda page, model: learning(page),
    "attention by hand": lambda page, model: attention(page),
    "from scores to a word": lambda page, model: choosing(page),
    "before transformers": counting,
    "to a chat model": lambda page, model: chat(page),
}
FIRST = "lessons"
KINDS: dict[str, tuple[float, str]] = {  # of cells: a sample, and its look
    "input": (1, "control sample"),
    "formula": (0.25, "formula"),
}


def lessons_book(words: Words, model: Checkpoint) -> Book:
    """The tabs in the order in which they are taught.

    model: nano, of which one lesson shows what it says.
    """
    names: dict[str, Area] = {}
    pages = [Lesson(tab, names, words) for tab in (FIRST, *LESSONS)]
    for page, write in zip(pages[1:], LESSONS.values(), strict=True):
        write(page, model)
        page.color = ACCENT
    _contents(pages[0], pages[1:])
    tabs = [page.finished(link_to=pages) for page in pages]
    about = {"version": sheetgpt.__version__, "lessons": str(len(LESSONS))}
    return Book(tabs, names, {PROPERTY + name: text for name, text in about.items()})


def _contents(page: Lesson, lessons: list[Lesson]) -> None:
    """What the cells are, and every lesson with its question and its answer."""
    page.color, page.widths = YELLOW, {1: 8, 2: 24, 3: 60, 4: 60}
    page.section("how")
    page.row += 1
    for key, (sample, look) in KINDS.items():
        page.write(page.row, 2, sample, look)
        page.write(page.row, 3, page.label(key), "note")
        page.row += 1
    page.row += 1
    page.section("way")
    page.row += 1
    for number, lesson in enumerate(lessons, start=1):
        page.write(page.row, 1, number, "index")
        page.write(page.row, 2, lesson.tab, "link", lesson.corner)
        page.write(page.row, 3, lesson.about, "text")
        page.write(page.row, 4, lesson.why, "why")
        page.row += 1
