"""The same bytes, and the same values, whatever the number of cores."""

from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from sheetgpt.book.book import Book, Tab, Texts
from sheetgpt.build import Order, build_workbook
from sheetgpt.calculate import numerals
from sheetgpt.calculate.values import Sheet, Sheets
from sheetgpt.checkpoint import checkpoint
from sheetgpt.errors import WorkbookError
from sheetgpt.formula.cells import Area
from sheetgpt.xlsx import parallel, sheet_rows, write
from sheetgpt.xlsx.read import read
from sheetgpt.xlsx.write import Form, save

PLAIN = Path(__file__).parents[1] / "checkpoints" / "plain"
FORMS = {
    "as usual": Form(),
    "no addresses": Form(addresses=False),
    "compact": Form(compact=True, addresses=False),
}


@pytest.fixture
def all_is_large(monkeypatch):
    """Every matrix is worth asking other processes."""
    for module, names in (
        (numerals, ("LARGE", "SHARED")),
        (sheet_rows, ("LARGE", "CELLS")),
        (write, ("FEW", "MANY")),
        (parallel, ("LARGE",)),
    ):
        for name in names:
            monkeypatch.setattr(module, name, 16)


def build(path: Path, form: Form, jobs: int) -> Path:
    order = Order("ab", context=2, prompt_length=4, new_tokens=1, form=form)
    build_workbook(checkpoint.load(PLAIN), order, path, jobs=jobs)
    return path


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_the_same_bytes(form, all_is_large, tmp_path):
    """But for the time at which the workbook was made."""
    one, many = (build(tmp_path / f"{jobs}.xlsx", form, jobs) for jobs in (1, 3))
    with ZipFile(one) as first, ZipFile(many) as second:
        assert first.namelist() == second.namelist()
        for a, b in zip(first.infolist(), second.infolist(), strict=True):
            if a.filename != "docProps/core.xml":
                assert (a.CRC, a.file_size) == (b.CRC, b.file_size), a.filename
                assert a.compress_size == b.compress_size, a.filename


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_shared_work_says_what_one_process_says(form, all_is_large, tmp_path, monkeypatch):
    """The same parts as where nothing is large; only the way they are deflated differs."""
    shared = build(tmp_path / "shared.xlsx", form, 2)
    monkeypatch.undo()
    alone = build(tmp_path / "alone.xlsx", Form(form.compact, addresses=False), 1)
    with ZipFile(shared) as first, ZipFile(alone) as second:
        assert set(first.namelist()) == set(second.namelist())
        for name in set(first.namelist()) - {"docProps/core.xml"}:
            assert first.read(name) == second.read(name), name


def test_the_same_values(all_is_large, tmp_path, monkeypatch):
    path = build(tmp_path / "a.xlsx", FORMS["no addresses"], 1)
    one, many = read(path), read(path, jobs=3)
    assert one.formulas == many.formulas and one.names == many.names
    assert list(one.values.by_tab) == list(many.values.by_tab)
    for tab, sheet in one.values.by_tab.items():
        other = many.values.by_tab[tab]
        assert np.array_equal(sheet.numbers, other.numbers)
        assert np.array_equal(sheet.kinds, other.kinds)
        assert sheet.others == other.others
        assert [block.area for block in sheet.blocks] == [block.area for block in other.blocks]
        for block, same in zip(sheet.blocks, other.blocks, strict=True):
            assert np.array_equal(np.asarray(block.values), np.asarray(same.values))


def test_a_large_part_without_runs(all_is_large, tmp_path):
    """More XML at once than its parser takes."""
    texts = [f"{i:09} " * 100 for i in range(20_000)]
    area = Area("t", 1, 1, len(texts), 1)
    tab = Tab("t", [], [Texts(area, texts, "text")], [], [], [], {}, {}, (0, 0))
    save(Book([tab], {}), Sheets({"t": Sheet(1, 1)}), tmp_path / "a.xlsx")
    found = read(tmp_path / "a.xlsx", jobs=2).values.by_tab["t"]
    assert [found.cell(row, 1) for row in (1, 777, 20_000)] == [texts[0], texts[776], texts[-1]]


def test_a_damaged_part_is_refused_by_many_as_by_one(all_is_large, tmp_path):
    path = build(tmp_path / "a.xlsx", FORMS["as usual"], 1)
    with ZipFile(path) as archive:
        info = max(archive.infolist(), key=lambda info: info.compress_size)
    data = bytearray(path.read_bytes())
    data[info.header_offset + info.compress_size // 2] ^= 0xFF
    path.write_bytes(data)
    said = []
    for jobs in (1, 2):
        with pytest.raises(WorkbookError, match="not a readable") as caught:
            read(path, jobs=jobs)
        said.append(str(caught.value))
    assert said[0] == said[1]
