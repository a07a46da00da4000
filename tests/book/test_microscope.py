"""Whatever is put under the microscope equals the cell that it explains; and whatever is not there
gets a sentence.
"""

import json
from functools import cache
from pathlib import Path
from random import Random

import pytest

from sheetgpt.book.calculate import calculate
from sheetgpt.book.compile import compile_book
from sheetgpt.book.prompt import room_for
from sheetgpt.book.records import UNDER_MICROSCOPE
from sheetgpt.book.words import load_words
from sheetgpt.calculate.values import Scalar
from sheetgpt.checkpoint import checkpoint
from sheetgpt.formula.cells import read_address, split_tab
from tests.one_tab import OneTab
from tests.places import CHECKPOINTS, PLAIN

SQUARES = ("attn.scores", "attn.weights")
TALL = ("logits", "softmax")
DIALECTS = ("gpt-neo", "lecture", "unscaled", "inverse", "makemore")


class Microscope(OneTab):
    def result(self) -> Scalar:
        return self.column("line")[-1]

    def linked(self) -> Scalar:
        """What stands in the cell that the link leads to."""
        tab, address = split_tab(self.read("link"))
        return self.values.read(read_address(address, tab))


@cache
def microscope(directory: Path, prompt: str, context: int) -> Microscope:
    model = checkpoint.load(directory)
    room = room_for(model.tokenizer, prompt, context)
    book = compile_book(model, prompt, room, load_words("en"), 2)
    return Microscope(book, calculate(book), "microscope")


def drawn(random: Random, config, n_tokens: int, step: str) -> dict[str, Scalar]:
    """A place that there is."""
    token = random.randint(1, n_tokens)
    inputs: dict[str, Scalar] = {"step": step, "block": random.randrange(config.n_layer)}
    widths = {"attn.c_attn": 3 * config.n_embd}
    widths |= dict.fromkeys(("mlp.c_fc", "mlp.gelu"), config.n_inner)
    column = random.randrange(widths.get(step, config.n_embd))
    if step in TALL:
        token, column = n_tokens, random.randrange(config.n_vocab)
    elif step in SQUARES:
        window = config.window(inputs["block"]) or token
        column = random.randint(max(1, token + 1 - window), token)
    inputs |= {"token": token, "head": random.randrange(config.n_head), "column": column}
    return {key: each if isinstance(each, str) else float(each) for key, each in inputs.items()}


def expect_equal(under: Microscope, inputs: dict[str, Scalar]) -> None:
    under.type(**inputs)
    assert under.read("message") == "", inputs
    wanted = under.linked()
    assert isinstance(wanted, float), inputs
    assert under.result() == pytest.approx(wanted, abs=1e-9 * max(1, abs(wanted))), inputs
    assert under.read("equals") == wanted, inputs
    assert under.errors() == [], inputs


def test_300_numbers_equal_the_cells_that_they_explain(nano):
    under, config = microscope(nano, "Mike is quick. He moves", 12), checkpoint.load(nano).config
    random = Random(1)
    for number in range(300):
        step = list(UNDER_MICROSCOPE)[number % len(UNDER_MICROSCOPE)]
        expect_equal(under, drawn(random, config, 6, step))


@pytest.mark.parametrize("name", DIALECTS)
def test_in_every_dialect(name):
    """Windows, no scale, another scale, heads with a bias, missing biases, other activations."""
    directory = CHECKPOINTS / name
    expected = json.loads((directory / "expected.json").read_text())
    model = checkpoint.load(directory)
    under = microscope(directory, expected["prompt"], len(expected["ids"]) + 2)
    random = Random(2)
    for number in range(4 * len(UNDER_MICROSCOPE)):
        step = list(UNDER_MICROSCOPE)[number % len(UNDER_MICROSCOPE)]
        expect_equal(under, drawn(random, model.config, len(expected["ids"]), step))


WRONG: list[dict[str, Scalar]] = [
    {"step": "attn.c_atn"},
    {"step": "ATTN.C_ATTN"},
    {"step": None},
    {"step": "*"},
    {"step": 3.0},
    {"block": 2.0},
    {"block": -1.0},
    {"block": "one"},
    {"token": 7.0},
    {"token": -1.0},
    {"token": 1e300},
    {"token": True},
    {"column": 48.0},
    {"column": -0.5},
    {"column": "abc"},
    {"step": "attn.scores", "column": 0.0},
    {"step": "attn.scores", "column": 5.0},
    {"step": "attn.weights", "column": 1.0, "head": 99.0},
    {"step": "logits", "token": 1.0},
    {"step": "softmax", "column": 1e6},
    {"step": "ln_f", "column": 1e6, "block": 99.0},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_what_is_not_there_gets_a_sentence(wrong):
    right: dict[str, Scalar] = {"step": "attn.c_attn", "block": 0.0, "token": 0.0}
    under = microscope(PLAIN, "ab c", 6)
    under.type(**{**right, "head": 0.0, "column": 0.0, **wrong})
    assert len(under.read("message")) > 20
    assert under.errors() == []
    assert under.result() == under.read("link") == under.read("difference") == ""


def test_an_empty_cell_counts_as_0_and_a_fraction_as_its_whole_part():
    under = microscope(PLAIN, "ab c", 6)
    under.type(step="mlp.c_fc", block=None, token=None, head=None, column=2.9)
    assert under.read("message") == ""
    assert under.column("typed") == [8, 0, 4, 0, 2]
    assert under.result() == pytest.approx(under.linked(), abs=1e-9)


def test_a_token_behind_a_window_is_not_seen():
    expected = json.loads((CHECKPOINTS / "gpt-neo" / "expected.json").read_text())
    under = microscope(CHECKPOINTS / "gpt-neo", expected["prompt"], len(expected["ids"]) + 2)
    under.type(step="attn.scores", block=1.0, token=5.0, head=0.0, column=2.0)
    assert "that far back" in under.read("message")
    under.type(column=3.0)
    assert under.read("message") == ""
    under.type(block=0.0, column=2.0)
    assert under.read("message") == ""


def test_without_a_token_there_is_nothing_to_look_at(tiny_workbook):
    under = microscope(PLAIN, "ab c", 6)
    (before,) = under.live.read("n_tokens")
    under.live.set(n_tokens=0.0)
    under.type(step="attn.c_attn", block=0.0, token=0.0, head=0.0, column=0.0)
    assert len(under.read("message")) > 20
    assert under.errors() == []
    under.live.set(n_tokens=before)
