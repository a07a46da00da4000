"""The rows of a sheet as XML, streamed: SpreadsheetML, ECMA-376 Part 1 section 18.3.1.

Every cell of every tab goes through here; runs of numbers go through one template each, since a
workbook is made of little else.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol
from xml.sax.saxutils import escape

import orjson
from numpy.typing import NDArray

from sheetgpt.book.book import Blank, Computed, Tab, Text, Texts
from sheetgpt.calculate.numerals import written
from sheetgpt.calculate.values import BLANK, NUMBER, Error, Scalar, Sheet
from sheetgpt.formula import excel
from sheetgpt.formula.cells import Area, column_letters
from sheetgpt.xlsx.numbers import CELLS, END, LARGE, Block, NumberSpan, number_cells, template

_ESCAPE_LIKE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")  # what XML 1.0 cannot hold as it is


def sheet_rows(
    tab: Tab,
    sheet: Sheet,
    styles: Mapping[str, int],
    addresses: bool = True,
    looks: bool = True,
) -> Iterator[bytes | Block]:
    """The `<row>` elements of a tab, from top to bottom, with the values of its formulas.

    Many rows of many numbers come as a block, for whoever makes text of them elsewhere.

    addresses: whether every cell says where it stands. Without, on a tab without formulas, numbers
        that follow a number do not, and stand one column after it ([MS-OI29500] 2.1.590): a
        third smaller and faster.
    looks: whether these numbers have a look of their own, which costs a fiftieth of their size.
    """
    addresses = addresses or bool(tab.computed)
    spans = sorted(_spans(tab, sheet, styles, addresses, looks), key=lambda span: span.area.top)
    active: list[_Span] = []
    coming = iter(spans)
    following = next(coming, None)
    levels = Counter(row for first, last in tab.row_groups for row in range(first, last + 1))

    def starts(row: int) -> bytes:
        height = tab.heights.get(row)
        size = f' ht="{height:g}" customHeight="1"' if height else ""
        size += f' outlineLevel="{levels[row]}"' if row in levels else ""
        return f'<row r="{row}"{size}>'.encode()

    bottom, row = tab.extent[0], 0
    while (row := row + 1) <= bottom:
        while following is not None and following.area.top == row:
            active.append(following)
            following = next(coming, None)
        if not active:
            continue
        active.sort(key=lambda span: span.area.left)
        last = min(
            *(span.area.bottom for span in active), following.area.top - 1 if following else bottom
        )
        block = _block(active, row, last, starts)
        if block is not None:
            yield block
            row += len(block.starts) - 1
        else:
            rows = range(row, last + 1)
            cells = zip(map(starts, rows), *(map(span.row, rows) for span in active), strict=True)
            for each in cells:
                yield b"".join(each) + END
            row = last
        active = [span for span in active if span.area.bottom > row]


class _Span(Protocol):
    """Cells that stand together: their area, and the XML of one of its rows."""

    @property
    def area(self) -> Area: ...

    def row(self, row: int) -> bytes: ...


def _block(
    active: Sequence[_Span], top: int, bottom: int, start: Callable[[int], bytes]
) -> Block | None:
    """The next rows as a block, if they are a part of one large matrix and little else."""
    matrices = [span for span in active if isinstance(span, NumberSpan)]
    if len(matrices) != 1 or matrices[0].values.size < LARGE:
        return None
    (matrix,) = matrices
    place = active.index(matrix)
    rows = range(top, min(bottom, top + max(1, CELLS // matrix.values.shape[1]) - 1) + 1)
    return Block(
        matrix.rows(rows[0], rows[-1]),
        [start(row) + b"".join(span.row(row) for span in active[:place]) for row in rows],
        [b"".join(span.row(row) for span in active[place + 1 :]) + END for row in rows],
    )


def _spans(
    tab: Tab, sheet: Sheet, styles: Mapping[str, int], addresses: bool, looks: bool
) -> Iterator[_Span]:
    texts: list[Text | Texts] = [*tab.texts, *tab.lists]
    for item in texts:
        yield _TextSpan(item, styles[item.look])
    for numbers in tab.numbers:
        area, values, style = numbers.area, numbers.values, styles[numbers.look]
        if area.left == area.right:
            yield _ColumnSpan(area, values, style)
        else:
            yield NumberSpan(area, values, style if addresses or looks else None, addresses)
    for blank in tab.blanks:
        yield _BlankSpan(blank, styles[blank.look])
    for computed in tab.computed:
        yield from _computed_spans(computed, sheet, styles[computed.look])


def _computed_spans(computed: Computed, sheet: Sheet, style: int) -> Iterator[_Span]:
    """The first row, with the formula; the rows below it, unless their token is missing."""
    area = computed.area
    yield _ComputedSpan(computed, replace(area, bottom=area.top), sheet, style)
    if area.top == area.bottom:
        return
    below = replace(area, top=area.top + 1)
    if area.left == area.right and (sheet.kinds[below.slices] == NUMBER).all():
        yield _ColumnSpan(below, sheet.numbers[below.slices], style)
    elif (sheet.kinds[below.slices] != BLANK).any():
        yield _ComputedSpan(computed, below, sheet, style)


@dataclass(frozen=True)
class _TextSpan:
    item: Text | Texts
    style: int

    @property
    def area(self) -> Area:
        return self.item.area

    @cached_property
    def _column(self) -> str:
        return column_letters(self.area.left)

    @cached_property
    def _values(self) -> Sequence[str | float]:
        return [self.item.value] if isinstance(self.item, Text) else self.item.values

    def row(self, row: int) -> bytes:
        at, value = f"{self._column}{row}", self._values[row - self.area.top]
        if isinstance(value, str):
            return _text_cell(at, self.style, value)
        return _cell(at, self.style, float(value))


@dataclass(frozen=True)
class _ColumnSpan:
    """One number in each row, made text all together."""

    area: Area
    values: NDArray[Any]
    style: int

    @cached_property
    def _texts(self) -> list[bytes]:
        return written(self.values).split(b",")

    @cached_property
    def _start(self) -> bytes:
        return f'<c r="{column_letters(self.area.left)}'.encode()

    def row(self, row: int) -> bytes:
        text = self._texts[row - self.area.top]
        return b'%b%d" s="%d"><v>%b</v></c>' % (self._start, row, self.style, text)


@dataclass(frozen=True)
class _BlankSpan:
    blank: Blank
    style: int

    @property
    def area(self) -> Area:
        return self.blank.area

    def row(self, row: int) -> bytes:
        cells = template(self.area.left, self.area.shape[1], self.style, "/>")
        return cells.replace(b"#", b"%d" % row)


@dataclass(frozen=True)
class _ComputedSpan:
    """Rows of a formula's cells; the formula itself stands in the first."""

    computed: Computed
    area: Area
    sheet: Sheet
    style: int

    def row(self, row: int) -> bytes:
        area, formula = self.computed.area, ""
        if row == area.top:
            text = escape(excel.text(self.computed.tree, area.tab))
            kind = f' t="array" ref="{area.address}"' if self.computed.array else ""
            formula = f"<f{kind}>{text}</f>"
        at = f"{column_letters(area.left)}{row}"
        first = _cell(at, self.style, self.sheet.cell(row, area.left), formula)
        if area.left == area.right:
            return first
        return first + self._others(row, area.left + 1, area.right)

    def _others(self, row: int, left: int, right: int) -> bytes:
        where = row - 1, slice(left - 1, right)
        kinds = self.sheet.kinds[where]
        if (kinds == NUMBER).all():
            return number_cells(left, self.style, row, self.sheet.numbers[where])
        if (kinds == BLANK).all():
            return b""  # a row without a token: the column's own look will do
        return b"".join(
            _cell(f"{column_letters(column)}{row}", self.style, self.sheet.cell(row, column))
            for column in range(left, right + 1)
        )


