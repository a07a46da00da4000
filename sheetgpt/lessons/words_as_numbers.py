"""The lesson `words as numbers`: by hand, by company, squeezed to two columns; angles.

Sources: Mikolov, Yih and Zweig 2013, "Linguistic Regularities in Continuous Space Word
Representations" (king - man + woman); Firth 1957, "A Synopsis of Linguistic Theory" (a word is
known by its company); von Mises and Pollaczek-Geiringer 1929 (power iteration).
"""

import numpy as np

from sheetgpt.book.book import Curve, Plot
from sheetgpt.book.rules import beside, over
from sheetgpt.formula.expr import Range, call, when
from sheetgpt.lessons.lesson import Lesson, at, row_of
from sheetgpt.lessons.names_on_a_map import names_at
from sheetgpt.lessons.text import LINE, SentenceWords, vocabulary_of, words_of

PEOPLE = (
    ("man", 3, 1), ("woman", 3, 9), ("king", 9, 2), ("queen", 9, 8),
    ("prince", 6, 2), ("princess", 6, 8), ("boy", 1, 2), ("girl", 1, 8),
)  # fmt: skip
SENTENCES = (
    "we eat sweet apples", "we eat ripe apples", "they eat sweet pears", "we eat ripe pears",
    "they peel ripe apples", "we drive fast cars", "they drive old cars", "they drive fast trucks",
    "we drive old trucks", "they park old cars", "", "",
)  # fmt: skip
PLACES, SIZE = 8, 16  # words of a sentence, words that are compared
ROUNDS, NEAREST = 40, 5
FIRST = 3  # the column of the first number
TEXTS = ((10, 10), (50, 50), (5, 20))


def words_as_numbers(page: Lesson) -> None:
    page.widths |= {2: 26} | dict.fromkeys(range(FIRST, FIRST + SIZE), 8.5)
    _by_hand(page)
    cosines, text = _by_company(page)
    _squeezed(page, cosines, text)
    _angles(page)


def _by_hand(page: Lesson) -> None:
    page.section("by hand")
    page.tries("try king", "try prince")
    top = page.row
    page.headings(top, 2, "word", look="heading")
    page.headings(top, FIRST, "authority", "gender", "distance")
    n = len(PEOPLE)
    words = page.inputs("people.word", top + 1, 2, [[word] for word, _, _ in PEOPLE], "word")
    numbers = page.inputs(
        "people.numbers", top + 1, FIRST, [each[1:] for each in PEOPLE], "control"
    )
    sum_top = top + n + 2
    asked = []
    for row, (sign, word) in enumerate((("", "king"), ("−", "man"), ("+", "woman")), start=sum_top):
        asked.append(page.input(f"people.asked.{row - sum_top + 1}", row, 2, word, "word"))
        page.write(row, 1, sign or " ", "symbol")
        found = call("INDEX", numbers, call("MATCH", asked[-1], words, 0), 0)
        shown = call("IFERROR", found, "?")
        page.place(
            f"people.part.{row - sum_top + 1}", page.area(row, FIRST, 1, 2), shown, "integer"
        )
    first, second, third = (Range(page.names[f"people.part.{i}"]) for i in (1, 2, 3))
    page.write(sum_top + 3, 1, "=", "symbol")
    total = call("IFERROR", first - second + third, "?")
    answer = page.place("people.sum", page.area(sum_top + 3, FIRST, 1, 2), total, "fact")
    name = page.words.sentence("words as numbers.sum", a=asked[0], b=asked[1], c=asked[2])
    page.show("people.sum.name", sum_top + 3, 2, name, "live")
    distances = page.define("people.distance", page.area(top + 1, FIRST + 2, n))
    for row in range(n):
        away = row_of(numbers, row) - answer
        is_asked = call(
            "OR", *(at(words, row).equals(each) for each in asked), at(words, row).equals("")
        )
        distance = call("IFERROR", call("SQRT", call("SUM", away * away)), "")
        page.compute(distances.area.row(row), when(is_asked, "", distance), "formula")
    nearest = call("INDEX", words, call("MATCH", call("MIN", distances), distances, 0))
    sentence = page.words.sentence("words as numbers.nearest", word=nearest)
    unknown = page.label("unknown")
    page.show(
        "people.answer", sum_top + 4, 2,
        when(call("COUNT", answer, distances) > 2, sentence, unknown), "live",
    )  # fmt: skip
    curves = [
        Curve(numbers.area.cell(row, 0), numbers.area.cell(row, 1), words.area.row(row), "named")
        for row in range(n)
    ]
    curves.append(
        Curve(answer.area.cell(0, 0), answer.area.cell(0, 1), page.area(sum_top + 3, 2), "answer")
    )
    about, x, y = (page.label(key) for key in ("people chart", "authority", "gender"))
    corner = page.area(top, FIRST + 4)
    page.charts.append(Plot(curves, corner, about, 15, 8.5, x, y, (0, 12), (0, 12)))
    page.row = sum_top + 7


