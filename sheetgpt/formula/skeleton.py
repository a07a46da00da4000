"""Parsing many formulas that are filled down: each skeleton is parsed once.

The skeleton of a formula is its text without its addresses.  Formulas of one step share theirs,
so that only the first is parsed; the others are its tree with their own addresses in it.
"""

import re
from collections.abc import Iterator, Mapping

from sheetgpt.formula.cells import Area, read_address, split_tab
from sheetgpt.formula.expr import Call, Expr, Range
from sheetgpt.formula.parse import parse

_ADDRESS = re.compile(
    r"""(?<![\w.$\\!':])
    (?: '(?:[^']|'')+'! | [^\W\d][\w.]*! )?
    \$?[A-Za-z]{1,3}\$?[0-9]{1,7} (?: :\$?[A-Za-z]{1,3}\$?[0-9]{1,7} )?
    (?![\w.(!:\\$])""",
    re.VERBOSE,
)
_HOLE = "\0"


class Parser:
    """Gives the trees of formulas; `names` are those of `parse`."""

    def __init__(self, names: Mapping[str, Area]) -> None:
        self._names = names
        # Of each skeleton, for the shapes of its addresses, the tree of the first such formula.
        self._first: dict[tuple[str, tuple[tuple[int, int], ...]], Expr] = {}

    def parse(self, formula: str, tab: str) -> Expr:
        """What `parse` gives; raises WorkbookError as it does."""
        if '"' in formula.replace('""', ""):  # a text may hold what looks like an address
            return parse(formula, tab, self._names)
        areas = [_area(address, tab) for address in _ADDRESS.findall(formula)]
        if None in areas:
            return parse(formula, tab, self._names)
        key = _ADDRESS.sub(_HOLE, formula), tuple([area.shape for area in areas if area])
        first = self._first.get(key)
        if first is None:
            first = self._first[key] = parse(formula, tab, self._names)
            return first
        return _refilled(first, iter(areas))


def _area(address: str, tab: str) -> Area | None:
    where, cells = split_tab(address)
    return read_address(cells, where or tab)


def _refilled(tree: Expr, areas: Iterator[Area | None]) -> Expr:
    """The tree with these areas in the place of those that have no name, in the order of text."""
    if isinstance(tree, Range):
        return tree if tree.name is not None else Range(next(areas))  # type: ignore[arg-type]
    if not isinstance(tree, Call):
        return tree
    return tree.on(tuple([_refilled(argument, areas) for argument in tree.arguments]))
