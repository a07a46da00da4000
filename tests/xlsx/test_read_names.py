"""Defined names that do not simply stand for cells, and numbers side by side from any program."""

import zipfile

import pytest

from sheetgpt.formula.cells import Area, column_letters
from sheetgpt.xlsx.read import read

HEAD = '<?xml version="1.0"?>'
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def opened(tmp_path, names="", rows=""):
    path = tmp_path / "a.xlsx"
    files = {
        "xl/workbook.xml": f'{HEAD}<workbook {MAIN} xmlns:r="{RELATIONS}"><sheets><sheet name="t" '
        f'sheetId="1" r:id="a"/></sheets><definedNames>{names}</definedNames></workbook>',
        "xl/_rels/workbook.xml.rels": f'{HEAD}<Relationships><Relationship Id="a" '
        'Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f"{HEAD}<worksheet {MAIN}><sheetData>{rows}</sheetData>"
        "</worksheet>",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return read(path)


@pytest.mark.parametrize(
    ("names", "odd"),
    [
        ('<definedName name="N">t!$A$1:$B$2</definedName>', None),
        ('<definedName name="N">t!A1</definedName>', "without $"),
        ('<definedName name="N">t!$A1</definedName>', "without $"),
        ('<definedName name="N">t!$A$1:B$2</definedName>', "without $"),
        ('<definedName name="N">OFFSET(t!$A$1,1,1)</definedName>', "stands for OFFSET"),
        ('<definedName name="N"/>', "stands for nothing"),
        ('<definedName name="N" localSheetId="0">t!$A$1</definedName>', "means something else"),
        ('<definedName name="_xlnm.Print_Area" localSheetId="0">t!$A$1</definedName>', None),
        (
            '<definedName name="N">t!$A$1</definedName><definedName name="n">t!$A$2</definedName>',
            "two things",
        ),
    ],
)
def test_names(tmp_path, names, odd):
    found = opened(tmp_path, names).odd_names
    assert found == {} if odd is None else odd in found["n"]


@pytest.mark.parametrize(
    "cell",
    ['<c r="{}5"><v>{}</v></c>', '<c r="{}5" s="3"><v>{}</v></c>', '<c r="{}5" t="n"><v>{}</v></c>',
     '<c r="{}5" s="12" t="n"><v>{}</v></c>'],
)  # fmt: skip
@pytest.mark.parametrize("gap", [False, True])
def test_numbers_side_by_side(tmp_path, cell, gap):
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    letters = letters[0] + letters[2:] if gap else letters
    cells = "".join(cell.format(letter, i + 0.5) for i, letter in enumerate(letters))
    sheet = opened(tmp_path, rows=f'<row r="5">{cells}</row>').values.by_tab["t"]
    for i, letter in enumerate(letters):
        assert sheet.cell(5, ord(letter) - 64) == i + 0.5
    assert sheet.cell(5, 2) == (None if gap else 1.5)


def test_numbers_that_do_not_stand_side_by_side(tmp_path):
    """Addresses count, wherever the cells stand in the file."""
    places = [*range(1, 20), 30, 29, *range(40, 60)]
    cells = "".join(f'<c r="{column_letters(p)}1"><v>{p}</v></c>' for p in places)
    sheet = opened(tmp_path, rows=f'<row r="1">{cells}</row>').values
    assert [sheet.read(Area("t", 1, p, 1, p)) for p in places] == [float(p) for p in places]
