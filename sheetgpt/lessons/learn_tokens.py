"""The lesson `learn tokens`: byte-pair encoding while it learns, and why no r is counted.

Source: Sennrich, Haddow and Birch 2016, "Neural Machine Translation of Rare Words with Subword
Units", section 3.2 and algorithm 1. Of equally frequent pairs it takes the first that it meets,
word after word, from left to right; a word ends with a mark of its own.
"""

import numpy as np

from sheetgpt.book.book import Curve, Plot
from sheetgpt.book.rules import itself
from sheetgpt.formula.expr import Number, Range, call, fixed, join, when
from sheetgpt.lessons.lesson import Lesson, at
from sheetgpt.lessons.pieces import LETTERS, joined, merged, n_parts, part, plus, spelled
from sheetgpt.lessons.strawberry import strawberry

WORDS = (("low", 5), ("lower", 2), ("newest", 6), ("widest", 3))
ROOM, ROUNDS = 12, 10  # words, joins
FIRST = 4  # the column of the words before the first join
HALF = 0xFFFD  # what half a character counts as


def learn_tokens(page: Lesson) -> None:
    page.widths |= {2: 18, 3: 9} | dict.fromkeys(range(FIRST, FIRST + ROUNDS + 1), 23)
    _learn(page)


def _learn(page: Lesson) -> None:
    page.section("learn")
    page.tries("try newest", "try tie", "try count", "try own")
    top = page.row  # of the table: headings, the pair that is joined, how often it stood there
    words_top = top + 4
    page.headings(top, 2, "word", "times")
    page.write(top, FIRST, page.label("letters"), "heading")
    for key, row in (("pair", top + 1), ("times of pair", top + 2), ("new token", top + 3)):
        page.write(row, 2, page.label(key), "heading")
    empty = [[""]] * (ROOM - len(WORDS))
    typed = [[word] for word, _ in WORDS] + empty
    words = page.inputs("tokens.words", words_top, 2, typed, "word")
    often = [[count] for _, count in WORDS] + empty
    times = page.inputs("tokens.times", words_top, 3, often, "control", ("whole", 0, 1_000_000))
    sums_top = words_top + ROOM
    page.write(sums_top, 2, page.label("text size"), "heading")
    page.write(sums_top + 1, 2, page.label("vocabulary size"), "heading")
    page.row = sums_top + 3
    page.section("use")
    page.tries("try use")
    own = page.input("tokens.own", page.row, 2, "lowest", "word")
    own_row, chart_row = page.row, page.row + 4
    page.row = chart_row + 17
    strawberry(page)
    page.row += 2
    page.section("workings")
    workings = _Workings(page, times)

    states = [page.define("tokens.0", page.area(words_top, FIRST, ROOM))]
    for row in range(ROOM):
        page.compute(states[0].area.row(row), spelled(at(words, row)), "pieces")
    owns = [page.show("tokens.own.0", own_row, FIRST, spelled(own), "pieces")]
    pairs = []
    for number in range(1, ROUNDS + 1):
        column = FIRST + number
        page.write(top, column, page.label("round", number=number), "heading")
        count, pair = workings.round(number, states[-1])
        how_often = when(pair.equals(""), "", count)
        pairs.append(page.show(f"tokens.{number}.pair", top + 1, column, plus(pair), "mathematics"))
        page.show(f"tokens.{number}.times", top + 2, column, how_often, "integer left")
        page.show(f"tokens.{number}.new", top + 3, column, call("TRIM", joined(pair)), "token")
        area = page.area(words_top, column, ROOM)
        state = page.define(f"tokens.{number}", area)
        for row in range(ROOM):
            page.compute(area.row(row), merged(at(states[-1], row), pair), "pieces")
        states.append(state)
        owns.append(
            page.show(f"tokens.own.{number}", own_row, column, merged(owns[-1], pair), "pieces")
        )
    last = owns[-1]
    found = page.words.sentence("learn tokens.cut", word=own, count=n_parts(last), parts=plus(last))
    page.show("tokens.own.sentence", own_row + 1, 2, when(own.equals(""), "", found), "live")

    sizes = page.define("tokens.text", page.area(sums_top, FIRST, 1, ROUNDS + 1))
    known = page.define("tokens.vocabulary", page.area(sums_top + 1, FIRST, 1, ROUNDS + 1))
    for number, state in enumerate(states):
        size = call("SUM", n_parts(state) * workings.times)
        page.compute(at(sizes, 0, number).area, size, "integer left")
        if number:
            more = when(pairs[number - 1].equals(""), 0, 1)
            page.compute(at(known, 0, number).area, at(known, 0, number - 1) + more, "integer left")
        else:
            page.compute(at(known, 0).area, workings.n_letters(state), "integer left")
    page.write(sums_top + 2, 2, page.label("chart x"), "note")
    rounds = page.constants(sums_top + 2, FIRST, range(ROUNDS + 1), "start")
    curves = [
        Curve(rounds.area, sizes.area, page.area(sums_top, 2)),
        Curve(rounds.area, known.area, page.area(sums_top + 1, 2)),
    ]
    about, x, y = (page.label(key) for key in ("chart", "chart x", "chart y"))
    page.write(chart_row - 2, 2, about, "note")
    page.charts.append(Plot(curves, page.area(chart_row - 1, 2), about, 17, 7.5, x, y, (0, ROUNDS)))


