"""The tab `neighbours` beside NumPy, and words that are no tokens."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from sheetgpt.book.calculate import calculate
from sheetgpt.book.compile import compile_book
from sheetgpt.book.data import token_texts
from sheetgpt.book.prompt import room_for
from sheetgpt.book.words import load_words
from sheetgpt.checkpoint import checkpoint
from tests.one_tab import OneTab
from tests.places import CHECKPOINTS


@cache
def neighbours(directory: Path, prompt: str, context: int) -> OneTab:
    model = checkpoint.load(directory)
    room = room_for(model.tokenizer, prompt, context)
    book = compile_book(model, prompt, room, load_words("en"))
    return OneTab(book, calculate(book), "neighbours")


@pytest.fixture
def of_nano(nano):
    return neighbours(nano, "Mike", 2)


@pytest.fixture(scope="module")
def rows(nano):
    """The rows of `wte` with a length of 1, as NumPy has them, and the texts of the tokens."""
    model = checkpoint.load(nano)
    wte = np.asarray(model.weights["wte"], dtype=np.float64)
    return wte, np.linalg.norm(wte, axis=1), token_texts(model.tokenizer)


def expect_nearest(tab: OneTab, part: str, arrow, asked: list[int], rows) -> None:
    wte, norms, texts = rows
    cosines = wte @ arrow / norms / np.linalg.norm(arrow)
    ranked = [i for i in np.argsort(-cosines, kind="stable") if i not in asked][:10]
    assert tab.column(f"{part}.nearest.id") == ranked
    assert tab.column(f"{part}.nearest.token") == [texts[i] for i in ranked]
    assert tab.column(f"{part}.nearest.cosine") == pytest.approx(cosines[ranked], abs=1e-6)
    angles = np.degrees(np.arccos(cosines[ranked]))
    assert tab.column(f"{part}.nearest.angle") == pytest.approx(angles, abs=1e-4)
    assert tab.errors() == []


@pytest.mark.parametrize("word", ["quick", "dog", " she", "3", "Mike", "France"])
def test_the_nearest_to_a_word(of_nano, rows, word):
    wte, _, texts = rows
    of_nano.type(word=word)
    own = texts.index(f" {word}" if f" {word}" in texts else word)
    assert of_nano.read("word.token") == texts[own]
    expect_nearest(of_nano, "word", wte[own], [own], rows)


@pytest.mark.parametrize("words", [("Paris", "France", "Spain"), ("kitten", "cat", "dog")])
def test_a_less_b_and_c(of_nano, rows, words):
    wte, _, texts = rows
    of_nano.type(**{f"sum.{letter}": word for letter, word in zip("abc", words, strict=True)})
    a, b, c = (texts.index(f" {word}") for word in words)
    expect_nearest(of_nano, "sum", wte[a] - wte[b] + wte[c], [a, b, c], rows)


def test_what_is_there_at_first(nano):
    tab = neighbours(nano, "Mike", 2)
    tab.type(**{"sum.a": "Paris", "sum.b": "France", "sum.c": "Spain"})
    assert tab.column("sum.nearest.token")[0] == " Madrid"


def test_two_tokens_number_by_number(of_nano, rows):
    wte, norms, texts = rows
    of_nano.type(**{"pair.a": "dog", "pair.b": "cat"})
    a, b = texts.index(" dog"), texts.index(" cat")
    assert of_nano.column("pair.product") == pytest.approx(wte[a] * wte[b], abs=1e-6)
    cosine = wte[a] @ wte[b] / norms[a] / norms[b]
    assert of_nano.read("pair.cosine") == pytest.approx(cosine, abs=1e-6)
    of_nano.type(**{"pair.b": "dog"})
    assert of_nano.read("pair.angle") == pytest.approx(0, abs=1e-5)
    assert of_nano.errors() == []


@pytest.mark.parametrize("word", ["xyzzy", "", None, "q*", "quick ", "QUICK", "quick quick", 12.5])
def test_what_is_no_token_gets_a_sentence(of_nano, word):
    of_nano.type(**{"word": word, "sum.b": word, "pair.a": word})
    for part in ("word", "sum", "pair"):
        assert any(len(note) > 10 for note in map(str, np.ravel(of_nano.read(f"{part}.note"))))
        assert of_nano.read(f"{part}.sentence") == ""
    assert set(of_nano.column("word.nearest.id")) == set(of_nano.column("sum.cosine")) == {""}
    assert of_nano.errors() == []


@pytest.mark.parametrize("name", ["padded", "lecture", "makemore"])
def test_other_vocabularies(name):
    """One with rows for no tokens, one with a head of its own, one of a few characters."""
    tab = neighbours(CHECKPOINTS / name, "a", 2)
    tab.type(**{"word": "a", "sum.a": "a", "sum.b": "b", "sum.c": "c", "pair.a": "a"})
    assert tab.errors() == []
    assert tab.read("word.token") in ("a", " a")
    found = [each for each in tab.column("word.nearest.cosine") if each != ""]
    assert found == sorted(found, reverse=True)
    assert len(found) >= 3