def _text_cell(at: str, style: int, value: str) -> bytes:
    text = f'<is><t xml:space="preserve">{_escaped(value)}</t></is>'
    return f'<c r="{at}" s="{style}" t="inlineStr">{text}</c>'.encode()


def _cell(at: str, style: int, value: Scalar, formula: str = "") -> bytes:
    """A number, or a formula with the value it had when the file was written."""
    kind = text = space = ""
    if isinstance(value, bool):
        kind, text = ' t="b"', str(int(value))
    elif isinstance(value, str):
        kind, text = ' t="str"', _escaped(value)
        if value != value.strip():  # a space that LibreOffice would leave out
            space = ' xml:space="preserve"'
    elif isinstance(value, Error):
        kind, text = ' t="e"', value.value
    elif value is not None:
        text = orjson.dumps(value).decode()
    return f'<c r="{at}" s="{style}"{kind}>{formula}<v{space}>{text}</v></c>'.encode()


def _escaped(text: str) -> str:
    """Text as XML; control characters as `_x000D_`, so a `_x0041_` that is meant must not be read
    as the letter A (ECMA-376 Part 1, 22.9.2.19).
    """
    if text.isalnum():  # most tokens; nothing in them is special
        return text
    plain = _ESCAPE_LIKE.sub("_x005F_", text)
    return escape(_CONTROL.sub(lambda match: f"_x{ord(match[0]):04X}_", plain))