class _Workings:
    """What a round needs besides: every pair of neighbours, and how often it stands in the text."""

    def __init__(self, page: Lesson, times: Range) -> None:
        self.page = page
        self.left = FIRST + LETTERS + 1  # the column of the first count
        page.write(page.row, 3, page.label("times"), "heading center")
        page.write(page.row, self.left, page.label("order"), "heading")
        page.row += 1
        self.times = page.define("tokens.weights", page.area(page.row, 3, ROOM))
        for row in range(ROOM):
            often = at(times, row)
            usable = when(call("ISNUMBER", often), call("MAX", often, 0), 0)
            page.compute(self.times.area.row(row), usable, "integer")
        order = np.arange(1, ROOM * LETTERS + 1).reshape(ROOM, LETTERS)
        self.order = page.fill(page.row, self.left, order, "index")
        self.places = page.fill(page.row - 1, FIRST, np.arange(1, LETTERS + 1), "index")
        page.row += ROOM + 1

    def n_letters(self, words: Range) -> Range:
        """How many different letters there are: those that stand nowhere before."""
        page = self.page
        page.write(page.row, 2, page.label("letters at first"), "heading")
        page.row += 1
        codes = page.define("tokens.codes", page.area(page.row, FIRST, ROOM, LETTERS + 1))
        for row in range(ROOM):
            for place in range(LETTERS + 1):
                letter = part(at(words, row), Number(place + 1))
                code = call("UNICODE", join(letter, " "))
                code = call("IFERROR", code, HALF)  # Excel counts an emoji as two letters
                code = when(letter.equals(""), "", code)
                page.compute(codes.area.cell(row, place), code, "integer")
        page.row += ROOM
        alike = page.define("tokens.alike", page.area(page.row, FIRST, ROOM, LETTERS + 1))
        for row in range(ROOM):
            for place in range(LETTERS + 1):
                here = at(codes, row, place)
                share = when(here.equals(""), 0, 1 / call("COUNTIF", codes, here))
                page.compute(alike.area.cell(row, place), share, "number")
        page.row += ROOM
        total = call("ROUND", call("SUM", alike), 0)
        return page.show("tokens.letters", page.row, FIRST, total, "integer")

    def round(self, number: int, words: Range) -> tuple[Range, Range]:
        """How often the most frequent pair stands in the text, and the pair; "" if none."""
        page, top = self.page, self.page.row
        page.write(top, 2, page.label("round", number=number), "heading")
        page.write(top, FIRST, page.label("pairs"), "heading")
        page.write(top, self.left, page.label("counts"), "heading")
        pairs = page.define(f"tokens.{number}.pairs", page.area(top + 1, FIRST, ROOM, LETTERS))
        counts = page.define(
            f"tokens.{number}.counts", page.area(top + 1, self.left, ROOM, LETTERS)
        )
        for row in range(ROOM):
            word = at(words, row)
            left, right = part(word, self.places), part(word, self.places + 1)
            pair = when(right.equals(""), "", join(" ", left, "  ", right, " "))
            page.compute(pairs.area.row(row), pair, "pieces")
            for place in range(LETTERS):
                here = at(pairs, row, place)
                number_of = call("SUM", call("EXACT", pairs, here) * self.times)
                shown = when(here.equals(""), "", number_of)
                page.compute(counts.area.cell(row, place), shown, "integer")
        count = page.show(f"tokens.{number}.most", top + 1, 3, call("MAX", counts), "integer")
        first = call("MIN", when(counts.equals(count), self.order, "")) - 1
        where = call("INT", first / LETTERS) + 1, call("MOD", first, LETTERS) + 1
        pair = when(count > 0, call("INDEX", pairs, *where), "")
        chosen = page.show(f"tokens.{number}.chosen", top + 1, 2, pair, "pieces")
        own, most = itself(counts.area), fixed(Range(count.area))
        page.rule(counts.area, call("AND", own.differs(""), own.equals(most)), "strong")
        page.row = top + ROOM + 2
        return count, chosen
