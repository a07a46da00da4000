"""The list of steps: what it says of them is how they are laid out."""

import pytest

from sheetgpt.book.compile import compile_book
from sheetgpt.book.extras import extras_of
from sheetgpt.book.prompt import room_for, splitting_of
from sheetgpt.book.records import listed, model_steps
from sheetgpt.book.words import load_words
from sheetgpt.checkpoint import checkpoint
from sheetgpt.gpt2.reference import step_names


@pytest.fixture(scope="module", params=[True, False], ids=["all", "no extras"])
def compiled(request, nano):
    model = checkpoint.load(nano)
    room = room_for(model.tokenizer, "a b", 8, 8)
    extras = extras_of({}, otherwise=request.param)
    return model, room, compile_book(model, "a b", room, load_words("en"), extras=extras), extras


def test_every_step_stands_where_its_record_says(compiled):
    _, _, book, _ = compiled
    for step in book.steps:
        area = book.names[step.name]
        assert (area.tab, area.shape) == (step.tab, step.shape), step.name
        assert step.formulas, step.name
        assert all(area.has(each.area.top, each.area.left) for each in step.formulas)


def test_whatever_has_a_name_and_a_formula_is_listed(compiled):
    """But for what only `checks` counts and the formulas of tokens that are labels elsewhere."""
    _, _, book, _ = compiled
    places = {(e.area.tab, e.area.top, e.area.left) for t in book.tabs for e in t.computed}
    named = {n for n, a in book.names.items() if (a.tab, a.top, a.left) in places}
    assert named == {step.name for step in book.steps}


def test_the_witness_has_the_same_steps(compiled):
    model, room, book, _ = compiled
    names = [step.name for step in model_steps(model.config, room.tokens)]
    assert names == step_names(model.config)
    assert set(names) <= {step.name for step in book.steps}


def test_the_list_needs_no_book(compiled):
    model, room, book, extras = compiled
    every = listed(model.config, room, splitting_of(model.tokenizer), extras)
    names = [step.name for step in every]
    assert names == [step.name for step in book.steps]
    assert len(names) == len(set(names))
