"""A book as an .xlsx file: openpyxl's parts, with sheets of our own among them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED

from sheetgpt.book.book import Book, Tab
from sheetgpt.calculate.values import Sheet, Sheets
from sheetgpt.errors import WorkbookError
from sheetgpt.progress import Progress, silent
from sheetgpt.replacing import replacing
from sheetgpt.workers import Workers
from sheetgpt.xlsx.archive import Archive, Chunk, ahead, chunks
from sheetgpt.xlsx.sheet import head, tail
from sheetgpt.xlsx.sheet_rows import sheet_rows
from sheetgpt.xlsx.skeleton import skeleton

FEW = 2_000_000  # numbers in a book, up to which cells say where they stand and speed is no matter
MANY = 1_000_000  # numbers on a tab, from which on it is a tab of numbers and little else
AHEAD = 3  # chunks for each job that are being made, or wait to be written
BYTES_A_NUMBER = 36  # at most, as text in a part


@dataclass(frozen=True)
class Form:
    """How a book becomes bytes.

    compact: deflate longer, for a file a fifth smaller; weights then have no look of their own.
    addresses: whether every weight's cell says where it stands, which some readers want and a
        spreadsheet does not need; None leaves it out where there are many.
    """

    compact: bool = False
    addresses: bool | None = None

    def has_addresses(self, n_numbers: int) -> bool:
        return n_numbers <= FEW if self.addresses is None else self.addresses


FORM = Form()
Calculation = Callable[[Progress], Sheets]


def save(
    book: Book,
    values: Sheets | Calculation,
    path: Path,
    form: Form = FORM,
    progress: Progress = silent,
    workers: Workers | None = None,
) -> Sheets:
    """Write a book with the values of its formulas; `path` changes only when all is written.

    values: or what calculates them, while tabs of numbers are being written.
    workers: whoever shares the work; the file is the same with any number of them.
    Returns the values.

    Raises WorkbookError if the file cannot be written.
    """
    try:
        with replacing(path) as beside, beside.open("xb") as file:
            return _Writer(book, values, form, progress, workers or Workers(1)).write(file)
    except OSError as error:
        reason = error.strerror or str(error)
        raise WorkbookError(
            f"{path}: the workbook cannot be written ({reason}); "
            "choose another place with -o, or make room and build again"
        ) from error


@dataclass
class _Writer:
    """Writes a book into a file; `written` counts its numbers."""

    book: Book
    values: Sheets | Calculation
    form: Form
    progress: Progress
    workers: Workers
    written: int = 0

    def write(self, file: Any) -> Sheets:
        """Tabs of numbers come first, while all others are made beside them."""
        self.skeleton = skeleton(self.book)
        tabs = {tab.name: tab for tab in self.book.tabs}
        sheets = {part: tabs[name] for part, name in self.skeleton.tabs.items()}
        large = {part: tab for part, tab in sheets.items() if self._is_large(tab)}
        small = {part: tab for part, tab in sheets.items() if part not in large}
        with Archive(file, "w", ZIP_DEFLATED) as archive:
            for name, data in self.skeleton.parts.items():
                if name not in sheets:
                    archive.writestr(name, data)
            if large:
                told = self.progress if self.workers.jobs == 1 else silent  # one tells at a time
                beside = self.workers.in_thread(self._calculated, small, told)
                self._put(archive, large, self._chunks(large))
                made = beside.result()
            else:
                made = self._calculated(small, self.progress)
            self._put(archive, small, made)
        assert isinstance(self.values, Sheets)
        return self.values

    def _calculated(self, tabs: Mapping[str, Tab], progress: Progress) -> list[tuple[str, Chunk]]:
        """The chunks of tabs with formulas."""
        if not isinstance(self.values, Sheets):
            self.values = self.values(self.workers.while_wanted(progress))
        return list(self._chunks(tabs))

    def _put(
        self,
        archive: Archive,
        tabs: Mapping[str, Tab],
        made: Iterable[tuple[str, Chunk]],
    ) -> None:
        """Write the chunks of tabs, all of them of one tab after the other."""
        for name, of_tab in groupby(made, key=itemgetter(0)):
            with archive.streamed(name, BYTES_A_NUMBER * tabs[name].n_numbers) as part:
                for _, chunk in of_tab:
                    part.write(chunk.result())

    def _chunks(self, tabs: Mapping[str, Tab]) -> Iterator[tuple[str, Chunk]]:
        """The chunks of tabs with their parts' names, of which some are always being made."""
        return ahead(
            (
                (name, chunk)
                for name, tab in tabs.items()
                for chunk in chunks(self._sheet(tab), self._way_to_deflate(tab), self.workers)
            ),
            AHEAD * self.workers.jobs,
        )

    def _sheet(self, tab: Tab) -> Iterator[bytes | Chunk]:
        """The XML of a tab, some of it deflated already."""
        bones, n_numbers = self.skeleton, self.book.n_numbers
        self.progress(f"writing {tab.name}", self.written, n_numbers)
        yield head(tab, bones.styles, is_first=tab is self.book.tabs[0]).encode()
        sheet, addresses = self._values(tab), self.form.has_addresses(n_numbers)
        for row in sheet_rows(tab, sheet, bones.styles, addresses, not self.form.compact):
            if isinstance(row, bytes):
                yield row
                continue
            if n_numbers <= FEW:
                yield row.text()
            else:
                yield row.deflated(self._way_to_deflate(tab), self.workers)
            self.written += row.matrix.values.size
            self.progress(f"writing {tab.name}", self.written, n_numbers)
        yield tail(tab, bones.differences, bones.drawings.get(tab.name)).encode()

    def _values(self, tab: Tab) -> Sheet:
        """Of a tab without formulas there are none to be known."""
        if not tab.computed:
            return Sheet(1, 1)
        assert isinstance(self.values, Sheets)
        return self.values.by_tab[tab.name]

    def _is_large(self, tab: Tab) -> bool:
        return self.book.n_numbers > FEW and tab.n_numbers >= MANY and not tab.computed

    def _way_to_deflate(self, tab: Tab) -> str:
        if self.book.n_numbers <= FEW:
            return "plain"
        if self.form.compact:
            return "compact"
        return "fast numbers" if self._is_large(tab) else "fast"
