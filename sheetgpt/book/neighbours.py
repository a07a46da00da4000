"""The tab `neighbours`: which tokens the model thinks alike, by the angles between their rows."""

from collections.abc import Mapping, Sequence

import numpy as np

from sheetgpt.book.looks import heading_over
from sheetgpt.book.page import Page
from sheetgpt.book.records import nearest
from sheetgpt.book.token_rows import pieces
from sheetgpt.book.two_tokens import two_tokens
from sheetgpt.book.words_typed import LETTERS, TypedWords, Vocabulary, typed_words
from sheetgpt.formula.expr import Expr, Range, call, fixed, when
from sheetgpt.steps import neighbours as formulas

WORD, SUM, PAIR = 5, 23, 43  # the rows where the three parts begin
VOCABULARY, TOP = 9, 8  # the corner of what there is of every token, and the row of the first
ARROWS = 15  # the column of the row of a word, as a column; that of the sum is the next one
WIDTHS = (20, 20, 13, 13, 13, 13, 13, 24, 9, 18, 12, 12, 15, 4, 13, 13, 4, 14, 14)
LOOKS = {"cosine": "formula", "id": "integer", "token": "token", "angle": "formula"}
LIST = {"rank": "index", "token": "token", "id": "integer", "cosine": "formula", "angle": "formula"}


def neighbours_page(
    page: Page, wte: Range, texts: Range, words: Mapping[str, Sequence[str]], *, charts: bool
) -> None:
    """Three parts one below the other, and at the right a row for each token of the vocabulary.

    words: those that stand in the yellow cells of each part at first. charts: whether there is one;
    LibreOffice calculates what it shows while it loads a file.
    """
    page.frozen = (3, 0)
    page.widths = dict(enumerate(WIDTHS, start=1))
    ids = fixed(Range(page.area(TOP, VOCABULARY, wte.area.shape[0])))
    vocabulary = Vocabulary(fixed(texts), ids, wte)
    norms = _lengths(page, vocabulary)
    one = _part(page, "word", WORD, words["word"], vocabulary)
    _near(page, "word", vocabulary.row(one.each[0]), one, vocabulary, norms)
    three = _part(page, "sum", SUM, words["sum"], vocabulary)
    a, b, c = (vocabulary.row(identifier) for identifier in three.each)
    _near(page, "sum", a - b + c, three, vocabulary, norms)
    pair = _part(page, "pair", PAIR, words["pair"], vocabulary)
    aside = page.area(TOP, ARROWS + 3) if charts else None
    two_tokens(page, pair, vocabulary, aside)
    page.cursor = page.names["neighbours.word"]


def _part(
    page: Page, part: str, top: int, words: Sequence[str], vocabulary: Vocabulary
) -> TypedWords:
    page.row = top
    page.heading(page.words.step(f"neighbours.{part}"))
    return typed_words(page, part, words, vocabulary)


def _lengths(page: Page, vocabulary: Vocabulary) -> Range:
    """Of every token the id, the text, and the length of its row."""
    label, (n_vocab, width) = page.words.label, vocabulary.wte.area.shape
    page.write(TOP - 3, VOCABULARY, label("neighbours vocabulary"), "step title")
    page.write(TOP - 2, VOCABULARY, label("neighbours numbers"), "why")
    looks = {"id": "index", "token": "token", "norm": "formula"}
    for column, (heading, look) in enumerate(looks.items(), start=VOCABULARY):
        page.write(TOP - 1, column, label(f"column {heading}"), heading_over(look))
    page.fill(TOP, VOCABULARY, np.arange(n_vocab)[:, None], "index")
    page.compute(page.area(TOP, VOCABULARY + 1, n_vocab), vocabulary.texts, "token")
    norms = page.define("neighbours.norm", page.area(TOP, VOCABULARY + 2, n_vocab))
    for start, stop in pieces(n_vocab, width):
        rows = Range(vocabulary.wte.area.rows(start, stop))
        page.compute(norms.area.rows(start, stop), formulas.lengths(rows), "formula")
    return norms


def _near(
    page: Page,
    part: str,
    numbers: Expr,
    words: TypedWords,
    vocabulary: Vocabulary,
    norms: Range,
) -> None:
    """The cosine of every token's row with these numbers, and the list of the largest."""
    label, aside = page.words.label, ARROWS + (part == "sum")
    (n_vocab, width), column = vocabulary.wte.area.shape, VOCABULARY + 3 + (part == "sum")
    arrow = page.define(f"neighbours.{part}.numbers", page.area(TOP, aside, width))
    page.write(TOP - 1, aside, label(f"neighbours {part} row"), "heading center")
    page.compute(arrow.area, words.when_all(numbers), "formula")
    length = words.when_all(formulas.length(arrow))
    size = page.compute_named(f"neighbours.{part}.length", TOP - 2, aside, length, "formula")
    page.write(TOP - 1, column, label(f"column {part} cosine"), "heading center")
    cosines = page.define(f"neighbours.{part}.cosine", page.area(TOP, column, n_vocab))
    for start, stop in pieces(n_vocab, width):
        rows, its_norms, ids = (
            Range(each.area.rows(start, stop)) for each in (vocabulary.wte, norms, vocabulary.ids)
        )
        is_other = ids.differs(words.each[0])
        for identifier in words.each[1:]:
            is_other = is_other * ids.differs(identifier)
        found = when(is_other, formulas.cosines(rows, its_norms, arrow, size), "")
        page.compute(cosines.area.rows(start, stop), words.when_all(found), "formula")
    _list(page, part, words, vocabulary, fixed(cosines))


def _list(page: Page, part: str, words: TypedWords, vocabulary: Vocabulary, cosines: Range) -> None:
    """The nearest, with the cosine and the angle, below a sentence about the first."""
    row, length = page.row, nearest(vocabulary.wte.area.shape[0])
    areas = {}
    for column, (name, look) in enumerate(LIST.items(), start=1):
        page.write(row + 1, column, page.words.label(f"column {name}"), heading_over(look))
        areas[name] = page.area(row + 2, column, length)
        if name != "rank":
            page.define(f"neighbours.{part}.nearest.{name}", areas[name])
    page.fill(row + 2, 1, np.arange(1, length + 1)[:, None], "index")
    for rank in range(length):
        here = {name: Range(area.row(rank)) for name, area in areas.items()}
        above = Range(areas["cosine"].rows(0, rank)) if rank else None
        cosine = here["cosine"]
        trees = {
            "id": formulas.id_of(cosines, vocabulary.ids, cosine, above),
            "token": call("INDEX", vocabulary.texts, here["id"] + 1),
            "angle": formulas.angle(cosine),
        }
        page.compute(cosine.area, formulas.ranked(cosines, rank + 1), "formula")
        for name, tree in trees.items():
            page.compute(here[name].area, when(cosine.equals(""), "", tree), LIST[name])
    page.heat.append(areas["cosine"])
    token, angle = (Range(areas[name].row(0)) for name in ("token", "angle"))
    names = dict(zip(LETTERS, map(vocabulary.text, words.each), strict=False))
    parts = {"nearest": token, "angle": call("ROUND", angle, 0), **names}
    sentence = page.words.sentence(f"neighbours {part} sentence", **parts)
    shown = when(token.equals(""), "", sentence)
    page.compute_named(f"neighbours.{part}.sentence", row, 1, shown, "live")
