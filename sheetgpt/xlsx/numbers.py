"""Rows of numbers as XML, of which a large workbook is made; a block of them in any process."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from sheetgpt.calculate.numerals import written
from sheetgpt.formula.cells import Area, column_letters
from sheetgpt.workers import Frame, Workers
from sheetgpt.xlsx.archive import DEFLATE, Deflated

CELLS = 1 << 18  # in a block: enough to be worth asking another process
LARGE = 1 << 16  # numbers in a matrix from which on it comes in blocks
END = b"</row>"


@dataclass(frozen=True)
class NumberSpan:
    """A matrix of numbers.

    addresses: whether every cell says where it stands, or only the first in a row.
    style: None for no look of their own.
    """

    area: Area
    values: NDArray[Any]  # [rows, columns]
    style: int | None
    addresses: bool

    def row(self, row: int) -> bytes:
        values = self.values[row - self.area.top]
        if self.addresses and self.style is not None:
            return number_cells(self.area.left, self.style, row, values)
        style = b"" if self.style is None else b' s="%d"' % self.style
        first = b'<c r="%b%d"%b><v>' % (column_letters(self.area.left).encode(), row, style)
        return first + written(values).replace(b",", b"</v></c><c%b><v>" % style) + b"</v></c>"

    def rows(self, top: int, bottom: int) -> "NumberSpan":
        """Some of the rows, from one number to another."""
        area = Area(self.area.tab, top, self.area.left, bottom, self.area.right)
        values = self.values[top - self.area.top : bottom + 1 - self.area.top]
        return NumberSpan(area, values, self.style, self.addresses)


@dataclass(frozen=True)
class Block:
    """Rows that are a matrix of numbers and little else: what stands before and behind each."""

    matrix: NumberSpan
    starts: Sequence[bytes]
    ends: Sequence[bytes]

    def text(self) -> bytes:
        rows = enumerate(zip(self.starts, self.ends, strict=True), start=self.matrix.area.top)
        return b"".join(start + self.matrix.row(row) + end for row, (start, end) in rows)

    def frames(self) -> list[Frame]:
        """The block as another process can be given it."""
        area, values = self.matrix.area, np.ascontiguousarray(self.matrix.values)
        about = {
            "area": [area.tab, area.top, area.left, area.bottom, area.right],
            "kind": values.dtype.str,
            "style": self.matrix.style,
            "addresses": self.matrix.addresses,
        }
        texts = (b"\0".join(each) for each in (self.starts, self.ends))  # XML has no zeros
        return [orjson.dumps(about), *texts, values.view(np.uint8).data]

    @classmethod
    def of(cls, about: Frame, starts: Frame, ends: Frame, values: Frame) -> "Block":
        """What `frames` gave."""
        said: Mapping[str, Any] = orjson.loads(about)
        area = Area(*said["area"])
        matrix = np.frombuffer(values, said["kind"]).reshape(area.shape)
        span = NumberSpan(area, matrix, said["style"], said["addresses"])
        return cls(span, bytes(starts).split(b"\0"), bytes(ends).split(b"\0"))

    def deflated(self, how: str, workers: Workers) -> "Future[Deflated]":
        """The text, deflated in the way of this name, by whoever has time."""
        return workers.in_process(_deflated, how.encode(), *self.frames(), then=_as_deflated)


def _deflated(how: Frame, *frames: Frame) -> Iterator[Frame]:
    deflated = DEFLATE[bytes(how).decode()](Block.of(*frames).text())
    yield deflated.data
    yield orjson.dumps([deflated.size, deflated.crc])


def _as_deflated(answer: Sequence[Frame]) -> Deflated:
    data, about = answer
    return Deflated(data, *orjson.loads(about))


def number_cells(left: int, style: int, row: int, values: NDArray[Any]) -> bytes:
    """Numbers side by side, each as the shortest text that reads back the same."""
    return cells(left, len(values), style, row) % tuple(written(values).split(b","))


def cells(left: int, width: int, style: int, row: int) -> bytes:
    """Cells side by side, with `%b` where each one's number belongs."""
    return template(left, width, style, "><v>%b</v></c>").replace(b"#", b"%d" % row)


@lru_cache(maxsize=256)
def template(left: int, width: int, style: int, rest: str) -> bytes:
    """Cells side by side, with `#` for the number of their row."""
    return "".join(
        f'<c r="{column_letters(column)}#" s="{style}"{rest}'
        for column in range(left, left + width)
    ).encode()
