"""Reading what others wrote, and refusing what nobody should read."""

import re
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from openpyxl.workbook.defined_name import DefinedName

from sheetgpt.check import check
from sheetgpt.errors import WorkbookError
from sheetgpt.formula.cells import Area
from sheetgpt.xlsx.read import read

HEAD = '<?xml version="1.0"?>'
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def write(path: Path, rows: str = "", **parts: str) -> Path:
    """A workbook of one tab `t`, by hand; `parts` replace what is there, by their file's stem."""
    files = {
        "xl/workbook.xml": f'{HEAD}<workbook {MAIN} xmlns:r="{RELATIONS}">'
        '<sheets><sheet name="t" sheetId="1" r:id="a"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{HEAD}<Relationships><Relationship Id="a" '
        'Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f"{HEAD}<worksheet {MAIN}>"
        f"<sheetData>{rows}</sheetData></worksheet>",
    }
    for name in list(files):
        stem = name.rpartition("/")[2].split(".")[0]
        if stem in parts:
            files[name] = parts[stem]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def cell(rows: str, tmp_path: Path, row: int = 1, column: int = 1) -> object:
    return read(write(tmp_path / "a.xlsx", rows)).values.by_tab["t"].cell(row, column)


@pytest.mark.parametrize(
    ("xml", "value"),
    [
        ('<c r="A1"><v>1.5</v></c>', 1.5),
        ('<c r="A1" t="b"><v>1</v></c>', True),
        ('<c r="A1" t="str"><v> a_x0041__x005F_x0041_</v></c>', " aA_x0041_"),
        ('<c r="A1" t="str"><f>""</f><v></v></c>', ""),
        ('<c r="A1" t="inlineStr"><is><t xml:space="preserve"> a</t></is></c>', " a"),
        (
            '<c r="A1" t="inlineStr"><is><r><t>a</t></r><r><t>b</t></r>'
            "<rPh><t>c</t></rPh></is></c>",
            "ab",
        ),
        ('<c r="A1" t="inlineStr"><is><t>a_x000D_b</t></is></c>', "a\rb"),
        ("<c><v>7</v></c>", 7.0),
        ("<!-- a remark --><c><v>7</v><!-- and another --></c>", 7.0),
        ('<c r="A1"/>', None),
        ('<c r="A1" t="n"><v/></c>', None),
    ],
)
def test_cells(tmp_path, xml, value):
    assert cell(f"<row>{xml}</row>", tmp_path) == value


def test_cells_without_addresses_stand_side_by_side(tmp_path):
    rows = (
        '<row r="2"><c><v>1</v></c><c r="D2"><v>2</v></c><c><v>3</v></c></row>'
        "<row><c><v>4</v></c></row>"
    )
    sheet = read(write(tmp_path / "a.xlsx", rows)).values.by_tab["t"]
    assert [sheet.cell(2, column) for column in range(1, 6)] == [1.0, None, None, 2.0, 3.0]
    assert sheet.cell(3, 1) == 4.0


def test_shared_formulas(tmp_path):
    rows = (
        '<row><c r="A1"><f t="shared" ref="A1:A2" si="0">B1*$C$1</f><v>1</v></c></row>'
        '<row><c r="A2"><f t="shared" si="0"/><v>1</v></c></row>'
    )
    formulas = read(write(tmp_path / "a.xlsx", rows)).formulas
    assert [each.text for each in formulas] == ["B1*$C$1", "B2*$C$1"]


