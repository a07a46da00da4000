"""The lesson `from scores to a word`: softmax, temperature, the two cuts, and a hundred draws.

The order of operations and the random numbers are those of `gpt2.sampling` and of the workbook of
a model: temperature, top-k, top-p, draw; Wichmann and Hill 1982, "Algorithm AS 183".
"""

from dataclasses import dataclass

from sheetgpt.book.book import Bars, Curve, Plot
from sheetgpt.formula.expr import Expr, Number, Range, call, join, when
from sheetgpt.lessons.lesson import Lesson, Limits, at, text_at
from sheetgpt.steps.sample import GENERATORS

WORDS = (
    ("sunny", 4.0), ("fine", 3.6), ("cloudy", 3.2), ("cold", 2.8), ("warm", 2.5), ("rainy", 2.0),
    ("ugly", 1.0), ("purple", 0.0), ("angry", -0.5), ("Tuesday", -2.0),
)  # fmt: skip
N, DRAWS = len(WORDS), 100
CONTROLS: tuple[tuple[str, float, Limits], ...] = (
    ("temperature", 1.0, ("decimal", 0, 100)),
    ("top_k", 0, ("whole", 0, N)),
    ("top_p", 1.0, ("decimal", 0, 1)),
)
STRIDE = 997  # from one of a hundred seeds to the next: the first draws of neighbours are alike
FIRST = 3
COLUMNS = ("softmax", "weight", "after k", "after p", "probability", "from", "to")
LOOKS = {"softmax": "chance", "probability": "chance"}
BESIDE = FIRST + 21  # the column of what the charts need besides


@dataclass(frozen=True)
class _Choice:
    """The cells that all parts of the lesson need; the columns are [N, 1]."""

    temperature: Range
    seed: Range
    words: Range
    logits: Range
    columns: dict[str, Range]

    def __getitem__(self, column: str) -> Range:
        return self.columns[column]

    def place(self, uniform: Expr) -> Expr:
        """The place of the word that a number from 0 to 1 falls on."""
        reached = uniform * at(self["to"], N - 1)
        drawn = call("SUM", when(self["to"] <= reached, 1, 0)) + 1
        likeliest = call("MATCH", call("MAX", self.logits), self.logits, 0)
        return when(self.is_empty, 0, when(self.temperature <= 0, likeliest, drawn))

    @property
    def is_empty(self) -> Expr:
        return call("COUNT", self.logits).equals(0)

    def word(self, place: Expr) -> Expr:
        return when(place < 1, "", join(call("INDEX", self.words, place), ""))


def choosing(page: Lesson) -> None:
    page.widths |= {2: 22} | dict.fromkeys(range(FIRST, FIRST + 8), 10) | {BESIDE: 12}
    page.section("scores")
    page.tries("try temperature", "try cuts", "try own")
    controls = {
        key: page.control(f"choose.{key}", start, key, limits) for key, start, limits in CONTROLS
    }
    page.row += 1
    page.write(page.row, 2, page.label("prompt"), "mathematics")
    top = page.row + 1
    page.headings(top, 2, "word", look="heading")
    page.headings(top, FIRST, "logit", *COLUMNS)
    words = page.inputs("choose.word", top + 1, 2, [[word] for word, _ in WORDS], "word")
    logits = page.inputs("choose.logit", top + 1, FIRST, [[each] for _, each in WORDS], "control")
    columns = {
        name: page.define(f"choose.{name.replace(' ', '_')}", page.area(top + 1, column, N))
        for column, name in enumerate(COLUMNS, start=FIRST + 1)
    }
    for row in range(N):
        trees = _row(row, logits, columns, **controls)
        for name, tree in trees.items():
            page.compute(columns[name].area.row(row), tree, LOOKS.get(name, "formula"))
    _bars(page, words, columns, top)
    page.row = top + N + 3
    page.section("draw")
    page.tries("try seed")
    seed = page.control("choose.seed", 1, "seed", ("whole", 0, 1_000_000))
    choice = _Choice(controls["temperature"], seed, words, logits, columns)
    _draw(page, choice)
    _hundred(page, choice)


def _row(
    row: int,
    logits: Range,
    columns: dict[str, Range],
    temperature: Range,
    top_k: Range,
    top_p: Range,
) -> dict[str, Expr]:
    """What one word's score becomes; a word without a score has no share."""
    logit, largest = at(logits, row), call("MAX", logits)
    here = {name: at(whole, row) for name, whole in columns.items()}
    is_first = call("MATCH", largest, logits, 0).equals(row + 1)
    cuts_none = call("OR", top_k < 1, top_k >= call("COUNT", logits))
    is_empty, powers = (
        logit.equals(""),
        when(logits.equals(""), 0, call("EXP", logits - largest)),
    )
    heated = call("EXP", (logit - largest) / temperature)
    cut = when(cuts_none, call("MIN", logits), call("LARGE", logits, top_k))
    likelier = call("SUM", when(logits > logit, columns["after k"], 0))
    is_within = likelier < top_p * call("SUM", columns["after k"])
    is_kept = call("OR", top_p >= 1, is_within, logit.equals(largest))
    total = call("SUM", columns["after p"])
    return {
        "softmax": when(is_empty, 0, call("EXP", logit - largest) / call("SUM", powers)),
        "weight": when(is_empty, 0, when(temperature > 0, heated, when(is_first, 1, 0))),
        "after k": when(logit >= cut, here["weight"], 0),
        "after p": when(is_kept, here["after k"], 0),
        "probability": when(here["after p"] > 0, here["after p"] / total, 0),
        "from": at(columns["to"], row - 1) + Number(0) if row else Number(0),
        "to": here["from"] + here["probability"],
    }


