"""A thousand single changes of the tiny workbook: each must be named by where it is.

What is compared is what sheetgpt wrote, so that a change is found whether this prompt shows it or
not. Changes that say the same in other words are in `SAME`; they must pass.
"""

from collections import Counter
from dataclasses import replace
from functools import cache
from random import Random

import pytest
from mutations import (
    Mutation,
    of_constants,
    of_empty_cells,
    of_formulas,
    of_names,
    of_results,
    without_formulas,
)

from sheetgpt.check.constants import constants
from sheetgpt.check.differences import differences
from sheetgpt.check.engines import ordered
from sheetgpt.check.file import ModelInFile
from sheetgpt.check.formulas import Formulas
from sheetgpt.check.stored import changed_results, recalculated
from sheetgpt.check.written import written
from sheetgpt.formula.skeleton import Parser
from sheetgpt.gpt2.weights import shapes
from sheetgpt.xlsx.read import read

SEED = 20


class Opened:
    """A workbook that was read once, with the book that sheetgpt wrote into it."""

    def __init__(self, path):
        self.path, self.workbook = path, read(path)
        self.model = ModelInFile(path, self.workbook)
        self.book, note = written(self.model)
        assert self.book is not None and not note
        self.parsers = {}
        self.book = with_trees(self.book, Formulas(self.workbook, self.parser(self.workbook.names)))

    def parser(self, names):
        """One for each set of names, which remembers what it has parsed."""
        key = tuple(names.items())
        if key in self.parsers:
            return self.parsers[key]
        remembering = Parser(names)
        remembering.parse = cache(remembering.parse)
        if not self.parsers:  # those of the workbook itself are asked for again and again
            self.parsers[key] = remembering
        return remembering

    def sentences(self, workbook):
        """What `check` says of a changed workbook, but for its values."""
        model = ModelInFile(self.path, workbook)
        for result in constants(model):
            if result.problem:
                yield f"{result.step}: {result.problem}"
        book = self.book
        if (model.tokenizer, model.texts("checks.prompt")) != (
            self.model.tokenizer, self.model.texts("checks.prompt")
        ):  # fmt: skip
            book, _ = written(model)
        if book is not None:
            formulas = Formulas(workbook, self.parser(workbook.names))
            for found in differences(workbook, formulas, book, shapes(model.config)):
                yield f"{found.name}: {found.sentence}"


def with_trees(book, formulas):
    """The book with the very trees that were read, where they are equal: quickly compared."""
    read_ = {(each.area, each.tree): each.tree for each in formulas.all}

    def same(computed):
        return replace(computed, tree=read_.get((computed.area, computed.tree), computed.tree))

    return replace(
        book,
        tabs=[replace(tab, computed=[same(each) for each in tab.computed]) for tab in book.tabs],
    )


@pytest.fixture(scope="module")
def opened(tiny_workbook):
    return Opened(tiny_workbook)


def all_mutations(opened):
    workbook, book, random = opened.workbook, opened.book, Random(SEED)
    yield from of_formulas(workbook, book, random, 60)
    yield from without_formulas(workbook, random, 60)
    yield from of_names(workbook, book, random)
    yield from of_constants(workbook, book, random, 16)
    yield from of_empty_cells(workbook, book, random, 20)


def is_named(mutation: Mutation, sentence: str) -> bool:
    return mutation.named in sentence


def test_nothing_is_said_of_the_workbook_itself(opened):
    assert list(opened.sentences(opened.workbook)) == []


def test_every_change_is_named(opened):
    counts, missed, tabs = Counter(), [], set()
    for mutation in all_mutations(opened):
        counts[mutation.kind] += 1
        tabs.add(mutation.tab)
        first = next(opened.sentences(mutation.workbook), "nothing is said")
        if not is_named(mutation, first):
            missed.append(f"{mutation.kind} at {mutation.named}: {first}")
    assert missed == []
    assert counts.total() >= 1000, counts
    assert tabs == {tab.name for tab in opened.book.tabs}


def test_every_changed_result_is_named(opened):
    """Of a file that nobody calculates again."""
    in_turn, _ = ordered(Formulas(opened.workbook))
    fresh = recalculated(in_turn, opened.workbook.values)
    assert list(changed_results(in_turn, opened.workbook.values, fresh)) == []
    missed, count = [], 0
    for mutation in of_results(opened.workbook, Random(SEED), 25):
        count += 1
        found = [each.sentence for each in changed_results(in_turn, opened.workbook.values, fresh)]
        if len(found) != 1 or not is_named(mutation, found[0]):
            missed.append(f"{mutation.named}: {found}")
    assert missed == [] and count >= 200