def test_what_openpyxl_writes(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "it's one"
    sheet.append([1, "a", True, None, 2.5])
    sheet["A2"] = "=SUM(A1:E1)"
    book.defined_names["N"] = DefinedName("N", attr_text="'it''s one'!$A$1:$C$1")
    book.save(tmp_path / "a.xlsx")
    found = read(tmp_path / "a.xlsx")
    assert found.names == {"n": Area("it's one", 1, 1, 1, 3)}
    assert found.values.read(Area("it's one", 1, 1, 1, 5)).tolist() == [[1.0, "a", True, None, 2.5]]
    assert [(str(each.area), each.text, each.array) for each in found.formulas] == [
        ("'it''s one'!A2", "SUM(A1:E1)", False)
    ]


# --- what is refused -----------------------------------------------------------------------------


def refusal(path: Path) -> str:
    """What reading says, or else checking."""
    with pytest.raises(WorkbookError) as caught:
        read(path)
        check(path)
    sentence = str(caught.value)
    assert sentence.startswith(str(path)) and "\n" not in sentence and not sentence.endswith(".")
    return sentence.removeprefix(f"{path}: ")


def unreadable(why: str) -> str:
    return f"not a readable .xlsx workbook ({why}); build it again, or save it once more as .xlsx"


def test_files_that_are_no_workbooks(tmp_path):
    assert refusal(tmp_path / "no.xlsx") == "there is no such file; build one with sheetgpt build"
    assert refusal(tmp_path) == unreadable("Is a directory")
    (tmp_path / "a.xlsx").write_text("prompt;answer")
    assert refusal(tmp_path / "a.xlsx") == unreadable("File is not a zip file")
    (tmp_path / "a.xlsx").write_bytes(b"")
    assert refusal(tmp_path / "a.xlsx") == unreadable("File is not a zip file")
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("content.xml", "<a/>")
    assert refusal(tmp_path / "a.xlsx") == unreadable(
        "There is no item named 'xl/workbook.xml' in the archive"
    )


def test_workbooks_that_are_not_ours(tmp_path):
    openpyxl.Workbook().save(tmp_path / "a.xlsx")
    assert refusal(tmp_path / "a.xlsx") == (
        "this workbook does not say which model it holds, so sheetgpt did not build it, or its "
        "document properties were removed; build it again"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_head", "0"),
        ("n_head", "3"),
        ("n_layer", "1000000000"),
        ("n_embd", '"a"'),
        ("n_embd", "["),
        ("layer_norm_epsilon", "NaN"),
        ("activation_function", '"mish"'),
        ("room.tokens", "0"),
        ("room.rounds", "1000000000"),
        ("room.tokens", "33"),
    ],
)
def test_workbooks_that_say_nonsense_of_themselves(tiny_workbook, tmp_path, name, value):
    stated = re.compile(rf'(<property name="sheetgpt.{name}"[^>]*><vt:lpwstr[^>]*>)[^<]*')
    with zipfile.ZipFile(tiny_workbook) as old, zipfile.ZipFile(tmp_path / "a.xlsx", "w") as new:
        for part in old.namelist():
            data = old.read(part)
            if part == "docProps/custom.xml":
                text, n_changed = stated.subn(rf"\g<1>{value}", data.decode())
                assert n_changed == 1
                data = text.encode()
            new.writestr(part, data)
    assert refusal(tmp_path / "a.xlsx").startswith(
        "this workbook does not say which model it holds"
    )


def test_truncated_files(tiny_workbook, tmp_path):
    data = tiny_workbook.read_bytes()
    path = tmp_path / "a.xlsx"
    for length in np.linspace(0, len(data) - 1, 12, dtype=int):
        path.write_bytes(data[:length])
        assert refusal(path).startswith("not a readable .xlsx workbook (")


