"""Reading rows of numbers fast: the same as an XML parser reads, whatever the rows look like."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from sheetgpt.book.book import Book, Numbers, Tab, Text
from sheetgpt.calculate.values import Sheet, Sheets
from sheetgpt.errors import WorkbookError
from sheetgpt.formula.cells import Area, column_letters
from sheetgpt.xlsx import number_runs, parallel
from sheetgpt.xlsx import read as reading
from sheetgpt.xlsx.read import read
from sheetgpt.xlsx.write import Form, save

BARE, COMPACT = Form(addresses=False), Form(compact=True, addresses=False)


def matrix(rows: int, columns: int) -> np.ndarray:
    random = np.random.default_rng(rows * columns)
    return random.standard_normal((rows, columns)).astype(np.float32)


def saved(path: Path, *placed: tuple[int, int, np.ndarray], form: Form = BARE) -> Path:
    numbers = [
        Numbers(Area("t", top, left, top + len(m) - 1, left + m.shape[1] - 1), m, "weight")
        for top, left, m in placed
    ]
    tab = Tab(
        "t", [Text(Area("t", 1, 1, 1, 1), "text", "title")], [], numbers, [], [], {}, {}, (0, 0)
    )
    save(Book([tab], {}), Sheets({"t": Sheet(1, 1)}), path, form)
    return path


def by_parser(path: Path, monkeypatch) -> Sheets:
    with monkeypatch.context() as patch:
        patch.setattr(parallel, "without_runs", lambda pieces, runs: pieces)
        patch.setattr(reading, "without_own_rows", lambda pieces, put: pieces)
        return read(path).values


PLACED = [
    [(2, 1, matrix(40, 30))],
    [(2, 3, matrix(3, 2)), (6, 3, matrix(5, 700)), (12, 3, matrix(1, 1)), (14, 2, matrix(9, 700))],
    [(2, 16_384 - 19, matrix(4, 20)), (2, 1, matrix(4, 20))],
    [(1_048_576 - 2, 2, matrix(3, 20))],
]


@pytest.mark.parametrize("placed", PLACED)
@pytest.mark.parametrize("form", [BARE, COMPACT, Form(addresses=True)])
def test_the_same_as_a_parser(tmp_path, monkeypatch, placed, form):
    path = saved(tmp_path / "a.xlsx", *placed, form=form)
    fast, slow = read(path).values, by_parser(path, monkeypatch)
    for top, left, values in placed:
        area = Area("t", top, left, top + len(values) - 1, left + values.shape[1] - 1)
        found = np.asarray(fast.read(area), dtype=np.float64).reshape(values.shape)
        assert np.array_equal(found.astype(np.float32), values)
        assert np.array_equal(found, np.asarray(slow.read(area)).reshape(values.shape))
    assert fast.by_tab["t"].cell(1, 1) == "text"
    assert fast.by_tab["t"].cell(1, 2) is None


@pytest.mark.parametrize("form", [BARE, COMPACT, Form()])
def test_what_is_fast(tmp_path, monkeypatch, form):
    """Rows of one matrix are not read cell by cell."""
    monkeypatch.setattr(reading._SheetReader, "_value", lambda *_: None)
    path = saved(tmp_path / "a.xlsx", (2, 3, matrix(50, 60)), form=form)
    (block,) = read(path).values.by_tab["t"].blocks
    assert block.area == Area("t", 2, 3, 51, 62)


def sheet(path: Path, rows: str) -> Path:
    """A workbook with these rows as they are."""
    saved(path, (2, 1, matrix(2, 20)))
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    name = "xl/worksheets/sheet1.xml"
    head, _, rest = parts[name].partition(b"<sheetData>")
    tail = rest.partition(b"</sheetData>")[2]
    parts[name] = head + b"<sheetData>" + rows.encode() + b"</sheetData>" + tail
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in parts.items():
            new.writestr(name, data)
    return path


def row(*cells: str, first: str = '<c r="B3" s="1"><v>1</v></c>', number: str = ' r="3"') -> str:
    return f"<row{number}>{first}{''.join(cells)}</row>"


def addressed(kind: str = "", number: str = "3", before: str = "", value: str = "2.5") -> str:
    """A row of 20 numbers from B3 on, as small tabs have them."""
    cells = (f'<c r="{column_letters(2 + i)}3" s="1"{kind}><v>{value}</v></c>' for i in range(20))
    return f'<row r="{number}">{before}{"".join(cells)}</row>'


N = '<c s="1"><v>2.5</v></c>'
P = "<c><v>2.5</v></c><c><v>3.5</v></c>"
ODD = {
    "another style": row(N, '<c s="7"><v>4</v></c>', N),
    "a cell without style": row(N, "<c><v>4</v></c>", N),
    "a text among them": row(N, '<c s="1" t="str"><v>4</v></c>', N),
    "a truth value": row(N, '<c s="1" t="b"><v>1</v></c>', N),
    "an empty cell": row(N, '<c s="1"/>', N),
    "a cell farther on": row(N, '<c r="J3" s="1"><v>4</v></c>', N),
    "a cell without a value": row(N, '<c s="1"><v></v></c>', N),
    "a number of another spelling": row(N, '<c s="1"><v>+4</v></c>', '<c s="1"><v>.5</v></c>'),
    "spaces": row(N, '<c s="1"><v> 4 </v></c>', N),
    "a first cell that is a text": row(N, N, first='<c r="B3" s="1" t="str"><v>1</v></c>'),
    "a first cell without address": row(N, N, first='<c s="1"><v>1</v></c>'),
    "a row without number": row(N, N, number=""),
    "attributes of a row": row(N, N, number=' r="3" ht="20" customHeight="1" outlineLevel="1"'),
    "a formula behind": row(N, '<c s="1"><f>B3+1</f><v>4</v></c>'),
    "no style, and a text": row(P, '<c t="str"><v>4</v></c>', P),
    "no style, and a comma": row(P, '<c t="str"><v>4,5</v></c>', P),
    "a comment": row(N, "<!-- </v></c><c s=\"1\"><v> -->", N),
    "addresses": addressed(),
    "addresses, and type": addressed(' t="n"'),
    "addresses, and a comment around them": f"<!--{addressed()}-->" + addressed(number="4"),
    "addresses, and another style": addressed() .replace('K3" s="1"', 'K3" s="7"'),
    "addresses, and no style": addressed("").replace(' s="1"', ""),
    "addresses, and a text": addressed().replace('K3" s="1"', 'K3" s="1" t="str"'),
    "addresses, and a gap": addressed().replace('<c r="K3" s="1"><v>2.5</v></c>', ""),
    "addresses, and an empty cell": addressed().replace("<v>2.5</v></c></row>", "</c></row>"),
    "addresses, two in turn": addressed().replace("K3", "Q3").replace("L3", "K3"),
    "addresses of another row": addressed(number="4"),
    "addresses, and one of another row": addressed().replace("K3", "K4"),
    "addresses, and the number of the row": addressed(
        before='<c r="A3" s="1"><v>7</v></c>').replace('<c r="B3" s="1"><v>2.5</v></c>', ""),
    "addresses behind a formula": addressed(before='<c r="A3"><f>1+1</f><v>2</v></c>'),
    "addresses behind a text": addressed(
        before='<c r="A3" t="inlineStr"><is><t>a</t></is></c>'),
    "addresses, and exponents": addressed(value="-1.5E-7"),
    "addresses, and exponents in small letters": addressed(value="2e-05"),
    "addresses, and large exponents": addressed(value="1.5E+20"),
    "addresses, and another spelling": addressed(value="+1"),
    "addresses, and two numbers in one": addressed(value="1</v><v>2"),
}  # fmt: skip


@pytest.mark.parametrize("rows", ODD.values(), ids=ODD)
def test_rows_of_another_kind(tmp_path, monkeypatch, rows):
    path = sheet(tmp_path / "a.xlsx", rows)
    fast, slow = read(path).values.by_tab["t"], by_parser(path, monkeypatch).by_tab["t"]
    places = [(row, column) for row in range(1, 6) for column in range(1, 30)]
    assert [fast.cell(*at) for at in places] == [slow.cell(*at) for at in places]


BROKEN = {
    "not a number": row(N, '<c s="1"><v>four</v></c>', N),
    "two numbers without style": row(P, "<c><v>4,5</v></c>", P),
    "two numbers": row(N, '<c s="1"><v>4,5</v></c>', N),
    "infinite": row(N, '<c s="1"><v>1e999</v></c>', N),
    "too far right": row(*[N] * 40, first='<c r="XFA3" s="1"><v>1</v></c>'),
    "too far down": row(N, first='<c r="B9999999" s="1"><v>1</v></c>', number=' r="9999999"'),
    "cut off": row(N, N)[:-9],
}


@pytest.mark.parametrize("rows", BROKEN.values(), ids=BROKEN)
def test_what_no_workbook_holds(tmp_path, rows):
    with pytest.raises(WorkbookError, match="not a readable"):
        read(sheet(tmp_path / "a.xlsx", rows))


def test_any_cut_into_pieces():
    """However the bytes come, the same is cut out of them."""
    xml = ("<sheetData>" + row(*[N] * 20) * 3 + "</sheetData>").encode()
    whole: list[number_runs.Run] = []
    rest = b"".join(number_runs.without_runs(iter([xml]), whole))
    assert len(whole) == 3 and rest.count(b"2.5") == 0
    for size in (1, 7, 64, 333):
        runs: list[number_runs.Run] = []
        pieces = [xml[at : at + size] for at in range(0, len(xml), size)]
        assert b"".join(number_runs.without_runs(iter(pieces), runs)) == rest
        assert [run.values.tolist() for run in runs] == [run.values.tolist() for run in whole]


def test_a_damaged_part(tmp_path):
    path = saved(tmp_path / "a.xlsx", (2, 1, matrix(300, 300)))
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("xl/worksheets/sheet1.xml")
    data = bytearray(path.read_bytes())
    data[info.header_offset + 5_000] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(WorkbookError, match="not a readable"):
        read(path)


def test_parts_that_are_only_stored():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a", "x" * 10)
    with zipfile.ZipFile(file) as archive:
        assert b"".join(number_runs.inflated(archive, "a")) == b"x" * 10
