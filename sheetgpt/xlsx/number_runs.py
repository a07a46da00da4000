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
ROW, CELL, END = b"<row ", b"<c ", b"</row>"
BARE = b'</v></c><c s="'  # what comes between two numbers, up to the style
PLAIN = b"</v></c><c><v>"  # and where they have none

_PLACE = re.compile(rb'r="([0-9]{1,7})"')
_END = re.compile(rb"</v></c></row>")
_FIRST = re.compile(rb'<c r="([A-Z]{1,3})([0-9]{1,7})"(?: s="[0-9]+")?><v>\Z')
_CELL = re.compile(rb'<c r="([A-Z]{1,3})[0-9]{1,7}"((?: s="[0-9]+")?(?: t="n")?><v>)')
_OF_NUMBERS = b"0123456789+-.e"
_OF_ADDRESSES = b"<c r=/v>ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_COMMAS = bytes.maketrans(b'"', b",")
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
    """The bytes of a part, in pieces; of a large one unpacked while the piece before is being read.

    Raises BadZipFile where the part is damaged.
    """
    if archive.getinfo(name).file_size <= PIECE:
        yield from _unpacked(archive, name)
        return
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
    """The XML of a sheet without its runs, which are put into `runs`.

    Behind a comment or CDATA nothing is cut out: what looks like a row may be none.
    """
    is_plain = True
    for xml in _of_whole_rows(pieces):
        is_plain = is_plain and b"<!" not in xml
        yield _without_runs(xml, runs) if is_plain else xml


def _of_whole_rows(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces that end before a row."""
    rest = b""
    for piece in pieces:
        end = piece.rfind(ROW)
        if end >= 0:
            yield rest + piece[:end]
            rest = piece[end:]
        else:
            rest += piece
        if len(rest) > 16 * PIECE:  # no row of ours
            yield rest
            rest = b""
    yield rest


def _without_runs(xml: bytes, runs: list[Run]) -> bytes:
    """The XML of whole rows without their runs."""
    for between in (BARE, PLAIN):
        if xml.find(between) >= 0:
            return ROW.join([_cut_bare(row, between, runs) for row in xml.split(ROW)])
    return ROW.join([_cut_addressed(row, runs) for row in xml.split(ROW)])


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


def _cut_addressed(row: bytes, runs: list[Run]) -> bytes:
    """A row without the numbers side by side at its end, each of which says where it stands."""
    place, end = _PLACE.match(row), row.rfind(END)
    others = max(row.rfind(b"</f>", 0, end), row.rfind(b"</is>", 0, end), 0)
    begin = row.find(CELL, others, end)
    width = row.count(CELL, begin, end)
    if not place or width < MANY:
        return row
    second = row.find(CELL, begin + 1)
    first, after = _CELL.match(row, begin), _CELL.match(row, second)
    if first and after and _column(after[1]) > _column(first[1]) + 1:
        begin, first, width = second, after, width - 1  # the number of the row, and a gap
    cells = row[begin:end].replace(b"E-", b"e-")  # as Excel spells them
    if not first or cells.translate(None, _OF_NUMBERS) != _bare(first[1], width, first[2]):
        return row
    text = cells.replace(b'"' + first[2], b",").translate(_COMMAS, _OF_ADDRESSES)
    numbers = _numbers(text[1:])  # of each cell its row and its value
    number = int(place[1])
    if numbers is None or len(numbers) != 2 * width or (numbers[::2] != number).any():
        return row
    fits = _put(runs, number, _column(first[1]), numbers[1::2].copy())
    return row[:begin] + row[end:] if fits else row


@lru_cache(maxsize=64)
def _bare(first: bytes, width: int, rest: bytes) -> bytes:
    """Cells side by side from a column on, of which all digits are left out.

    rest: what stands in each between its address and its value.
    """
    rest = rest.translate(None, _OF_NUMBERS)
    letters = (column_letters(_column(first) + column).encode() for column in range(width))
    return b"".join(b'<c r="%b"%b</v></c>' % (each, rest) for each in letters)


@lru_cache(maxsize=LAST_COLUMN)
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
