"""What the witness says of the tokens of a calculated book, written into its tab `checks`."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sheetgpt.book.book import Book, Tab
from sheetgpt.book.calculate import as_stored
from sheetgpt.book.data import digest
from sheetgpt.book.trace import fingerprint, laid_out, tolerance
from sheetgpt.calculate.environment import Environment
from sheetgpt.calculate.numerals import Float32Numerals
from sheetgpt.calculate.recalculate import Formula, recalculate
from sheetgpt.calculate.values import NUMBER, Sheets
from sheetgpt.formula.cells import Area
from sheetgpt.gpt2 import reference
from sheetgpt.gpt2.config import Config
from sheetgpt.gpt2.weights import shapes

Floats = NDArray[np.float64]

TABS = ("checks", "start")  # those that show what is filled in here


class _Learned(Mapping[str, Any]):
    """The weights as a spreadsheet reads them, each fetched when it is asked for."""

    def __init__(self, book: Book, values: Sheets, config: Config) -> None:
        self._book, self._values, self._shapes = book, values, shapes(config)

    def __getitem__(self, name: str) -> Any:
        weight = self._values.factor(self._book.names[name])
        if isinstance(weight, Float32Numerals):
            return weight
        return np.asarray(weight).reshape(self._shapes[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._shapes)

    def __len__(self) -> int:
        return len(self._shapes)


def witnessed(book: Book, values: Sheets, config: Config) -> Book:
    """The book with the witness's fingerprint of every step, and how far each may be off.

    values: the calculated sheets; they say which tokens the witness is to read, and show what
        it has said when this returns.
    """
    found = np.array(list(_fingerprints(book, values, config)))
    constants = {"checks.built": found[:, :1], "checks.tolerance": found[:, 1:]}
    for name, column in constants.items():
        values.write(book.names[name], column)
    tabs = [_filled(tab, book.names, constants) for tab in book.tabs]
    cells = [each for tab in tabs if tab.name in TABS for each in tab.computed]
    formulas = [Formula(each.area, each.tree, each.array) for each in cells]
    recalculate(formulas, Environment(values), kept=as_stored)
    return replace(book, tabs=tabs)


def _fingerprints(book: Book, values: Sheets, config: Config) -> Iterator[tuple[float, float]]:
    """Of every step its fingerprint and its tolerance, from what the witness computes."""
    tokens = book.names["tokens.id"]
    kinds, ids = values.cells(tokens)
    trace = reference.forward(
        config, _Learned(book, values, config), ids[kinds == NUMBER].astype(int).tolist()
    )
    last = int(values.cells(book.names["n_tokens"])[1][0, 0]) - 1  # of the prompt
    trace["predicted.id"] = trace["predicted.id"][last : last + 1]
    for name in reference.step_names(config):
        shown = laid_out(name, trace[name], tokens.shape[0], last)
        yield fingerprint(name, shown), tolerance(shown)


def _filled(tab: Tab, names: Mapping[str, Area], constants: Mapping[str, Floats]) -> Tab:
    """The tab with these constants, and with the digests by which a change would be noticed."""
    new = {names[name]: column for name, column in constants.items()}
    digests = {name: digest(column) for name, column in constants.items()}
    listed = next((t.values for t in tab.lists if t.area == names["checks.constant"]), ())
    return replace(
        tab,
        numbers=[replace(each, values=new.get(each.area, each.values)) for each in tab.numbers],
        lists=[
            replace(
                each,
                values=[
                    digests.get(name, old) for name, old in zip(listed, each.values, strict=True)
                ],
            )
            if each.area == names["checks.fingerprint"]
            else each
            for each in tab.lists
        ],
    )
