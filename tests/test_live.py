"""What is calculated again after typing is all that a whole calculation would change."""

from copy import deepcopy

import numpy as np

from sheetgpt.calculate.environment import Environment
from sheetgpt.calculate.recalculate import Formula, recalculate
from sheetgpt.calculate.units import Units
from sheetgpt.checkpoint import checkpoint
from sheetgpt.steps.tokenize import Room
from tests.places import PLAIN
from tests.prompt_book import PromptBook


def test_it_shows_what_a_whole_calculation_gives():
    tokenizer = checkpoint.load(PLAIN).tokenizer
    book = PromptBook(tokenizer, Room(characters=12, bytes=16, rounds=4, tokens=8))
    formulas = [Formula(each.area, each.tree) for tab in book.book.tabs for each in tab.computed]
    for prompt in ("Mike", "Mika", "😀 a", "", "far too long for it", "the quick"):
        for units in Units:
            book.show(prompt, units)
            whole = deepcopy(book.live.values)
            recalculate(formulas, Environment(whole, units))
            for formula in formulas:
                shown, wanted = book.live.values.read(formula.area), whole.read(formula.area)
                assert np.array_equal(shown, wanted), (prompt, formula.area)
