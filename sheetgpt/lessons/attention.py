"""The lesson `attention by hand`: three words of two numbers, every step on one screen.

Source: Vaswani et al. 2017, "Attention Is All You Need", section 3.2.
"""

from dataclasses import dataclass

from sheetgpt.book.rules import column_number, row_number
from sheetgpt.formula.expr import Expr, Number, Range, call, fixed, join, when
from sheetgpt.lessons.lesson import Lesson, Limits, at, row_of, text_at

WORDS = (("Mike", 1.0, 0.0), ("sings", 0.0, 0.0), ("He", 0.0, 1.0))
TABLES = {  # what makes queries, keys and values of a word's two numbers
    "w_q": ((0.0, 0.0), (4.0, 0.0)),
    "w_k": ((1.0, 0.0), (0.0, 1.0)),
    "w_v": ((2.0, 0.0), (0.0, 1.0)),
}
PLACES = ((0.1, 0.2), (0.5, -0.2), (0.0, 0.5))  # what is added at each place, if positions are on
ORDER = (2, 1, 3)
N, D = 3, 2
FIRST = 3
SWITCH: Limits = ("whole", 0, 1)
LOW = Number(1e99)  # below zero, less than any score


@dataclass(frozen=True)
class _Controls:
    """Whether later words are hidden, and whether places are added: cells with 1 or 0."""

    mask: Range
    positions: Range


def attention(page: Lesson) -> None:
    page.widths |= {2: 24} | dict.fromkeys(range(FIRST, FIRST + 16), 9)
    page.section("words")
    page.row += 1
    controls = _Controls(
        page.control("hand.mask", 1, "mask", SWITCH),
        page.control("hand.positions", 0, "positions", SWITCH),
    )
    page.row += 1
    top = page.row
    page.headings(top, 2, "word", look="heading")
    page.headings(top, FIRST, "name", "pronoun", "place 1", "place 2", "x1", "x2")
    words = page.inputs("hand.word", top + 1, 2, [[word] for word, *_ in WORDS], "word")
    meaning = page.inputs("hand.meaning", top + 1, FIRST, [each[1:] for each in WORDS], "control")
    places = page.inputs("hand.place", top + 1, FIRST + 2, PLACES, "control")
    x = page.show(
        "hand.x",
        top + 1,
        FIRST + 4,
        meaning + when(controls.positions > 0, places, 0),
        "live formula",
    )
    page.row = top + N + 2
    tables = _tables(page)
    page.section("look")
    page.tries("try he", "try score", "try mask")
    weights, output = _steps(page, words, x, tables, controls)
    share = call("MAX", row_of(weights, N - 1))
    to = call("INDEX", words, call("MATCH", share, row_of(weights, N - 1), 0))
    percent = call("ROUND", 100 * share, 1)
    sentence = page.words.sentence(
        "attention by hand.looks", word=at(words, N - 1), percent=percent, other=to
    )
    page.show("hand.sentence", page.row, 2, sentence, "live")
    page.row += 3
    _exchanged(page, words, meaning, places, tables, controls, output)


def _tables(page: Lesson) -> dict[str, Expr]:
    """The three small tables side by side; in a product, + 0 makes 0 of nothing."""
    page.section("ask")
    page.row += 1
    top, tables = page.row, dict[str, Expr]()
    for number, (key, values) in enumerate(TABLES.items()):
        left = FIRST + 4 * number
        page.write(top, left, page.label(key), "heading")
        tables[key] = page.inputs(f"hand.{key}", top + 1, left, values, "control") + 0
    page.write(top + 1, 2, page.label("name"), "heading right")
    page.write(top + 2, 2, page.label("pronoun"), "heading right")
    page.row = top + D + 2
    return tables


def _allowed(row: int, mask: Range, columns: Expr) -> Expr:
    return when(mask > 0, columns <= row, columns > 0)


def _weights(scores: Expr, row: int, mask: Range, columns: Expr) -> Expr:
    """Softmax of a row of scores, 0 for the words that are hidden."""
    powers = _powers(scores, row, mask, columns)
    return powers / call("SUM", powers)


def _powers(scores: Expr, row: int, mask: Range, columns: Expr) -> Expr:
    """e to the power of each score, of which the largest is taken first: any may be typed."""
    allowed = _allowed(row, mask, columns)
    return when(allowed, call("EXP", scores - call("MAX", when(allowed, scores, -LOW))), 0)


