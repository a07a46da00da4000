"""Where a file differs from the book that sheetgpt wrote into it.

What a person may change is left out: inputs, and cells that no formula of ours reads. So are
weights and what the witness said, which their digests hold. Formulas are compared as trees, for
every program spells them in its own way.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sheetgpt.book import book as books
from sheetgpt.book.book import Blank, Book, Computed, Numbers, Tab, Texts
from sheetgpt.book.looks import LOOKS
from sheetgpt.calculate.recalculate import Formula, reads
from sheetgpt.calculate.values import EMPTY, Error, Scalar, Sheets
from sheetgpt.check.formulas import Formulas, overlap
from sheetgpt.check.written import UNKNOWN
from sheetgpt.errors import WorkbookError
from sheetgpt.formula import excel
from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import Call, Expr, Number, Range, Text
from sheetgpt.formula.parse import parse
from sheetgpt.xlsx.read import Workbook

# What is not known when the book is compiled again, but has a digest in the file.
FROM_THE_WITNESS = (
    "checks.built", "checks.tolerance", "checks.digest",
    "switches.token", "switches.probability", "switches.ahead", "switches.effect",
)  # fmt: skip
Constant = books.Text | Texts | Numbers
SHOWN = 60  # characters of a formula around the place where it differs


@dataclass(frozen=True)
class Difference:
    """area: the cells that differ; None for a name or a property. name: the defined name."""

    area: Area | None
    name: str
    sentence: str


def differences(
    workbook: Workbook, formulas: Formulas, book: Book, weights: Iterable[str]
) -> Iterator[Difference]:
    """Every difference: first of properties and names, then tab by tab of formulas and constants.

    weights: the names of the tensors.
    """
    yield from _properties(workbook, book)
    yield from _names(workbook, book)
    apart = {book.names[name] for name in (*weights, *FROM_THE_WITNESS) if name in book.names}
    found: dict[str, list[Formula]] = {}
    for formula in formulas.all:
        found.setdefault(formula.area.tab, []).append(formula)
    for tab in book.tabs:
        if tab.name not in workbook.values.by_tab:
            corner = Area(tab.name, 1, 1, 1, 1)
            yield Difference(corner, "", f"there is no tab '{tab.name}', which sheetgpt wrote")
            continue
        unreadable = [each for each in formulas.unreadable if each[0].tab == tab.name]
        for area, sentence in unreadable:
            yield Difference(area, "", sentence)
        known = {(area.top, area.left) for area, _ in unreadable}
        yield from _formulas(tab, found.get(tab.name, []), known, workbook.values)
        yield from _rules(tab, workbook)
        yield from _constants(tab, workbook.values, apart)
    yield from _intruders(workbook.values, book)


def _properties(workbook: Workbook, book: Book) -> Iterator[Difference]:
    for name, text in book.properties.items():
        said = workbook.properties.get(name)
        if said != text and not name.endswith(".words"):
            yield Difference(
                None, name, f"the document property {name} says {said}, sheetgpt wrote {text}"
            )


def _names(workbook: Workbook, book: Book) -> Iterator[Difference]:
    for name, wanted in book.names.items():
        found, odd = workbook.names.get(name.lower()), workbook.odd_names.get(name.lower())
        if odd:
            sentence = f"the defined name {name} {odd}, sheetgpt wrote {wanted.absolute}"
        elif found is None:
            sentence = f"the defined name {name} is missing"
        elif found != wanted:
            sentence = f"the defined name {name} is {found.absolute}, sheetgpt wrote " + (
                wanted.absolute
            )
        else:
            continue
        yield Difference(None, name, sentence)


# --- formulas ------------------------------------------------------------------------------------


def _formulas(
    tab: Tab, found: list[Formula], unreadable: set[tuple[int, int]], values: Sheets
) -> Iterator[Difference]:
    wanted = {(each.area.top, each.area.left): each for each in tab.computed}
    for formula in found:
        its = wanted.pop((formula.area.top, formula.area.left), None)
        if its is None:
            other = _in_its_way(tab, formula.area)
            if other is not None:
                sentence = f"{formula.area} holds a formula, where sheetgpt wrote {other}"
                yield Difference(formula.area, "", sentence)
        else:
            sentence = _unlike(formula, its)
            if sentence:
                yield Difference(formula.area, "", sentence)
    for place, its in wanted.items():
        if place not in unreadable:
            cell = its.area.cell(0, 0)
            text = _cut(excel.text(its.tree, tab.name), 0)
            sentence = f"{cell}: a value stands where a formula should be: {_said(values, cell)}"
            yield Difference(cell, "", f"{sentence}, sheetgpt wrote ={text}")


def _rules(tab: Tab, workbook: Workbook) -> Iterator[Difference]:
    """Conditional formats that are missing; a rule moves over its cells, so that its $ count."""
    found: set[tuple[str, str]] = set()
    for rule in workbook.rules:
        if rule.tab == tab.name:
            with suppress(WorkbookError):  # a rule of somebody else may use any function
                text = excel.text(parse(rule.text, tab.name, workbook.names), tab.name)
                found |= {(address, text) for address in rule.addresses.split()}
    for wanted in tab.rules:
        text = excel.text(wanted.condition, tab.name)
        if (wanted.area.address, text) not in found:
            sentence = (
                f"{wanted.area} has no conditional format ={_cut(text, 0)}, as sheetgpt wrote"
            )
            yield Difference(wanted.area, "", sentence)


def _in_its_way(tab: Tab, area: Area) -> str | None:
    """What sheetgpt wrote where a formula of somebody else stands, if anything but an input."""
    for computed in tab.computed:
        if overlap(computed.area, area):
            return f"the formula that fills {computed.area.address}"
    constants: list[Constant] = [*tab.texts, *tab.lists, *tab.numbers]
    for constant in constants:
        if overlap(constant.area, area) and not LOOKS[constant.look].input:
            return f"the constants in {constant.area.address}"
    return None


def _unlike(found: Formula, wanted: Computed) -> str:
    """What differs of a formula, in a sentence; nothing where it is the same."""
    if found.area != wanted.area:
        return f"the formula in {found.area} should fill {wanted.area.address}"
    if found.array != wanted.array:
        kind = "an array formula" if wanted.array else "no array formula"
        return f"the formula in {found.area} should be {kind}"
    if _same(found.tree, wanted.tree):
        return ""
    ours, theirs = (excel.text(each.tree, found.area.tab) for each in (wanted, found))
    place = next(
        (i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b),
        min(len(ours), len(theirs)),
    )
    return f"{found.area} says ={_cut(theirs, place)}, sheetgpt wrote ={_cut(ours, place)}"


def _cut(text: str, place: int) -> str:
    """A text around a place in it, with … for what is left out."""
    start, stop = max(0, place - SHOWN // 2), place + SHOWN // 2
    start = 0 if start < 10 else start
    return ("…" if start else "") + text[start:stop] + ("…" if stop < len(text) else "")


def _same(found: Expr, wanted: Expr) -> bool:
    """Whether two trees compute the same; a name is as good as the cells that it stands for."""
    if found is wanted:
        return True
    if type(found) is not type(wanted):
        return _is_unknown(wanted)
    if isinstance(wanted, Call):
        assert isinstance(found, Call)
        if found.op == wanted.op and len(found.arguments) == len(wanted.arguments):
            for each, other in zip(found.arguments, wanted.arguments, strict=True):
                if not _same(each, other):
                    return _is_unknown(wanted)
            return True
    elif isinstance(wanted, Range):
        assert isinstance(found, Range)
        if found.name is None or wanted.name is None:
            return found.area == wanted.area
        return found.name.lower() == wanted.name.lower()
    elif isinstance(wanted, Number):
        assert isinstance(found, Number)
        return _same_number(found.value, wanted.value)
    return found == wanted or _is_unknown(wanted)


def _is_unknown(tree: Expr) -> bool:
    """Whether it is words that are put together in a way that only their template knows."""
    if isinstance(tree, Call) and tree.op == "&":
        return any(map(_is_unknown, tree.arguments))
    return isinstance(tree, Text) and UNKNOWN in tree.value


def _same_number(a: float, b: float) -> bool:
    return a == b or f"{a:.15g}" == f"{b:.15g}"


# --- constants -----------------------------------------------------------------------------------


def _constants(tab: Tab, values: Sheets, apart: set[Area]) -> Iterator[Difference]:
    """Labels and numbers; `apart` are areas that are not compared."""
    for text in tab.texts:
        if not LOOKS[text.look].input and text.area not in apart:
            yield from _constant(values, text.area, text.value)
    for listed in tab.lists:
        if listed.area not in apart:
            for index, value in enumerate(listed.values):
                yield from _constant(values, listed.area.row(index), value)
    for numbers in tab.numbers:
        if not LOOKS[numbers.look].input and numbers.area not in apart:
            yield from _numbers(values, numbers.area, np.asarray(numbers.values, dtype=np.float64))


def _constant(values: Sheets, cell: Area, wanted: str | float) -> Iterator[Difference]:
    found = values.by_tab[cell.tab].cell(cell.top, cell.left)
    if found == wanted and type(found) is not bool:
        return
    if isinstance(wanted, str):
        if UNKNOWN in wanted or (found is None and not wanted):
            return
    elif isinstance(found, float) and _same_number(found, wanted):
        return
    yield Difference(cell, "", f"{cell} says {_shown(found)}, sheetgpt wrote {_shown(wanted)}")


def _numbers(values: Sheets, area: Area, wanted: NDArray[np.float64]) -> Iterator[Difference]:
    found = values.read(area)
    if isinstance(found, np.ndarray) and found.dtype == np.float64 and (found == wanted).all():
        return
    for place, number in np.ndenumerate(wanted):
        differing = list(_constant(values, area.cell(*place), float(number)))
        if differing:
            yield differing[0]
            return


def _said(values: Sheets, cell: Area) -> str:
    return _shown(values.by_tab[cell.tab].cell(cell.top, cell.left))


def _shown(value: Scalar) -> str:
    if value is None or value == "":
        return "nothing"
    if isinstance(value, Error):
        return value.value
    text = f"“{value}”" if isinstance(value, str) else str(value)
    return text if len(text) <= 2 * SHOWN else f"{text[: 2 * SHOWN]}…"


def _intruders(values: Sheets, book: Book) -> Iterator[Difference]:
    """Values in cells that formulas read and that sheetgpt left empty."""
    are_read = {
        tab.name: np.zeros(values.by_tab[tab.name].kinds.shape, dtype=bool)
        for tab in book.tabs
        if tab.computed and tab.name in values.by_tab
    }
    for area in (area for tab in book.tabs for each in tab.computed for area in reads(each.tree)):
        if area.tab in are_read:
            are_read[area.tab][area.slices] = True
    for tab in book.tabs:
        if tab.name not in are_read:
            continue
        sheet, is_read = values.by_tab[tab.name], are_read[tab.name]
        items: list[Constant | Computed | Blank] = [
            *tab.computed, *tab.texts, *tab.lists, *tab.numbers, *tab.blanks
        ]  # fmt: skip
        for item in items:
            is_read[item.area.slices] = False
        for row, column in np.argwhere(is_read & (sheet.kinds != EMPTY)).tolist():
            cell = Area(tab.name, row + 1, column + 1, row + 1, column + 1)
            sentence = f"{cell} says {_said(values, cell)}, where sheetgpt left an empty cell"
            yield Difference(cell, "", sentence)