def _by_company(page: Lesson) -> tuple[Range, SentenceWords]:
    page.section("company")
    page.tries("try company", "try own text")
    window = page.control("company.window", 2, "window", ("whole", 0, PLACES))
    page.row += 1
    page.headings(page.row, 2, "text", look="heading")
    page.write(page.row - 1, FIRST, page.label("words"), "heading")
    top = page.row + 1
    sentences = page.inputs("company.text", top, 2, [[each] for each in SENTENCES], "word", LINE)
    page.define("company.free", sentences.area.row(SENTENCES.index("")))
    words = words_of(page, "company", sentences, FIRST, PLACES)
    page.write(page.row - 1, FIRST + PLACES + 1, page.label("first"), "heading")
    first = page.area(top, FIRST + PLACES + 1, len(SENTENCES), PLACES)
    top += len(SENTENCES) + 2

    page.write(top - 1, 2, page.label("counts"), "heading")
    listed = page.area(top + 1, 2, SIZE)
    text = vocabulary_of(page, "company", words, first, listed)
    counts = page.define("company.counts", page.area(top + 1, FIRST, SIZE, SIZE))
    _across(page, "company.across", top, text.vocabulary)
    places = page.constants(top + SIZE + 1, FIRST, range(1, PLACES + 1), "start")
    page.write(top + SIZE + 1, 2, page.label("places"), "note")
    apart = call("ABS", places.T - places)
    near = page.place(
        "company.near",
        page.area(top + 1, FIRST + SIZE + 1, PLACES, PLACES),
        when(apart <= window, when(apart > 0, 1, 0), 0),
        "integer",
    )
    page.write(top, FIRST + SIZE + 1, page.label("near"), "heading")
    for a in range(SIZE):
        company = when(text.first.equals(at(text.ids, a)), 1, 0) @ near
        for b in range(SIZE):
            count = call("SUM", company * when(text.first.equals(at(text.ids, b)), 1, 0))
            is_blank = call("OR", at(text.ids, a).equals(""), at(text.ids, b).equals(""))
            page.compute(counts.area.cell(a, b), when(is_blank, 0, count), "integer")
    _hide_blank(page, counts)

    page.row = top + SIZE + 3
    page.section("cosine")
    page.tries("try pencil", "try cosine")
    top = page.row
    asked = page.input("company.asked", top, 2, "apples", "word")
    top += 4
    page.write(top - 1, 2, page.label("cosines"), "heading")
    _across(page, "cosine.across", top, text.vocabulary)
    lengths = page.define("company.lengths", page.area(top + 1, FIRST + SIZE + 1, SIZE))
    page.write(top, FIRST + SIZE + 1, page.label("length"), "heading center")
    cosines = page.define("company.cosines", page.area(top + 1, FIRST, SIZE, SIZE))
    for a in range(SIZE):
        row = row_of(counts, a)
        page.compute(page.area(top + 1 + a, 2), at(text.vocabulary, a), "token")
        page.compute(lengths.area.row(a), call("SQRT", call("SUM", row * row)), "formula")
        products = (
            row @ counts.T / when(at(lengths, a) * lengths.T > 0, at(lengths, a) * lengths.T, 1)
        )
        page.compute(cosines.area.row(a), products, "formula")
    _hide_blank(page, cosines)
    page.heat.append(cosines.area)
    _nearest(page, asked, cosines, text, top)
    page.row = top + SIZE + 3
    return cosines, text