def _bars(page: Lesson, words: Range, columns: dict[str, Range], top: int) -> None:
    """Each word's probability after all, and beside it what softmax alone gives."""
    shown = ("probability", "softmax")
    page.headings(top, BESIDE, *shown)
    both = page.area(top + 1, BESIDE, N, len(shown))
    for column, name in enumerate(shown):
        for row in range(N):
            page.compute(both.cell(row, column), at(columns[name], row), "attention")
    names, about = page.area(top, BESIDE, 1, len(shown)), page.label("bars chart")
    page.charts.append(Bars(words.area, both, page.area(top - 1, FIRST + 8), about, 10, 7.5, names))


def _uniform(seed: Expr) -> Expr:
    """The first number from 0 up to 1 that a seed gives, as in the workbook of a model."""
    total: Expr = Number(0)
    for start, (factor, modulus) in zip((seed, seed * seed, 7 * seed), GENERATORS, strict=True):
        first = call("MOD", factor * (1 + call("MOD", start, modulus - 1)), modulus)
        total = total + first / modulus
    return call("MOD", total, 1)


def _draw(page: Lesson, choice: _Choice) -> None:
    """The line from 0 to 1, fenced off for the words, and where the random number falls."""
    row = page.row
    page.write(row, 2, page.label("number"), "heading")
    uniform = page.show("choose.uniform", row, FIRST, _uniform(choice.seed), "live formula")
    page.write(row + 1, 2, page.label("falls on"), "heading")
    place = page.show("choose.place", row + 1, FIRST, choice.place(uniform), "integer")
    word = page.show("choose.taken", row + 1, FIRST + 1, choice.word(place), "fact")
    sentence = page.words.sentence(
        "from scores to a word.sentence", word=word, number=call("ROUND", uniform, 3),
        start=call("ROUND", call("INDEX", choice["from"], place), 3),
        end=call("ROUND", call("INDEX", choice["to"], place), 3),
    )  # fmt: skip
    shown = when(choice.is_empty, page.label("no score"), sentence)
    page.show("choose.sentence", row + 2, 2, shown, "live")
    names = page.area(row, BESIDE, N)
    points = page.area(row, BESIDE + 1, N, 2)
    fence = page.area(row, BESIDE + 4, 3 * N + 3, 2)
    for number in range(N):
        share = at(choice["probability"], number)
        room = call("MAX", 0.03, 0.009 * call("LEN", at(choice.words, number)))
        name = when(share < room, " ", text_at(choice.words, number))
        page.compute(names.row(number), call("IFERROR", name, " "), "token")
        middle = (at(choice["from"], number) + at(choice["to"], number)) / 2
        page.compute(points.cell(number, 0), middle, "formula")
        page.write(points.top + number, points.right, 0.5, "start")
    for number in range(3 * N + 3):
        post = at(choice["to"], number // 3 - 1) + Number(0) if number >= 3 else Number(0)
        page.compute(fence.cell(number, 0), post, "formula")
        page.write(fence.top + number, fence.right, number % 3 % 2, "start")
    zero = page.area(row - 1, BESIDE + 1)
    page.write(zero.top, zero.left, 0, "start")
    page.write(row - 1, BESIDE + 4, page.label("line"), "heading")
    found = page.area(row, 2)
    curves = [Curve(fence.columns(0, 1), fence.columns(1, 2), page.area(row - 1, BESIDE + 4))]
    curves += [
        Curve(points.cell(n, 0), points.cell(n, 1), names.row(n), "name", "ctr") for n in range(N)
    ]
    curves.append(Curve(uniform.area, zero, found, "answer", "b"))
    about, x = page.label("line chart"), page.label("line")
    page.charts.append(
        Plot(curves, page.area(row + 4, 2), about, 26, 5, x, "", (0, 1), (-0.8, 1.2))
    )
    page.row = row + 15


def _hundred(page: Lesson, choice: _Choice) -> None:
    """A hundred seeds, one after the other: how often each word comes."""
    page.section("hundred")
    page.tries("try hundred")
    top = page.row
    page.headings(top, 2, "word", look="heading")
    page.headings(top, FIRST, "times", "drawn", "probability")
    table = top + N + 10
    page.headings(table, 2, "number of seed", "falls on number", "its place", "drawn word")
    first = page.area(table + 1, 2, DRAWS)
    seeds = page.define("hundred.seed", first)
    numbers = page.define("hundred.uniform", page.area(table + 1, 3, DRAWS))
    places = page.define("hundred.place", page.area(table + 1, 4, DRAWS))
    for draw in range(DRAWS):
        page.compute(seeds.area.row(draw), choice.seed + STRIDE * draw, "integer")
        page.compute(numbers.area.row(draw), _uniform(at(seeds, draw)), "formula")
        page.compute(places.area.row(draw), choice.place(at(numbers, draw)), "integer")
        word = choice.word(at(places, draw))
        page.compute(page.area(table + 1 + draw, 5), word, "attention token")
    times = page.define("hundred.times", page.area(top + 1, FIRST, N))
    shares = page.area(top + 1, FIRST + 1, N, 2)
    for row in range(N):
        page.compute(page.area(top + 1 + row, 2), text_at(choice.words, row), "token")
        count = call("SUM", when(places.equals(row + 1), 1, 0))
        page.compute(times.area.row(row), count, "integer")
        page.compute(shares.cell(row, 0), at(times, row) / DRAWS, "chance")
        page.compute(shares.cell(row, 1), at(choice["probability"], row), "chance")
    about = page.label("hundred chart")
    names = page.area(top, FIRST + 1, 1, 2)
    page.charts.append(
        Bars(choice.words.area, shares, page.area(top, FIRST + 4), about, 13, 9, names)
    )
    page.row = table + DRAWS + 3