def _steps(
    page: Lesson, words: Range, x: Range, tables: dict[str, Expr], controls: _Controls
) -> tuple[Range, Range]:
    top = page.row
    made = {}
    for number, (key, table) in enumerate((("q", "w_q"), ("k", "w_k"), ("v", "w_v"))):
        left = FIRST + 4 * number
        page.write(top, left, page.label(key), "heading")
        made[key] = page.define(f"hand.{key}", page.area(top + 1, left, N, D))
        for row in range(N):
            page.compute(made[key].area.row(row), row_of(x, row) @ tables[table], "formula")
    _names(page, top + 1, words)
    top += N + 2
    page.write(top, FIRST, page.label("scores"), "heading")
    page.write(top, FIRST + 4, page.label("weights"), "heading")
    page.write(top, FIRST + 8, page.label("output"), "heading")
    columns = page.constants(top + 2, 1, range(1, N + 1), down=True).T
    for left in (FIRST, FIRST + 4):
        page.compute(page.area(top + 1, left, 1, N), join(words.T, ""), "heading center")
    _names(page, top + 2, words)
    scores = page.define("hand.scores", page.area(top + 2, FIRST, N, N))
    weights = page.define("hand.weights", page.area(top + 2, FIRST + 4, N, N))
    output = page.define("hand.output", page.area(top + 2, FIRST + 8, N, D))
    for row in range(N):
        score = row_of(made["q"], row) @ made["k"].T / call("SQRT", Number(D))
        page.compute(scores.area.row(row), score, "formula")
        share = _weights(row_of(scores, row), row + 1, controls.mask, columns)
        page.compute(weights.area.row(row), share, "attention")
        page.compute(output.area.row(row), row_of(weights, row) @ made["v"], "live formula")
    page.heat.append(weights.area)
    is_later = column_number(scores.area) > row_number(scores.area)
    page.rule(scores.area, call("AND", fixed(Range(controls.mask.area)) > 0, is_later), "hidden")
    page.row = top + N + 3
    return weights, output


def _names(page: Lesson, top: int, words: Range) -> None:
    for row in range(N):
        page.compute(page.area(top + row, 2), text_at(words, row), "token")


def _exchanged(
    page: Lesson, words: Range, meaning: Range, places: Range, tables: dict[str, Expr],
    controls: _Controls, output: Range,
) -> None:  # fmt: skip
    """The same words in another order, and whether each of them finds something else."""
    page.section("order")
    page.tries("try order", "try no mask", "try places")
    top = page.row
    page.headings(top, 2, "order", look="heading")
    page.headings(top, FIRST, "word", "x1", "x2")
    page.write(top, FIRST + 4, page.label("weights"), "heading")
    page.write(top, FIRST + 8, page.label("output"), "heading")
    page.write(top, FIRST + 11, page.label("before"), "heading")
    columns = page.constants(top + 2, 1, range(1, N + 1), down=True).T
    order = page.inputs(
        "order.is", top + 2, 2, [[each] for each in ORDER], "control", ("whole", 1, N)
    )
    x = page.define("order.x", page.area(top + 2, FIRST + 1, N, D))
    weights = page.define("order.weights", page.area(top + 2, FIRST + 4, N, N))
    found = page.define("order.output", page.area(top + 2, FIRST + 8, N, D))
    verdicts = page.define("order.verdict", page.area(top + 2, FIRST + 11, N))
    for row in range(N):
        which = at(order, row)
        is_there = call("AND", call("ISNUMBER", which), which >= 1, which <= N)
        word = when(is_there, join(call("INDEX", words, which), ""), "?")
        page.compute(page.area(top + 2 + row, FIRST), word, "attention token")
        place = when(controls.positions > 0, row_of(places, row), 0)
        here = when(is_there, call("INDEX", meaning, which, 0) + place, 0)
        page.compute(x.area.row(row), here, "formula")
        query = row_of(x, row) @ tables["w_q"]
        keys = x @ tables["w_k"]
        scores = query @ keys.T / call("SQRT", Number(D))
        share = _weights(scores, row + 1, controls.mask, columns)
        page.compute(weights.area.row(row), share, "attention")
        page.compute(
            found.area.row(row), row_of(weights, row) @ (x @ tables["w_v"]), "live formula"
        )
        away = call("ABS", row_of(found, row) - call("INDEX", output, which, 0))
        verdict = when(call("MAX", away) < 1e-9, page.label("same"), page.label("other"))
        verdict = when(is_there, verdict, page.label("no word"))
        page.compute(verdicts.area.row(row), verdict, "live")
    page.heat.append(weights.area)
    listed = page.area(top + 2, FIRST, N)
    page.compute(page.area(top + 1, FIRST + 4, 1, N), Range(listed).T, "heading center")
    page.row = top + N + 4
