"""Parsing many formulas that are filled down: each skeleton is parsed once.

The skeleton of a formula is its text without its addresses.  Formulas of one step share theirs,
so that only the first is parsed; the others are its tree with their own addresses in it.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from sheetgpt.formula.cells import Area, fixed_sides, read_address, split_tab
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
        ranges = [_range(address, tab) for address in _ADDRESS.findall(formula)]
        known = [each for each in ranges if each is not None]
        if len(known) < len(ranges):
            return parse(formula, tab, self._names)
        key = _ADDRESS.sub(_HOLE, formula), tuple([each.area.shape for each in known])
        first = self._first.get(key)
        if first is None:
            first = self._first[key] = parse(formula, tab, self._names)
            return first
        return _refilled(first, iter(known))


@lru_cache(maxsize=65536)
def _range(address: str, tab: str) -> Range | None:
    where, cells = split_tab(address)
    area = read_address(cells, where or tab)
    return None if area is None else Range(area, fixed=fixed_sides(cells))


def _refilled(tree: Expr, ranges: Iterator[Range]) -> Expr:
    """The tree with these ranges in the place of those that have no name, in the order of text."""
    if isinstance(tree, Range):
        return tree if tree.name is not None else next(ranges)
    if not isinstance(tree, Call):
        return tree
    return tree.on(tuple([_refilled(argument, ranges) for argument in tree.arguments]))