def _across(page: Lesson, name: str, row: int, vocabulary: Range) -> None:
    page.show(name, row, FIRST, vocabulary.T, "heading center")


def _hide_blank(page: Lesson, matrix: Range) -> None:
    """Numbers of words that are not there show nothing."""
    words = beside(matrix.area, 2), over(matrix.area, matrix.area.top - 1)
    page.rule(matrix.area, call("OR", *(word.equals("") for word in words)), "no token")


def _nearest(page: Lesson, asked: Range, cosines: Range, text: SentenceWords, top: int) -> None:
    """The words whose company is most like that of the word that was asked for."""
    place = call("MATCH", asked, text.vocabulary, 0)
    score = page.define("company.score", page.area(top + 1, FIRST + SIZE + 3, SIZE))
    page.write(top, FIRST + SIZE + 3, page.label("score"), "heading")
    for row in range(SIZE):
        like = call("INDEX", cosines, row + 1, place)
        is_out = call("OR", at(text.ids, row).equals(""), place.equals(row + 1))
        page.compute(
            score.area.row(row), call("IFERROR", when(is_out, -1, like - row / 1e9), -1), "formula"
        )
    row = top - 4
    words = page.define("company.nearest", page.area(row, FIRST, 1, NEAREST))
    shares = page.define("company.likeness", page.area(row + 1, FIRST, 1, NEAREST))
    page.write(row + 1, 2, page.label("likeness"), "heading right")
    for rank in range(NEAREST):
        size = call("LARGE", score, rank + 1)
        where = call("MATCH", size, score, 0)
        word = when(size < 0, "", call("INDEX", text.vocabulary, where))
        page.compute(words.area.cell(0, rank), word, "attention token")
        like = when(size < 0, "", call("INDEX", cosines, where, place))
        page.compute(shares.area.cell(0, rank), like, "formula")


