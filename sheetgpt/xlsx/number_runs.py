"""Reading what a workbook is mostly made of: rows of many numbers, in the form in which we write
them.

Such runs are cut out of the XML and read as lists of numbers; whatever is left, and any row that
is not exactly of this form, goes through an XML parser as usual.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from queue import Queue
from struct import unpack
from threading import Thread
from typing import Any
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

import numpy as np
from isal import isal_zlib
from isal.igzip_lib import IsalError
from numpy.typing import NDArray

from sheetgpt.calculate.numerals import read as read_numbers
from sheetgpt.formula.cells import LAST_COLUMN, LAST_ROW, Area, column_letters, column_number

PIECE = 1 << 21  # bytes of the archive, and of a part, at a time

MANY = 16  # numbers in a row that are worth the trouble
ROW = b"<row "
BARE = b'</v></c><c s="'  # what comes between two numbers, up to the style
PLAIN = b"</v></c><c><v>"  # and where they have none

_PLACE = re.compile(rb'r="([0-9]{1,7})"')
_END = re.compile(rb"</v></c></row>")
_FIRST = re.compile(rb'<c r="([A-Z]{1,3})([0-9]{1,7})"(?: s="[0-9]+")?><v>\Z')
_CELLS = re.compile(
    rb'(?:<c r="[A-Z]{1,3}[0-9]{1,7}"(?: s="[0-9]+")?(?: t="n")?><v>[^<]*</v></c>){%d,}' % MANY
)
_CELL = re.compile(rb'<c r="([A-Z]+)([0-9]+)"[^>]*><v>([^<]*)')
_SPACES = bytes.maketrans(b'</vcs=>"', b"       ,")


@dataclass(frozen=True)
class Run:
    """Rows of numbers that begin in the same column, one row below the other."""

    top: int
    left: int
    values: NDArray[np.float64]  # [rows, columns]

    @property
    def bottom(self) -> int:
        return self.top + len(self.values) - 1

    @property
    def right(self) -> int:
        return self.left + int(self.values.shape[1]) - 1

    def area(self, tab: str) -> Area:
        return Area(tab, self.top, self.left, self.bottom, self.right)


def inflated(archive: ZipFile, name: str) -> Iterator[bytes]:
    """The bytes of a part, in pieces, unpacked while the piece before is being read.

    Raises BadZipFile where the part is damaged.
    """
    pieces: Queue[bytes | Exception | None] = Queue(maxsize=4)
    stopped: list[bool] = []

    def work() -> None:
        try:
            for piece in _unpacked(archive, name):
                if stopped:
                    return
                pieces.put(piece)
            pieces.put(None)
        except Exception as error:  # raised again where the piece is wanted
            pieces.put(error)

    worker = Thread(target=work, daemon=True)
    worker.start()
    try:
        while (piece := pieces.get()) is not None:
            if isinstance(piece, Exception):
                raise piece
            yield piece
    finally:
        stopped.append(True)
        while not pieces.empty():
            pieces.get()
        worker.join()


def _unpacked(archive: ZipFile, name: str) -> Iterator[bytes]:
    info = archive.getinfo(name)
    with archive.open(name) as part:
        if info.compress_type != ZIP_DEFLATED or info.flag_bits & 1:
            yield from iter(lambda: part.read(PIECE), b"")
            return
    file: Any = archive.fp
    file.seek(info.header_offset + 26)  # ZipFile has read the part's own header: it holds
    file.seek(sum(unpack("<HH", file.read(4))), 1)  # its name and what else follows
    unpacker, left, crc = isal_zlib.decompressobj(-15), info.compress_size, 0
    try:
        while left > 0 and not unpacker.eof:
            packed = file.read(min(PIECE, left))
            left -= len(packed) or left
            while packed and (piece := unpacker.decompress(packed, PIECE)):
                packed = unpacker.unconsumed_tail
                crc = isal_zlib.crc32(piece, crc)
                yield piece
    except IsalError as error:  # type: ignore[misc]
        raise BadZipFile(f"its part {name} is damaged: {error}") from error
    if crc != info.CRC or not unpacker.eof:
        raise BadZipFile(f"its part {name} is damaged")


def without_runs(pieces: Iterator[bytes], runs: list[Run]) -> Iterator[bytes]:
    """The XML of a sheet without its runs, which are put into `runs`."""
    rest = b""
    for piece in pieces:
        end = piece.rfind(ROW)
        if end >= 0:
            yield _without_runs(rest + piece[:end], runs)
            rest = piece[end:]
        else:
            rest += piece
        if len(rest) > 16 * PIECE:  # no row of ours
            yield rest
            rest = b""
    yield _without_runs(rest, runs)


def _without_runs(xml: bytes, runs: list[Run]) -> bytes:
    """The XML of whole rows without their runs."""
    for between in (BARE, PLAIN):
        if xml.find(between) >= 0:
            return ROW.join(_cut_bare(row, between, runs) for row in xml.split(ROW))
    return _CELLS.sub(lambda found: _cut_cells(found[0], runs), xml)


def _cut_bare(row: bytes, between: bytes, runs: list[Run]) -> bytes:
    """A row without its numbers of which only the first says where it stands."""
    first, last = row.find(between), row.rfind(between)
    place = _PLACE.match(row)
    if first < 0 or not place:
        return row
    begin, end = row.rfind(b">", 0, first) + 1, row.find(b"<", row.find(b"<v>", last) + 3)
    cell = _FIRST.search(row[max(0, begin - 60) : begin])
    if not cell or place[1] != cell[2] or not _END.match(row[end:]):
        return row
    numbers = _without_styles(row[begin:end]) if between == BARE else _listed(row[begin:end])
    if numbers is None or not _put(runs, int(place[1]), _column(cell[1]), numbers):
        return row
    return row[:begin] + row[end:]


def _without_styles(text: bytes) -> NDArray[np.float64] | None:
    """Numbers between which only the style is left, between commas; all of one style."""
    numbers = _numbers(text.translate(_SPACES))
    if numbers is None or len(numbers) % 2 == 0 or (numbers[1::2] != numbers[1]).any():
        return None
    return numbers[::2].copy()


def _listed(text: bytes) -> NDArray[np.float64] | None:
    return None if b"," in text else _numbers(text.replace(PLAIN, b","))


def _cut_cells(cells: bytes, runs: list[Run]) -> bytes:
    """Cells that hold one number each, without those that stand side by side."""
    columns, rows, texts = zip(*_CELL.findall(cells), strict=True)
    for apart in (0, 1):  # the number of the row may stand left of a gap
        left = _column(columns[apart])
        if columns[apart:] == _letters(left, len(columns) - apart) and len({*rows}) == 1:
            numbers = _numbers(b",".join(texts[apart:]))
            if numbers is not None and _put(runs, int(rows[0]), left, numbers):
                return cells[: cells.index(b"<c ", 1)] if apart else b""
    return cells


@lru_cache(maxsize=256)
def _letters(left: int, width: int) -> tuple[bytes, ...]:
    """The letters of columns that stand side by side."""
    return tuple(column_letters(left + column).encode() for column in range(width))


def _column(letters: bytes) -> int:
    return column_number(letters.decode())


def _numbers(text: bytes) -> NDArray[np.float64] | None:
    """None for numbers in another spelling than ours: the parser will say what they are."""
    try:
        numbers = read_numbers(text)
    except ValueError:
        return None
    return numbers if np.isfinite(numbers).all() else None


def _put(runs: list[Run], row: int, left: int, numbers: NDArray[np.float64]) -> bool:
    """Keep the numbers of a row, if a sheet has such cells."""
    run = Run(row, left, numbers[None])
    fits = 1 <= row <= LAST_ROW and run.right <= LAST_COLUMN
    if fits:
        runs.append(run)
    return fits


def joined(runs: list[Run]) -> Iterator[Run]:
    """Runs that follow one another as one."""
    group: list[Run] = []
    for run in runs:
        if group and not _follows(group, run):
            yield _one(group)
            group = []
        group.append(run)
    if group:
        yield _one(group)


def _follows(group: list[Run], run: Run) -> bool:
    last = group[-1]
    same = run.left == last.left and run.values.shape[1] == last.values.shape[1]
    return same and run.top == last.bottom + 1


def _one(group: list[Run]) -> Run:
    if len(group) == 1:
        return group[0]
    return Run(group[0].top, group[0].left, np.concatenate([run.values for run in group]))
