"""Where cells are: A1 addresses, rectangles of cells, and the names a workbook may define.

Rows and columns count from 1, as a spreadsheet shows them.  Limits and name rules:
ECMA-376 Part 1, 18.17.2 (formulas), and Microsoft's specification limits for Excel 2013.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

LAST_ROW = 1_048_576
LAST_COLUMN = 16_384  # XFD

_PLAIN_TAB = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_NAME = re.compile(r"[A-Za-z_\\][A-Za-z0-9_.\\]{0,254}\Z")
_A1_CELL = re.compile(r"[A-Za-z]{1,3}[0-9]+\Z")
_R1C1_CELL = re.compile(r"(R[0-9]*)?(C[0-9]*)?\Z", re.IGNORECASE)
_REFERENCE = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]+)(?::\$?([A-Za-z]{1,3})\$?([0-9]+))?\Z")


@lru_cache(maxsize=LAST_COLUMN)
def column_letters(column: int) -> str:
    """The letters of a column: 1 is A, 26 Z, 27 AA, 16384 XFD."""
    letters = ""
    while column:
        column, digit = divmod(column - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters


@lru_cache(maxsize=32768)
def column_number(letters: str) -> int:
    """The number of a column: A is 1, XFD is 16384."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


# Of the sides top, left, bottom, right of a range: whether each stays where it is when its formula
# is filled down or to the right, and so is written with a $.
Fixed = tuple[bool, bool, bool, bool]
MOVES: Fixed = (False, False, False, False)
STAYS: Fixed = (True, True, True, True)
BEGINS: Fixed = (True, False, False, False)  # always at one row, and ends further down each time
_SIGNS = {
    fixed: tuple("$" if side else "" for side in fixed)
    for fixed in product((False, True), repeat=4)
}


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of cells on one tab; all four sides belong to it."""

    tab: str
    top: int
    left: int
    bottom: int
    right: int

    def __post_init__(self) -> None:
        if not (1 <= self.top <= self.bottom <= LAST_ROW):
            raise ValueError(f"rows {self.top} to {self.bottom} of '{self.tab}' are not on a sheet")
        if not (1 <= self.left <= self.right <= LAST_COLUMN):
            raise ValueError(
                f"columns {self.left} to {self.right} of '{self.tab}' are not on a sheet"
            )

    @property
    def shape(self) -> tuple[int, int]:
        return self.bottom - self.top + 1, self.right - self.left + 1

    @property
    def slices(self) -> tuple[slice, slice]:
        """Where the cells are in an array that begins with A1: its rows, its columns."""
        return slice(self.top - 1, self.bottom), slice(self.left - 1, self.right)

    @property
    def address(self) -> str:
        """The address on its own tab: `C5`, or `C5:F9`."""
        return self.spelled(MOVES)

    @property
    def absolute(self) -> str:
        """The address as a defined name wants it: `'block 0'!$C$5:$F$9`."""
        return f"{quoted(self.tab)}!{self.spelled(STAYS)}"

    def spelled(self, fixed: Fixed) -> str:
        """The address on its own tab, with a $ before each side that is fixed: `C$5:F9`."""
        top, left, bottom, right = _SIGNS[fixed]
        first = f"{left}{column_letters(self.left)}{top}{self.top}"
        if self.top == self.bottom and self.left == self.right and (top, left) == (bottom, right):
            return first
        return f"{first}:{right}{column_letters(self.right)}{bottom}{self.bottom}"

    def __str__(self) -> str:
        return f"{quoted(self.tab)}!{self.address}"

    def has(self, row: int, column: int) -> bool:
        """Whether a cell, counted as on the sheet, is one of the area's."""
        return self.top <= row <= self.bottom and self.left <= column <= self.right

    def row(self, index: int) -> "Area":
        """Row `index` of the area, counted from 0."""
        return Area(self.tab, self.top + index, self.left, self.top + index, self.right)

    def rows(self, start: int, stop: int) -> "Area":
        """Rows `start` to `stop - 1`, counted from 0."""
        return Area(self.tab, self.top + start, self.left, self.top + stop - 1, self.right)

    def columns(self, start: int, stop: int) -> "Area":
        """Columns `start` to `stop - 1`, counted from 0."""
        return Area(self.tab, self.top, self.left + start, self.bottom, self.left + stop - 1)

    def cell(self, row: int, column: int) -> "Area":
        """One cell, counted from 0 within the area."""
        return self.row(row).columns(column, column + 1)


@lru_cache(maxsize=4096)
def quoted(tab: str) -> str:
    """A tab's name as formulas write it, in apostrophes where it needs them."""
    plain = _PLAIN_TAB.match(tab) and is_legal_name(tab)
    return tab if plain else "'" + tab.replace("'", "''") + "'"


@lru_cache(maxsize=65536)
def read_address(text: str, tab: str) -> Area | None:
    """The area of an A1 address such as `C5` or `$C$5:$F$9` on `tab`; None if it is no address.

    Filled formulas name the same cells again and again, so what was read is kept.
    """
    match = _REFERENCE.match(text)
    if not match:
        return None
    left, top, right, bottom = match.groups()
    columns = sorted(column_number(letters) for letters in (left, right or left))
    rows = sorted(int(digits) for digits in (top, bottom or top))
    if rows[0] < 1 or rows[1] > LAST_ROW or columns[1] > LAST_COLUMN:
        return None
    return Area(tab, rows[0], columns[0], rows[1], columns[1])


def fixed_sides(text: str) -> Fixed:
    """Which sides of an address are written with a $."""
    first, _, last = text.partition(":")
    last = last or first
    return "$" in first[1:], first[0] == "$", "$" in last[1:], last[0] == "$"


@lru_cache(maxsize=4096)
def split_tab(text: str) -> tuple[str | None, str]:
    """A reference as its tab and its address: `'block 0'!A1`, or with None `A1`."""
    tab, mark, address = text.rpartition("!")
    if not mark:
        return None, text
    return (tab[1:-1].replace("''", "'") if tab.startswith("'") else tab), address


def is_legal_name(name: str) -> bool:
    """Whether Excel accepts a defined name: LibreOffice accepts more, such as `GPT2` or `R1C1`."""
    if not _NAME.match(name) or _R1C1_CELL.match(name):
        return False
    return not (_A1_CELL.match(name) and read_address(name, "") is not None)
