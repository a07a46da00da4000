"""A book as an .xlsx file: openpyxl's parts, with sheets of our own among them."""

import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED

from sheetgpt.book.book import Book, Tab
from sheetgpt.calculate.values import Sheets
from sheetgpt.errors import WorkbookError
from sheetgpt.workers import Workers
from sheetgpt.xlsx.archive import Archive, Part
from sheetgpt.xlsx.rows import sheet_rows
from sheetgpt.xlsx.sheet import head, tail
from sheetgpt.xlsx.skeleton import skeleton

FEW = 2_000_000  # numbers in a book, up to which cells say where they stand and speed is no matter
MANY = 1_000_000  # numbers on a tab, from which on it is a tab of numbers and little else
SMALL = 1 << 26  # bytes of a tab that is kept in memory until it can be written
BYTES_A_NUMBER = 36  # at most, as text in a part

Progress = Callable[[str, int, int], None]  # the tab, how many numbers are written, of how many


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


def save(
    book: Book,
    values: Sheets,
    path: Path,
    form: Form = FORM,
    progress: Progress = lambda tab, done, of: None,
    jobs: int = 1,
) -> None:
    """Write a book with the values of its formulas; `path` changes only when all is written.

    Raises WorkbookError if the file cannot be written.
    """
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name[:50]}.", dir=path.parent)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        with os.fdopen(handle, "wb") as file, Workers(jobs) as workers:
            _Writer(book, values, form, progress, workers).write(file)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)


def _unwritable(path: Path, error: OSError) -> WorkbookError:
    reason = error.strerror or str(error)
    return WorkbookError(
        f"{path}: the workbook cannot be written ({reason}); "
        "choose another place with -o, or make room and build again"
    )


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@dataclass
class _Writer:
    """Writes a book into a file; `written` counts its numbers."""

    book: Book
    values: Sheets
    form: Form
    progress: Progress
    workers: Workers
    written: int = 0

    def write(self, file: Any) -> None:
        """Tabs of numbers come first, while all others are made beside them."""
        self.skeleton = skeleton(self.book)
        tabs = {tab.name: tab for tab in self.book.tabs}
        sheets = {part: tabs[name] for part, name in self.skeleton.tabs.items()}
        large = {part: tab for part, tab in sheets.items() if self._is_large(tab)}
        small = {part: tab for part, tab in sheets.items() if part not in large}
        with Archive(file, "w", ZIP_DEFLATED) as archive, ExitStack() as files:
            for name, data in self.skeleton.parts.items():
                if name not in sheets:
                    archive.writestr(name, data)
            aside = self.workers.in_thread(self._aside, small, files) if large else None
            for name, tab in large.items():
                with self._streamed(archive, name, tab) as part:
                    self._sheet(tab, part)
            for name, tab in small.items():
                with self._streamed(archive, name, tab) as part:
                    if aside is None:
                        self._sheet(tab, part)
                    else:
                        part.add(aside.result()[name])

    def _aside(self, small: Mapping[str, Tab], files: ExitStack) -> dict[str, Part]:
        """Tabs in files of their own, which are closed with `files`."""
        found = {}
        for name, tab in small.items():
            file = files.enter_context(tempfile.SpooledTemporaryFile(SMALL))  # noqa: SIM115
            found[name] = Part(file, self.workers, self._way_to_deflate(tab))
            self._sheet(tab, found[name])
            found[name].drain()
        return found

    def _streamed(self, archive: Archive, name: str, tab: Tab) -> AbstractContextManager[Part]:
        size = BYTES_A_NUMBER * tab.n_numbers
        return archive.streamed(name, size, self._way_to_deflate(tab), self.workers)

    def _sheet(self, tab: Tab, part: Part) -> None:
        bones, n_numbers = self.skeleton, self.book.n_numbers
        self.progress(tab.name, self.written, n_numbers)
        part.write(head(tab, bones.styles, is_first=tab is self.book.tabs[0]).encode())
        sheet, addresses = self.values.by_tab[tab.name], self.form.has_addresses(n_numbers)
        for row in sheet_rows(tab, sheet, bones.styles, addresses, not self.form.compact):
            if isinstance(row, bytes):
                part.write(row)
                continue
            if n_numbers <= FEW:
                part.write(row.text())
            else:
                part.put(row.deflated(part.how, self.workers))
            self.written += row.matrix.values.size
            self.progress(tab.name, self.written, n_numbers)
        part.write(tail(tab, bones.differences, bones.drawings.get(tab.name)).encode())

    def _is_large(self, tab: Tab) -> bool:
        return self.book.n_numbers > FEW and tab.n_numbers >= MANY

    def _way_to_deflate(self, tab: Tab) -> str:
        if self.book.n_numbers <= FEW:
            return "plain"
        if self.form.compact:
            return "compact"
        return "fast numbers" if self._is_large(tab) else "fast"