def test_damaged_files(tiny_workbook, tmp_path):
    """A byte changed anywhere is found, or harmless; it never ends in a traceback."""
    data = bytearray(tiny_workbook.read_bytes())
    random = np.random.default_rng(1)
    path = tmp_path / "a.xlsx"
    for at in random.integers(0, len(data), 60):
        data[at] ^= 0xFF
        path.write_bytes(data)
        data[at] ^= 0xFF
        try:
            read(path)
        except WorkbookError as error:
            assert str(error).startswith(str(path))


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ('<row><c r="A1" t="s"><v>7</v></c></row>', "list index out of range"),
        ('<row><c r="A1"><v>one</v></c></row>', "could not convert string to float: 'one'"),
        ('<row><c r="A1"><v>1e999</v></c></row>', "tab 't' has a cell that says 1e999"),
        ('<row><c r="A1"><v>nan</v></c></row>', "tab 't' has a cell that says nan"),
        ('<row r="0"><c r="A0"/></row>', "tab 't' has a cell A0"),
        ('<row><c r="AAAA1"/></row>', "tab 't' has a cell AAAA1"),
        ('<row><c r="1"/></row>', "tab 't' has a cell 1"),
        ('<row r="x"/>', "invalid literal for int() with base 10: 'x'"),
        (
            '<row><c r="A1"><f t="array" ref="A1:">1</f></c></row>',
            "tab 't', cell A1: the formula fills A1:",
        ),
        ('<row><c r="A1"><f t="shared" si="0"/></c></row>', "it has no 0"),
        (
            '<row><c r="A1"><v>1</v></c></row>'
            '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
            "tab 't' has cells as far as row 1048576, column 16384",
        ),
        (
            '<row><c r="A1"><f t="array" ref="A1:XFD1048576">1</f><v>1</v></c></row>',
            "the formulas of tab 't' fill cells as far as t!A1:XFD1048576",
        ),
    ],
)
def test_sheets_that_cannot_be(tmp_path, rows, why):
    assert refusal(write(tmp_path / "a.xlsx", rows)) == unreadable(why)


def test_parts_that_are_missing(tmp_path):
    no_target = f"{HEAD}<Relationships/>"
    assert refusal(write(tmp_path / "a.xlsx", workbook=f"{HEAD}<workbook {MAIN}>")).startswith(
        "not a readable .xlsx workbook ("
    )
    broken = write(tmp_path / "a.xlsx", sheet1="no XML")
    assert "Start tag expected" in refusal(broken)
    with zipfile.ZipFile(tmp_path / "b.xlsx", "w") as archive:
        with zipfile.ZipFile(write(tmp_path / "a.xlsx")) as whole:
            archive.writestr("xl/workbook.xml", whole.read("xl/workbook.xml"))
        archive.writestr("xl/_rels/workbook.xml.rels", no_target)
    assert refusal(tmp_path / "b.xlsx") == unreadable("it has no a")


BILLION = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9))
    + "]>"
)


def test_no_document_type_is_read(tmp_path):
    """Neither entities that grow without end, nor those that fetch a file."""
    cells = '<row><c t="str"><v>&{};</v></c></row>'
    sheet = f"<worksheet {MAIN}><sheetData>{cells}</sheetData></worksheet>"
    refused = unreadable("its XML declares a document type, which no workbook has")
    secret = tmp_path / "secret"
    secret.write_text("secret")
    fetching = f'<!DOCTYPE x [<!ENTITY a SYSTEM "file://{secret}">]>'
    for text in (fetching + sheet.format("a"), "<!DOCTYPE x>" + sheet.format("amp")):
        assert refusal(write(tmp_path / "a.xlsx", sheet1=HEAD + text)) == refused
    growing = write(tmp_path / "a.xlsx", sheet1=HEAD + BILLION + sheet.format("j"))
    assert refusal(growing).startswith("not a readable .xlsx workbook (")
    book = f"{HEAD}{fetching}<workbook {MAIN}>&a;</workbook>"
    assert refusal(write(tmp_path / "a.xlsx", workbook=book)) == refused


def test_zip_bombs(tmp_path):
    bomb = f"{HEAD}<worksheet {MAIN}><sheetData>{' ' * 60_000_000}</sheetData></worksheet>"
    assert refusal(write(tmp_path / "a.xlsx", sheet1=bomb)) == unreadable(
        f"its part xl/worksheets/sheet1.xml would unpack to {len(bomb):,} bytes"
    )
