"""One name everywhere: checkpoint, workbook, template and witness speak of the same steps."""

import re

import pytest

from sheetgpt.book.words import languages, load_words
from sheetgpt.checkpoint import checkpoint
from sheetgpt.gpt2 import reference
from sheetgpt.steps.block import SIXTEEN
from sheetgpt.xlsx.read import read

# What the table of characters is called where these are tokens, or the letters of whole words.
OF_CHARACTERS = {"letters": "characters", "words": "characters"}


def normal(name: str) -> str:
    """The name as templates have it: the same words for every block and every round."""
    return re.sub(r"^h\.\d+\.", "h.b.", re.sub(r"^round_\d+", "round", name))


@pytest.fixture(scope="module")
def traced(request: pytest.FixtureRequest) -> set[str]:
    """The names of the witness's steps."""
    return set(reference.step_names(checkpoint.load(request.getfixturevalue("nano")).config))


def test_the_sixteen_steps_are_those_of_the_witness():
    assert [name for names in SIXTEEN for name in names] == list(reference.BLOCK_STEPS)


@pytest.mark.parametrize("language", languages())
def test_every_step_of_the_witness_has_its_words_and_its_cells(language, traced, tiny_workbook):
    words = load_words(language)
    assert {normal(name) for name in traced} <= set(words.steps)
    in_workbook = {normal(name) for name in read(tiny_workbook).names}
    assert {normal(name) for name in traced} <= in_workbook


@pytest.mark.parametrize("language", languages())
def test_all_words_are_about_something(language, traced, tiny_workbook):
    """A key of a template is a step, or the beginning of the names of a table's columns."""
    book = read(tiny_workbook)
    names = {normal(name) for name in book.names}
    tables = {name.rpartition(".")[0] for name in names}
    for key in load_words(language).steps:
        kind, _, rest = key.partition(".")
        known = {
            "prompt": {OF_CHARACTERS.get(rest, rest)},
            "predicted": {key, rest, f"{rest}s"},
            "activation": {"h.b.mlp.gelu"},
        }.get(kind, {key})
        assert known & (names | tables), key
    tabs = {re.sub(r" \d+$", "", tab) if tab != "weights f" else tab for tab in book.values.by_tab}
    assert tabs <= set(load_words(language).tabs)
    # Another block than the first; an untied head; a vocabulary of characters or words.
    others = {"later block", "lm_head", "lookup"}
    assert set(load_words(language).tabs) - tabs == others
