"""A text in cells, one sentence a row, taken apart by formulas: its words, and which are the same.

A word goes by the place where it stands for the first time, counted in reading order; so words
are compared once, without regard to case, and then only numbers are.
"""

from dataclasses import dataclass

import numpy as np

from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import Expr, Number, Range, call, when
from sheetgpt.lessons.lesson import Lesson, Limits, at

MARKS = ".,!?;:。、"  # what stands at a word and is no part of it
WIDE = 200  # more letters than a sentence has: each word finds itself alone in so many
LINE: Limits = ("text", 0, WIDE - 50)  # of a sentence: a mark may become a space


@dataclass(frozen=True)
class SentenceWords:
    """words, first: [sentences, places]. vocabulary: [size, 1], the different words, "" behind.

    first: the place in the text where the word of each cell stands for the first time, or "".
    ids: what `first` has at each word of the vocabulary.
    """

    words: Range
    first: Range
    vocabulary: Range
    ids: Range


def words_of(page: Lesson, name: str, sentences: Range, column: int, places: int) -> Range:
    """The words of each sentence in cells beside it."""
    rows, _ = sentences.area.shape
    numbers = page.constants(sentences.area.top - 1, column, range(1, places + 1))
    words = page.define(f"{name}.words", page.area(sentences.area.top, column, rows, places))
    for row in range(rows):
        text: Expr = at(sentences, row)
        for mark in MARKS:
            text = call("SUBSTITUTE", text, mark, " ")
        spread = call("SUBSTITUTE", call("TRIM", text), " ", call("REPT", " ", WIDE))
        part = call("TRIM", call("MID", spread, (numbers - 1) * WIDE + 1, WIDE))
        page.compute(words.area.row(row), part, "integer")
    return words


def vocabulary_of(
    page: Lesson, name: str, words: Range, first: Area, vocabulary: Area
) -> SentenceWords:
    """Which words are the same, and the different ones down a column.

    first: where the places of the first are to stand, above and left of it two rows and columns
        that are free. vocabulary: the column for the words; their ids come left of it.
    """
    rows, places = first.shape
    order = np.arange(1, rows * places + 1).reshape(rows, places)
    counted = page.fill(first.top, first.right + 2, order, "index")
    page.write(first.top - 2, first.right + 2, page.label("order"), "heading")
    ids_of = page.define(f"{name}.first", first)
    for row in range(rows):
        for place in range(places):
            word = at(words, row, place)
            earliest = call("MIN", when(words.equals(word), counted, ""))
            page.compute(first.cell(row, place), when(word.equals(""), "", earliest), "integer")
    size, _ = vocabulary.shape
    ids = page.define(f"{name}.ids", page.area(vocabulary.top, vocabulary.left - 1, size))
    listed = page.define(f"{name}.vocabulary", vocabulary)
    for number in range(size):
        before: Expr = at(ids, number - 1) if number else Number(0)
        later = call("SMALL", when(ids_of > before, ids_of, ""), 1)
        page.compute(ids.area.row(number), call("IFERROR", later, ""), "index")
        here = at(ids, number)
        where = call("INT", (here - 1) / places) + 1, call("MOD", here - 1, places) + 1
        shown = when(here.equals(""), "", call("INDEX", words, *where))
        page.compute(vocabulary.row(number), shown, "token")
    return SentenceWords(words, ids_of, listed, ids)
