"""docs/lessons.md: what a teacher is told to type does what the page says, in LibreOffice."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sheetgpt.checkpoint import checkpoint
from sheetgpt.lessons.book import LESSONS
from sheetgpt.lessons.counting import with_blocks, without_blocks
from sheetgpt.lessons.words import load_words
from sheetgpt.office import libreoffice as office
from sheetgpt.xlsx.read import Workbook, read

PAGE = (Path(__file__).parents[1] / "docs" / "lessons.md").read_text(encoding="utf-8")
PROSE = PAGE.replace("\n", " ")

CELLS = {  # how the page calls the yellow cells, and their defined names
    "times of `low`": "tokens.times",
    "the first word": "tokens.words",
    "the word to cut": "tokens.own",
    "the first of three words": "people.asked.1",
    "the word to compare": "company.asked",
    "the first free line of the text": "company.free",
    "words to each side": "company.window",
    "“sun” in the other letter": "angle.3.sun",
    "the sun shines": "neuron.x",
    "bias b": "neuron.b",
    "the curve": "fit.curve",
    "learning rate of the hiker": "hiker.rate",
    "start of the hiker": "hiker.start",
    "learning rate of the network": "net.rate",
    "mask": "hand.mask",
    "positions": "hand.positions",
    "temperature": "choose.temperature",
    "top-k": "choose.top_k",
    "seed": "choose.seed",
    "the last word": "count.last",
}
SEEN = {  # what the page says before a value, and the first cell or another that shows it
    "the first join is": "tokens.1.pair",
    "the nearest other word is": "people.answer",
    "it is cut into": "tokens.own.sentence",
    "its company is most like that of": "company.nearest",
    "the 15th word of the list is": ("company.vocabulary", 14),
    "is still most like that of": "company.nearest",
    "the cosine of short and other letter is": "angle.cosine.2",
    "the sum is": "neuron.sum",
    "and ReLU says": "neuron.relu",
    "8 neurons are wrong by": "solved.8.error",
    "sings, now in first place, finds": "order.verdict",
    "he, still in third place, finds": ("order.verdict", 2),
    "sunny has": "choose.probability",
    "and of a hundred draws": "hundred.times",
    "the first guess is": "count.bigram.word",
    "with": "count.bigram.share",
}
SENTENCES = ("hiker.sentence", "net.sentence", "choose.sentence", "count.bigram.never")


def lines() -> Iterator[tuple[str, str, str]]:
    for line in PAGE.split("\n"):
        cells = [part.strip() for part in line.strip("|").split("|")]
        if len(cells) == 3 and cells[0] in CELLS:
            yield cells[0], cells[1].strip("`"), cells[2]


@pytest.fixture(scope="module")
def lessons(lessons_in: Callable[[str], Path]) -> Workbook:
    return read(lessons_in("en"))


@pytest.fixture(scope="module")
def opened(lessons_in: Callable[[str], Path], libreoffice: None) -> Iterator[office.Office]:
    """One LibreOffice for all; each test leaves the cells as it found them."""
    with office.opened(lessons_in("en")) as document:
        yield document


def shown(value: float, like: str) -> str:
    """A number with as many digits as the page has."""
    if like.endswith(" %"):
        return f"{100 * value:.2f} %"
    digits = len(like.partition(".")[2])
    return f"{value:.{digits}f}"


def test_the_page_has_every_lesson_in_order():
    assert re.findall(r"\n## (\d)  `([^`]+)`", PAGE) == [
        (str(number), tab) for number, tab in enumerate(LESSONS, start=1)
    ]
    for tab in LESSONS:
        assert f"| `{tab}` | {load_words('en').tab(tab).about.split(' until')[0]}" in PAGE


def as_typed(text: str) -> str | float:
    """What a spreadsheet makes of what is typed."""
    try:
        return float(text)
    except ValueError:
        return text


def expect(document: office.Office, happens: str) -> int:
    """Look for everything that a line says; returns how many values that were."""

    def value(name: str, row: int = 0) -> Any:
        return document.read([name])[name][row][0]

    if happens.startswith("“"):
        assert happens[1:-1] in [value(name) for name in SENTENCES]
        return 1
    said = re.findall(r"([^`]+)`([^`]+)`", happens)
    for phrase, wanted in said:
        ends = [key for key in SEEN if phrase.strip(" ,").endswith(key)]
        where = SEEN[max(ends, key=len)]
        found = value(*where) if isinstance(where, tuple) else value(where)
        if isinstance(found, str):
            assert wanted == found or found.endswith((f" {wanted}", f"“{wanted}”.")), happens
        else:
            assert shown(found, wanted) == wanted, happens
    return len(said)


def test_what_happens_when_one_types(opened):
    seen = 0
    for cell, text, happens in lines():
        name = CELLS[cell]
        before = opened.read([name])[name][0][0]
        opened.set({name: as_typed(text)})
        seen += expect(opened, happens)
        opened.set({name: before})
    assert seen >= 35


def value_of(lessons: Workbook, name: str, row: int = 0, column: int = 0) -> Any:
    return lessons.values.read(lessons.names[name].cell(row, column))


def said(pattern: str) -> tuple[str, ...]:
    found = re.search(pattern, PROSE)
    assert found, pattern
    return found.groups()


def test_numbers_in_the_prose(lessons):
    first, known, last, more = said(r"from (\d+) tokens and (\d+) known ones to (\d+) and (\d+)\.")
    for name, column, text in (
        ("text", 0, first), ("vocabulary", 0, known), ("text", 10, last), ("vocabulary", 10, more)
    ):  # fmt: skip
        assert value_of(lessons, f"tokens.{name}", 0, column) == int(text)
    ids = said(
        r"there, number (\d+)\. Without the space it is three: ([\d ]+)\..* others, ([\d ]+)\."
    )
    for index, text in zip((1, 0, 5), ids, strict=True):
        assert value_of(lessons, f"strawberry.{index}.ids") == text
    near, far, same, unlike = said(
        r"letter is ([\d.]+) away from the long novel but only ([\d.]+) from .*"
        r" are ([\d.]+) and ([\d.]+)\. \*\*Ask"
    )
    for name, text in (
        ("distance.1", near), ("distance.2", far), ("cosine.1", same), ("cosine.2", unlike)
    ):  # fmt: skip
        assert f"{value_of(lessons, f'angle.{name}'):.3f}" == text
    errors = said(r"largest error is ([\d.]+), ([\d.]+) and ([\d.]+)\. ")
    for n, text in zip((2, 8, 32), errors, strict=True):
        assert f"{value_of(lessons, f'solved.{n}.error'):.6f}" == text
    rate, start, end = said(r"given, ([\d.]+), the error falls from ([\d.]+) to ([\d.]+)\.")
    assert value_of(lessons, "net.rate") == float(rate)
    assert f"{value_of(lessons, 'net.error'):.4f}" == start
    assert f"{value_of(lessons, 'net.error', 200):.6f}" == end
    (percent,) = said(r"“He” gives ([\d.]+) % of its attention")
    assert f"{percent} %" in value_of(lessons, "hand.sentence")
    follows, each = said(r"follows `moves` with ([\d.]+) %, .* have ([\d.]+) % each")
    assert value_of(lessons, "count.bigram.word") == "slowly"
    assert f"{100 * value_of(lessons, 'count.bigram.share'):.2f}" == follows
    shares = {f"{100 * value_of(lessons, 'count.trigram.share', row):.2f}" for row in range(3)}
    assert shares == {each}


def test_two_neurons_by_hand(lessons):
    """The numbers that the page gives away."""
    bias, strength, error = said(
        r"both biases −([\d.]+) and both strengths ([\d.]+) it is ([\d.]+)\.\)"
    )
    total = 0.0
    for i in range(65):
        x = -1 + i / 32
        drawn = sum(float(strength) * max(w * x - float(bias), 0) for w in (1, -1))
        total += (drawn - x * x) ** 2
    assert f"{total / 65:.6f}" == error


def test_what_nano_says(lessons, nano):
    model = checkpoint.load(nano)
    (whole,) = said(r"says “ quickly” with ([\d.]+) %")
    assert f"{100 * with_blocks(model).probabilities[0]:.2f}" == whole
    (alone,) = said(r"followed by ` moves` with ([\d.]+) %")
    assert f"{100 * without_blocks(model, ' moves').probabilities[0]:.2f}" == alone


def test_plums(opened):
    opened.set({"company.free": "we eat ripe plums", "company.asked": "plums"})
    nearest = opened.read(["company.nearest"])["company.nearest"][0]
    opened.set({"company.free": "", "company.asked": "apples"})
    assert (nearest[0],) == said(r"word to compare: `(\w+)` come first\.")
