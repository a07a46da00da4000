"""A book as an .xlsx file: openpyxl's parts, with sheets of our own among them."""

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED

from sheetgpt.book.book import Book, Tab
from sheetgpt.calculate.values import Sheets
from sheetgpt.errors import WorkbookError
from sheetgpt.xlsx.archive import Archive, Deflate, compact, fast, fast_numbers, plain
from sheetgpt.xlsx.rows import sheet_rows
from sheetgpt.xlsx.sheet import head, tail
from sheetgpt.xlsx.skeleton import skeleton

FEW = 2_000_000  # numbers in a book, up to which cells say where they stand and speed is no matter
MANY = 1_000_000  # numbers on a tab, from which on it is a tab of numbers and little else
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
) -> None:
    """Write a book with the values of its formulas; `path` changes only when all is written.

    Raises WorkbookError if the file cannot be written.
    """
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name[:50]}.", dir=path.parent)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        with os.fdopen(handle, "wb") as file:
            _write(book, values, file, form, progress)
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


def _write(book: Book, values: Sheets, file: Any, form: Form, progress: Progress) -> None:
    bones = skeleton(book)
    tabs = {tab.name: tab for tab in book.tabs}
    written = 0  # numbers
    with Archive(file, "w", ZIP_DEFLATED) as archive:
        for name, data in bones.parts.items():
            if name not in bones.tabs:
                archive.writestr(name, data)
                continue
            tab = tabs[bones.tabs[name]]
            deflate = _deflate(form, book, tab)
            with archive.streamed(name, BYTES_A_NUMBER * tab.n_numbers, deflate) as part:
                part.write(head(tab, bones.styles, is_first=tab is book.tabs[0]).encode())
                sheet, looks = values.by_tab[tab.name], not form.compact
                addresses = form.has_addresses(book.n_numbers)
                rows = sheet_rows(tab, sheet, bones.styles, addresses, looks)
                for number, row in enumerate(rows):
                    part.write(row)
                    if number % 100 == 0:
                        done = tab.n_numbers * number // tab.extent[0]
                        progress(tab.name, written + done, book.n_numbers)
                below = tail(tab, bones.differences, bones.drawings.get(tab.name))
                part.write(below.encode())
            written += tab.n_numbers


def _deflate(form: Form, book: Book, tab: Tab) -> Deflate:
    if book.n_numbers <= FEW:
        return plain
    if form.compact:
        return compact
    return fast if tab.n_numbers < MANY else fast_numbers