def _squeezed(page: Lesson, cosines: Range, text: SentenceWords) -> None:
    """Each word's row of cosines as two numbers: the two directions in which they spread most."""
    page.section("squeeze")
    page.tries("try squeeze", "try iterate")
    chart_row = page.row
    page.row += 19
    starts = np.ones(SIZE), np.arange(1, SIZE + 1) * (-1.0) ** np.arange(SIZE)
    coordinates: list[tuple[Range, Range]] = []
    for number, start in enumerate(starts, start=1):
        page.write(page.row, 2, page.label(f"iteration {number}"), "heading")
        page.write(page.row, FIRST + SIZE + 1, page.label("length"), "heading center")
        _across(page, f"squeeze.{number}.across", page.row, text.vocabulary)
        page.row += 1
        rounds = page.area(page.row, FIRST, ROUNDS + 1, SIZE)
        page.rule(rounds, over(rounds, page.row - 1).equals(""), "no token")
        x = page.constants(page.row, FIRST, start, "start")
        turns = page.define(f"squeeze.{number}", page.area(page.row + 1, FIRST, ROUNDS, SIZE))
        lengths = page.define(
            f"squeeze.{number}.length", page.area(page.row + 1, FIRST + SIZE + 1, ROUNDS)
        )
        for step in range(1, ROUNDS + 1):
            row = page.row + step
            page.write(row, 1, step, "index")
            moved = x @ cosines
            if coordinates:  # what lies in the first direction is taken away
                first, size = coordinates[0]
                moved = moved - size * call("SUM", x * first) * first
            longer = Range(lengths.area.row(step - 1))
            page.compute(longer.area, call("SQRT", call("SUM", moved * moved)), "formula")
            x = Range(turns.area.row(step - 1))
            page.compute(x.area, moved / when(longer > 0, longer, 1), "formula")
        coordinates.append((x, longer))
        page.row += ROUNDS + 2
    top = page.row
    page.write(top, 2, page.label("map"), "heading")
    points = page.define("squeeze.map", page.area(top + 1, FIRST, SIZE, 2))
    for word in range(SIZE):
        listed = at(text.vocabulary, word)
        name = when(listed.equals(""), " ", listed)  # "" would be labelled with its number
        page.compute(page.area(top + 1 + word, 2), name, "token")
        for number, (direction, size) in enumerate(coordinates):
            there = at(direction, 0, word) * call("SQRT", size)
            if word:  # a word that is not there hides behind the first
                there = when(at(text.ids, word).equals(""), at(points, 0, number), there)
            page.compute(points.area.cell(word, number), there, "formula")
    page.rule(points.area, beside(points.area, 2).equals(" "), "no token")
    across, up = (points.area.columns(number, number + 1) for number in (0, 1))
    curves = [Curve(across, up, page.area(top, 2), "points"), *names_at(page, points, text)]
    about, x_title, y_title = (
        page.label(key) for key in ("map", "first direction", "second direction")
    )
    page.charts.append(Plot(curves, page.area(chart_row, 2), about, 20, 9, x_title, y_title))
    page.row = top + SIZE + 3


def _angles(page: Lesson) -> None:
    page.section("angle")
    page.tries("try angle")
    top = page.row
    page.headings(top, 2, "text name", look="heading")
    page.headings(top, FIRST, "zero", "sun", "zero", "rain")
    names = [page.label(f"text {number}") for number in (1, 2, 3)]
    texts = page.inputs("angle.name", top + 1, 2, [[name] for name in names], "word")
    curves, points = [], []
    for row, (sun, rain) in enumerate(TEXTS):
        for column, zero in ((FIRST, 0), (FIRST + 2, 0)):
            page.write(top + 1 + row, column, zero, "start")
        x = page.input(f"angle.{row + 1}.sun", top + 1 + row, FIRST + 1, sun)
        y = page.input(f"angle.{row + 1}.rain", top + 1 + row, FIRST + 3, rain)
        points.append((x, y))
        xs, ys = page.area(top + 1 + row, FIRST, 1, 2), page.area(top + 1 + row, FIRST + 2, 1, 2)
        curves.append(Curve(xs, ys, texts.area.row(row), "walk"))
    pairs_top = top + 6
    page.headings(pairs_top - 1, FIRST, "distance", "cosine")
    for row, (a, b) in enumerate(((0, 1), (0, 2), (1, 2)), start=pairs_top):
        (ax, ay), (bx, by) = points[a], points[b]
        name = page.words.sentence("words as numbers.pair", a=at(texts, a), b=at(texts, b))
        page.show(f"angle.pair.{row - pairs_top + 1}", row, 2, name, "live")
        distance = call("SQRT", (ax - bx) ** 2 + (ay - by) ** 2)
        lengths = call("SQRT", ax**2 + ay**2) * call("SQRT", bx**2 + by**2)
        cosine = call("IFERROR", (ax * bx + ay * by) / lengths, 0)
        page.show(f"angle.distance.{row - pairs_top + 1}", row, FIRST, distance)
        page.show(f"angle.cosine.{row - pairs_top + 1}", row, FIRST + 1, cosine)
    about, x_title, y_title = (page.label(key) for key in ("angle chart", "sun", "rain"))
    page.charts.append(Plot(curves, page.area(top, FIRST + 5), about, 13, 8, x_title, y_title))
    page.row = top + 18
