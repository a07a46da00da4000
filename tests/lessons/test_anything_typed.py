"""Whatever somebody types: no cell shows an error; a sentence does, where nothing is computed."""

from collections.abc import Iterator
from itertools import cycle
from typing import Any

import pytest

from sheetgpt.calculate.values import Error, Sheet
from sheetgpt.formula.expr import Call, Expr, Range
from sheetgpt.lessons.book import LESSONS

WORDS = {
    "nothing": "",
    "a space": " ",
    "a very long word": "Donaudampfschifffahrtsgesellschaft" * 3,
    "twelve letters": "abcdefghijkl",
    "capitals": "NEWEST",
    "japanese": "東京タワーは高い。",
    "korean": "서울은 큽니다",
    "an emoji": "😀",
    "marks": 'a·b "c" ,;。.',
    "what looks for others": "*",
    "a number": "12",
}
NUMBERS: dict[str, Any] = {"nothing": "", "zero": 0, "one": 1, "negative": -3, "large": 1000}
TABS = [tab for tab in LESSONS if tab != "to a chat model"]  # which has nothing to type in


def inputs(opened, look: str) -> list[str]:
    """The defined names of the yellow cells of a kind."""
    (tab,) = opened.book.tabs
    cells = {
        (each.area.top, each.area.left) for each in (*tab.texts, *tab.blanks) if each.look == look
    }
    names = opened.book.names.items()
    return [
        name for name, area in names if {(row, column) for row, column in places(area)} <= cells
    ]


def places(area) -> Iterator[tuple[int, int]]:
    for row in range(area.top, area.bottom + 1):
        for column in range(area.left, area.right + 1):
            yield row, column


def filled(opened, name: str, values: Any) -> list[list[Any]]:
    """One value after the other, down the rows."""
    rows, columns = opened.book.names[name].shape
    each = cycle(values)
    return [[next(each) for _ in range(columns)] for _ in range(rows)]


def errors(sheet: Sheet) -> Iterator[tuple[int, int]]:
    for place, value in sheet.others.items():
        if isinstance(value, Error) and sheet.cell(*place) == value:
            yield place


def ranges(tree: Expr) -> Iterator[Range]:
    """All cells that a formula reads."""
    if isinstance(tree, Range):
        yield tree
    for argument in tree.arguments if isinstance(tree, Call) else ():
        yield from ranges(argument)


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers(lesson, tab, kind):
    """In all yellow cells at once; and nothing, in every second field, too."""
    opened = lesson(tab)
    names = inputs(opened, "control")
    some = [names[::2], names[1::2]] if kind == "nothing" else []
    for typed in (*some, names):
        values = opened.typed({name: filled(opened, name, [NUMBERS[kind]]) for name in typed})
        assert list(errors(values.sheet(tab))) == [], typed
        assert not values.warning(tab)


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("kind", [*WORDS, "all of them"])
def test_words(lesson, tab, kind):
    opened = lesson(tab)
    words = [WORDS[kind]] if kind in WORDS else list(WORDS.values())
    typed = {name: filled(opened, name, words) for name in inputs(opened, "word")}
    if typed:
        assert list(errors(opened.typed(typed).sheet(tab))) == []


@pytest.mark.parametrize("tab", TABS)
def test_a_text_where_a_number_belongs(lesson, tab):
    """Typed, it is refused; pasted, the tab says so, and of what follows no error is seen."""
    opened = lesson(tab)
    (whole,) = opened.book.tabs
    hidden = {place for rule in whole.rules if rule.look == "error" for place in places(rule.area)}
    names = inputs(opened, "control")
    for typed in (names[::2], names[1::2]):
        if typed:
            values = opened.typed({name: filled(opened, name, ["many"]) for name in typed})
            assert values.warning(tab).startswith("In a yellow cell stands a text instead of")
            assert set(errors(values.sheet(tab))) <= hidden
    warning = [each.tree for each in whole.computed if each.look == "message"][-1:]
    counted = {cells.area for tree in warning for cells in ranges(tree)}
    assert {opened.book.names[name] for name in names} <= counted


@pytest.mark.parametrize("tab", TABS)
def test_every_number_input_says_what_may_be_typed(lesson, tab):
    opened = lesson(tab)
    (whole,) = opened.book.tabs
    said = {each.area.address: each for each in whole.validations}
    for name in inputs(opened, "control"):
        limits = said[opened.book.names[name].address]
        assert limits.kind in ("whole", "decimal") and limits.sentence.startswith("Type a ")


def test_the_sentences(lesson):
    """What stands where nothing can be computed; and no 0 where a word was taken away."""
    choosing = lesson("from scores to a word")
    values = choosing.typed({"choose.logit": [[""]] * 10})
    assert values["choose.sentence"] == "No word has a score: type numbers."
    assert choosing.typed({"choose.word": [[""]] * 10})["choose.taken"] == ""
    only = choosing.typed({"choose.logit": [[""]] * 9 + [[-5]], "choose.top_k": 3})
    assert only["choose.probability"] == [[0]] * 9 + [[1]]
    assert only["choose.taken"] == "Tuesday"
    hand = lesson("attention by hand")
    values = hand.typed({"order.is": [[0], [""], [1]]})
    assert [verdict for (verdict,) in values["order.verdict"]][:2] == ["type 1, 2 or 3"] * 2
    values = lesson("learning").typed({"net.rate": 0})
    assert values["net.sentence"] == "The error stays at 0.2442: nothing was learned."
    values = lesson("words as numbers").typed({"people.asked.1": ""})
    assert values["people.answer"] == "A word in the yellow cells is not in the list."
