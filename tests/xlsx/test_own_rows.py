"""Reading rows spelled as ours: the same as an XML parser reads, however rows are spelled."""

import zipfile
from pathlib import Path
from unittest.mock import Mock

import pytest

from sheetgpt.errors import WorkbookError
from sheetgpt.formula.cells import Area
from sheetgpt.xlsx import parallel
from sheetgpt.xlsx import read as reading
from sheetgpt.xlsx.own_rows import without_own_rows
from sheetgpt.xlsx.read import Workbook, read

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
HEAD, TAIL = f"<worksheet {MAIN}><sheetData>", "</sheetData></worksheet>"


def sheet(path: Path, rows: str | bytes, head: str = HEAD) -> Path:
    """A workbook of one tab `t` whose XML begins as ours does."""
    parts: dict[str, str | bytes] = {
        "xl/workbook.xml": f'<workbook {MAIN} xmlns:r="{RELATIONS}">'
        '<sheets><sheet name="t" sheetId="1" r:id="a"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<Relationships><Relationship Id="a" '
        'Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": head.encode()
        + (rows if isinstance(rows, bytes) else rows.encode())
        + TAIL.encode(),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return path


def by_parser(path: Path, monkeypatch) -> Workbook:
    with monkeypatch.context() as patch:
        patch.setattr(parallel, "without_runs", lambda pieces, runs: pieces)
        patch.setattr(reading, "without_own_rows", lambda pieces, put: pieces)
        return read(path)


def is_read_alike(fast: Workbook, slow: Workbook) -> bool:
    """Whether two ways of reading a file found the same values, formulas and rules."""
    for name, mine in fast.values.by_tab.items():
        other = slow.values.by_tab[name]
        rows, columns = (
            max(a, b) for a, b in zip(mine.kinds.shape, other.kinds.shape, strict=True)
        )
        for sheet_ in (mine, other):
            for block in sheet_.blocks:
                rows, columns = max(rows, block.area.bottom), max(columns, block.area.right)
        area = Area(name, 1, 1, max(rows, 2), max(columns, 2))
        mine_read, others = fast.values.read(area), slow.values.read(area)
        if repr(mine_read.tolist()) != repr(others.tolist()):
            return False
    return fast.formulas == slow.formulas and fast.rules == slow.rules


OWN = '<row r="2"><c r="A2" s="1"><v>5</v></c></row>'
ROWS = {
    "a number": OWN,
    "nothing": "",
    "an empty row": '<row r="2"></row>',
    "a row that closes itself": '<row r="2"/>' + OWN.replace("2", "3"),
    "how it looks": '<row r="2" ht="20" customHeight="1"><c r="A2"/><c r="B2" s="4"/></row>',
    "a formula": '<row r="2"><c r="A2"><f>B2&amp;"&lt;"</f><v>5</v></c></row>',
    "an array formula": '<row r="2"><c r="A2"><f t="array" ref="A2:B3">C2:D3</f><v>5</v></c></row>',
    "a shared formula": '<row r="2"><c r="A2"><f t="shared" ref="A2:A3" si="0">B2</f><v>5</v></c>'
    '</row><row r="3"><c r="A3"><f t="shared" si="0"/><v>5</v></c></row>',
    "a formula without a value": '<row r="2"><c r="A2"><f>B2</f></c></row>',
    "a formula that is empty": '<row r="2"><c r="A2"><f></f><v>5</v></c></row>',
    "a text": '<row r="2"><c r="A2" t="inlineStr"><is><t>a &amp; _x0041_</t></is></c></row>',
    "a text with spaces": '<row r="2"><c r="A2" t="inlineStr"><is><t xml:space="preserve"> a\n\tb '
    "</t></is></c></row>",
    "a text in two": '<row r="2"><c r="A2" t="inlineStr"><is><r><t>a</t></r><r><t>b</t></r></is>'
    "</c></row>",
    "an empty text": '<row r="2"><c r="A2" t="str"><f>""</f><v></v></c></row>',
    "a result that is a text": '<row r="2"><c r="A2" t="str"><f>B2</f><v xml:space="preserve"> é'
    "</v></c></row>",
    "a truth value": '<row r="2"><c r="A2" t="b"><v>1</v></c></row>',
    "an error": '<row r="2"><c r="A2" t="e"><v>#N/A</v></c></row>',
    "an unknown error": '<row r="2"><c r="A2" t="e"><v>#WHAT</v></c></row>',
    "a number without digits": '<row r="2"><c r="A2"><v></v></c></row>',
    "characters by number": '<row r="2"><c r="A2" t="str"><v>&#65;&quot;</v></c></row>',
    "an entity twice": '<row r="2"><c r="A2" t="str"><v>&amp;lt;</v></c></row>',
    "ends of lines": '<row r="2"><c r="A2" t="str"><v>a\r\nb\rc</v></c></row>',
    "CDATA": '<row r="2"><c r="A2" t="str"><v><![CDATA[<c>]]></v></c></row>',
    "a row within CDATA": f'<row r="3"><c r="A3" t="str"><v><![CDATA[{OWN}]]></v></c></row>',
    "a row within a comment": f'<!--{OWN}--><row r="4"><c r="A4"><v>1</v></c></row>',
    "an instruction": f"<?what {OWN}?>",
    "a row without number": OWN + '<row><c r="A3"><v>6</v></c></row>',
    "a row whose number comes later": OWN + '<row ht="3" r="7"><c><v>6</v></c></row>' + OWN,
    "rows without number": OWN + '<row ht="3"><c><v>6</v></c></row>' + OWN.replace("2", "9"),
    "a cell without address": OWN + '<row r="3"><c><v>6</v></c></row>',
    "the address of another row": '<row r="2"><c r="A3"><v>5</v></c></row>',
    "cells in any order": '<row r="2"><c r="C2"><v>5</v></c><c r="A2"><v>6</v></c></row>',
    "a cell twice": '<row r="2"><c r="A2"><v>5</v></c><c r="A2"><v>6</v></c></row>',
    "attributes in another order": '<row r="2"><c s="1" r="A2"><v>5</v></c></row>',
    "small letters": '<row r="2"><c r="a2"><v>5</v></c></row>',
    "spaces between": '<row r="2"> <c r="A2"><v>5</v></c> </row>',
    "unlike spellings of numbers": '<row r="2"><c r="A2"><v> 5 </v></c><c r="B2"><v>1E-3</v></c>'
    '<c r="C2"><v>+.5</v></c></row>',
    "a type that others write": '<row r="2"><c r="A2" t="n"><v>5</v></c></row>',
    "what stands behind the rows": OWN + '</sheetData><conditionalFormatting sqref="A1">'
    '<cfRule type="expression"><formula>A1&gt;1</formula></cfRule></conditionalFormatting>'
    "<sheetData>",
}  # fmt: skip


@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
@pytest.mark.parametrize("head", [HEAD, '<?xml version="1.0" encoding="ISO-8859-1"?>' + HEAD])
def test_the_same_as_a_parser(tmp_path, monkeypatch, rows, head):
    path = sheet(tmp_path / "a.xlsx", rows, head)
    assert is_read_alike(read(path), by_parser(path, monkeypatch))


BROKEN = {
    "a control character": b'<row r="2"><c r="A2" t="str"><v>\x01</v></c></row>',
    "no character": b'<row r="2"><c r="A2" t="str"><v>\xef\xbf\xbf</v></c></row>',
    "no UTF-8": b'<row r="2"><c r="A2" t="str"><v>\xff</v></c></row>',
    "half a surrogate": b'<row r="2"><c r="A2" t="str"><v>\xed\xa0\x80</v></c></row>',
    "an unknown entity": b'<row r="2"><c r="A2" t="str"><v>&nbsp;</v></c></row>',
    "an ampersand": b'<row r="2"><c r="A2" t="str"><v>a & b</v></c></row>',
    "a bracket": b'<row r="2"><c r="A2" t="str"><v>a < b</v></c></row>',
    "the end of CDATA": b'<row r="2"><c r="A2" t="str"><v>]]></v></c></row>',
    "no quotes": b'<row r="2" ht=20><c r="A2"><v>5</v></c></row>',
    "an attribute twice": b'<row r="2" r="3"><c r="A2"><v>5</v></c></row>',
    "a row within a row": b'<row r="2"><row r="3"><c r="A3"><v>5</v></c></row>',
    "infinite": b'<row r="2"><c r="A2"><v>1e999</v></c></row>',
    "no number": b'<row r="2"><c r="A2"><v>five</v></c></row>',
    "too far right": b'<row r="2"><c r="XFE2"><v>5</v></c></row>',
    "too far down": b'<row r="1048577"><c r="A1048577"><v>5</v></c></row>',
    "row 0": b'<row r="0"><c r="A0"><v>5</v></c></row>',
    "cells that no sheet has": b'<row r="2"><c r="A2"><f t="array" ref="A2:A0">1</f></c></row>',
}  # fmt: skip


@pytest.mark.parametrize("rows", BROKEN.values(), ids=BROKEN)
def test_what_no_workbook_holds(tmp_path, monkeypatch, rows):
    path = sheet(tmp_path / "a.xlsx", rows)
    with pytest.raises(WorkbookError, match="not a readable"):
        by_parser(path, monkeypatch)
    with pytest.raises(WorkbookError, match="not a readable"):
        read(path)


def test_any_cut_into_pieces():
    """However the bytes come, a comment around rows is seen; what is ours is found, or is left."""
    xml = f"{HEAD}{OWN}<!--{OWN}-->{OWN}{TAIL}".encode()
    for size in (11, 12, 64, 100, 133, len(xml)):
        pieces = [xml[at : at + size] for at in range(0, len(xml), size)]
        put = Mock()
        left = b"".join(without_own_rows(iter(pieces), put))
        assert OWN.encode() in left[left.index(b"<!--") : left.index(b"-->")]
        assert put.call_count + left.count(b"<row ") == 3


def test_a_workbook_of_ours_has_no_other_rows(short_nano_workbook, monkeypatch):
    """Not one of its cells comes to the parser, and all is read alike."""
    slow = by_parser(short_nano_workbook, monkeypatch)
    monkeypatch.delattr(reading._SheetReader, "_cell")
    assert is_read_alike(read(short_nano_workbook), slow)
