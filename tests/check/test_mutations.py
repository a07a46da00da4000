"""A thousand single changes of the tiny workbook: each must be named by where it is.

What is compared is what sheetgpt wrote, so that a change is found whether this prompt shows it or
not. Changes that say the same in other words are in `SAME`; they must pass.
"""

import re
from dataclasses import replace
from itertools import groupby
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
from sheetgpt.check.formulas import Formulas, overlap
from sheetgpt.check.stored import changed_results, recalculated
from sheetgpt.check.written import written
from sheetgpt.formula.cells import read_address, split_tab
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
        parser = Parser(self.workbook.names)
        self.trees = {
            (each.text, each.area.tab): parser.parse(each.text, each.area.tab)
            for each in self.workbook.formulas
        }
        self.formulas = Formulas(self.workbook, parser=self.parser(self.workbook.names))
        self.book = with_trees(self.book, self.formulas)

    def formulas_of(self, workbook):
        its = self.workbook
        if workbook.formulas is its.formulas and workbook.names is its.names:
            return self.formulas
        return Formulas(workbook, parser=self.parser(workbook.names))

    def parser(self, names):
        """One that remembers the trees of formulas that mention none of the names that differ.

        Those mean what they meant before, whatever cells the names stand for now.
        """
        known = self.workbook.names
        differ = [name for name in {**known, **names} if known.get(name) != names.get(name)]
        parser = Parser(names)
        parse = parser.parse

        def remembered(text, tab):
            tree = self.trees.get((text, tab))
            if tree is None or (differ and any(name in text.lower() for name in differ)):
                tree = parse(text, tab)
            return tree

        parser.parse = remembered
        return parser

    def sentences(self, workbook):
        """What `check` says of a changed workbook, but for its values: names come first."""
        model = ModelInFile(self.path, workbook)
        built_from = [each.texts("checks.prompt") for each in (model, self.model)]
        book = self.book
        if model.tokenizer != self.model.tokenizer or built_from[0] != built_from[1]:
            book, _ = written(model)
        found = ()
        if book is not None:
            found = differences(workbook, self.formulas_of(workbook), book, shapes(model.config))
        for where, differing in groupby(found, key=lambda each: each.area is not None):
            if where:
                yield from digests(model)
            yield from (f"{each.name}: {each.sentence}" for each in differing)
        yield from digests(model)


def digests(model):
    return [f"{each.step}: {each.problem}" for each in constants(model) if each.problem]


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


CHANGES = {
    "formulas": lambda o, random: of_formulas(o.workbook, o.book, random, 60),
    "no formulas": lambda o, random: without_formulas(o.workbook, random, 60),
    "names": lambda o, random: of_names(o.workbook, o.book, random),
    "constants": lambda o, random: of_constants(o.workbook, o.book, random, 16),
    "empty cells": lambda o, random: of_empty_cells(o.workbook, o.book, random, 20),
}


def mutations(opened, change):
    return CHANGES[change](opened, Random(SEED))


def is_named(opened, mutation: Mutation, sentence: str) -> bool:
    """By its address or its name; of what has a digest, by the range that it is in."""
    if mutation.named in sentence:
        return True
    if mutation.named == "checks.prompt":  # what was typed has a digest among the properties
        return sentence.startswith("sheetgpt.prompt: ")
    if mutation.tab == "checks" and "is not what it was when the workbook was built" in sentence:
        return True  # a digest, without which its constant is told to be another
    tab, address = split_tab(mutation.named)
    cell, area = read_address(address, tab or ""), opened.workbook.names.get(sentence.split(":")[0])
    if mutation.tab == "vocabulary" and sentence.startswith("bytes.pair: "):
        return True  # with another token there are other pairs of bytes, and a table of them
    said = ("is not what it was when the workbook was built", "is not the model's")
    return (
        cell is not None and area is not None and overlap(cell, area)
        and any(each in sentence for each in said)
    )  # fmt: skip


def test_nothing_is_said_of_the_workbook_itself(opened):
    assert list(opened.sentences(opened.workbook)) == []


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_named(opened, change):
    missed = []
    for mutation in mutations(opened, change):
        first = next(opened.sentences(mutation.workbook), "nothing is said")
        if not is_named(opened, mutation, first):
            missed.append(f"{mutation.kind} at {mutation.named}: {first}")
    assert missed == []


def test_there_are_a_thousand_changes_and_some_on_every_tab(opened):
    tabs = [mutation.tab for change in CHANGES for mutation in mutations(opened, change)]
    assert len(tabs) >= 1000
    assert set(tabs) == {tab.name for tab in opened.book.tabs}


def test_every_changed_result_is_named(opened):
    """Of a file that nobody calculates again; only formulas of its tab can have that result."""
    in_turn, _ = ordered(Formulas(opened.workbook))
    stored = opened.workbook.values
    fresh = recalculated(in_turn, stored)
    assert list(changed_results(in_turn, stored, fresh)) == []
    on_tab = {tab: [each for each in in_turn if each.area.tab == tab] for tab in stored.by_tab}
    missed, count = [], 0
    for mutation in of_results(opened.workbook, Random(SEED), 25):
        count += 1
        found = [each.sentence for each in changed_results(on_tab[mutation.tab], stored, fresh)]
        if len(found) != 1 or not is_named(opened, mutation, found[0]):
            missed.append(f"{mutation.named}: {found}")
    assert missed == [] and count >= 200


# The same in other words: each must pass.
SAME = {
    "a name in capitals": (lambda text: text.replace("n_tokens", "N_TOKENS"), "start"),
    "a name's cell": (lambda text: text.replace("n_tokens", "'prompt to tokens'!$B$5"), "logits"),
    "brackets": (lambda text: f"({text})", "block 0"),
    "spaces": (lambda text: text.replace("+", " + ").replace("(", "( "), "block 0"),
    "a plus sign": (lambda text: "+" + text, "block 0"),
    "fixed references": (lambda text: re.sub(r"\bC(\d+)", r"$C$\1", text), "block 0"),
    "its own tab": (
        lambda text: re.sub(r"(?<![!$\w.])C(\d+):", r"'block 0'!C\1:", text),
        "block 0",
    ),
    "small letters": (lambda text: text.replace("IF(", "if(").replace("MMULT", "mmult"), "block 0"),
    "a prefix": (lambda text: text.replace("IFERROR", "_xlfn.IFERROR"), "checks"),
    "digits": (lambda text: text.replace("0.044715", "4.4715E-2"), "block 0"),
}


@pytest.mark.parametrize("case", SAME)
def test_the_same_in_other_words(opened, case):
    change, tab = SAME[case]
    formulas = [
        replace(each, text=change(each.text)) if each.area.tab == tab else each
        for each in opened.workbook.formulas
    ]
    assert formulas != opened.workbook.formulas
    assert list(opened.sentences(replace(opened.workbook, formulas=formulas))) == []
