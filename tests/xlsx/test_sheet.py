"""The elements of a worksheet, one by one against what the schema wants; then whole files."""

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import openpyxl
import pytest
from lxml import etree

from sheetgpt.book.book import Bars, Book, Diverging, Rule, Tab, Text, Validation
from sheetgpt.book.rules import beside, itself
from sheetgpt.calculate.values import Sheet, Sheets
from sheetgpt.formula.cells import Area
from sheetgpt.office import libreoffice as office
from sheetgpt.xlsx import sheet as xml
from sheetgpt.xlsx.skeleton import skeleton
from sheetgpt.xlsx.write import save


def area(top: int, left: int, bottom: int | None = None, right: int | None = None) -> Area:
    return Area("t", top, left, bottom or top, right or left)


TAB = Tab("t", [Text(area(9, 4), "text", "text")], [], [], [], [], {}, {}, (0, 0))
STYLES = {"number": 3}


def test_sheet_properties():
    assert xml.sheet_properties(replace(TAB, color="0B4F9E")) == (
        '<sheetPr><tabColor rgb="FF0B4F9E"/>'
        '<outlinePr summaryBelow="0" summaryRight="0"/></sheetPr>'
    )


def test_dimension():
    assert xml.dimension(TAB) == '<dimension ref="A1:D9"/>'


VIEW = '<sheetViews><sheetView showGridLines="0" workbookViewId="0">{}</sheetView></sheetViews>'
PANES = {
    "no frozen pane": ((0, 0), None, '<selection activeCell="A1" sqref="A1"/>'),
    "a cursor": ((0, 0), (5, 2), '<selection activeCell="B5" sqref="B5"/>'),
    "rows stay, nobody types": (
        (3, 0),
        None,
        '<pane ySplit="3" topLeftCell="A4" activePane="bottomLeft" state="frozen"/>'
        '<selection pane="bottomLeft" activeCell="A1" sqref="A1"/>',
    ),
    "below what stays": (
        (3, 0),
        (5, 2),
        '<pane ySplit="3" topLeftCell="A4" activePane="bottomLeft" state="frozen"/>'
        '<selection pane="bottomLeft" activeCell="B5" sqref="B5"/>',
    ),
    "in the rows that stay": (
        (3, 0),
        (2, 2),
        '<pane ySplit="3" topLeftCell="A4" activePane="topLeft" state="frozen"/>'
        '<selection pane="topLeft" activeCell="B2" sqref="B2"/><selection pane="bottomLeft"/>',
    ),
    "right of what stays": (
        (0, 2),
        (5, 3),
        '<pane xSplit="2" topLeftCell="C1" activePane="topRight" state="frozen"/>'
        '<selection pane="topRight" activeCell="C5" sqref="C5"/>',
    ),
    "rows and columns stay": (
        (3, 2),
        (5, 3),
        '<pane xSplit="2" ySplit="3" topLeftCell="C4" activePane="bottomRight" state="frozen"/>'
        '<selection pane="topRight"/><selection pane="bottomLeft"/>'
        '<selection pane="bottomRight" activeCell="C5" sqref="C5"/>',
    ),
    "in the columns that stay": (
        (3, 2),
        (5, 2),
        '<pane xSplit="2" ySplit="3" topLeftCell="C4" activePane="bottomLeft" state="frozen"/>'
        '<selection pane="topRight"/><selection pane="bottomLeft" activeCell="B5" sqref="B5"/>'
        '<selection pane="bottomRight"/>',
    ),
}


@pytest.mark.parametrize(("frozen", "cursor", "panes"), PANES.values(), ids=PANES)
def test_sheet_views(frozen, cursor, panes):
    tab = replace(TAB, frozen=frozen, cursor=area(*cursor) if cursor else None)
    assert xml.sheet_views(tab, is_first=False) == VIEW.format(panes)


def test_the_tab_that_is_shown_on_opening():
    assert '<sheetView showGridLines="0" tabSelected="1" workbookViewId="0">' in xml.sheet_views(
        TAB, is_first=True
    )


def test_sheet_format():
    assert xml.sheet_format(TAB) == (
        '<sheetFormatPr defaultColWidth="9" defaultRowHeight="15.75" customHeight="1"/>'
    )
    assert xml.sheet_format(replace(TAB, row_groups=[(2, 3)], column_groups=[(1, 2)])).endswith(
        ' outlineLevelRow="2" outlineLevelCol="1"/>'
    )


def test_columns():
    tab = replace(TAB, widths={1: 20, 2: 4.5}, column_groups=[(3, 3)], default=(3, "number"))
    assert xml.columns(tab, STYLES) == (
        '<cols><col min="1" max="1" width="20" customWidth="1"/>'
        '<col min="2" max="2" width="4.5" customWidth="1"/>'
        '<col min="3" max="3" width="9" style="3" customWidth="1" outlineLevel="1"/>'
        '<col min="4" max="4" width="9" style="3" customWidth="1"/></cols>'
    )


def test_sheet_protection():
    assert xml.sheet_protection() == '<sheetProtection sheet="1" formatColumns="0" formatRows="0"/>'


def test_conditional_formatting():
    """Rules of one area stand together, and count on from those of others."""
    same, other = area(2, 1, 3, 2), area(5, 1)
    marked = Rule(same, beside(same, 1).equals("✗"), "edge")
    tab = replace(TAB, heat=[same], rules=[Rule(other, itself(other) < 0, "differs"), marked])
    assert xml.conditional_formatting(tab, {"differs": 0, "edge": 1}) == (
        '<conditionalFormatting sqref="A2:B3"><cfRule type="colorScale" priority="1">'
        '<colorScale><cfvo type="num" val="0"/><cfvo type="num" val="0.5"/>'
        '<cfvo type="num" val="1"/><color rgb="FFFFFFFF"/><color rgb="FFC3DBF5"/>'
        '<color rgb="FF64A1E4"/></colorScale></cfRule>'
        '<cfRule type="expression" dxfId="1" priority="3"><formula>$A2="✗"</formula></cfRule>'
        '</conditionalFormatting><conditionalFormatting sqref="A5">'
        '<cfRule type="expression" dxfId="0" priority="2"><formula>A5&lt;0</formula></cfRule>'
        "</conditionalFormatting>"
    )


@pytest.mark.parametrize(
    ("kind", "written"), [("decimal", "decimal"), ("whole", "whole"), ("text", "textLength")]
)
def test_data_validation(kind, written):
    validation = Validation(area(7, 2), kind, 0, 1.5, "Not < 0", 'A number from "0"\nto 1.5')
    assert xml.data_validation(validation) == (
        f'<dataValidation type="{written}" errorStyle="stop" allowBlank="1" showErrorMessage="1" '
        """errorTitle="Not &lt; 0" error='A number from "0"&#10;to 1.5' sqref="B7">"""
        "<formula1>0</formula1><formula2>1.5</formula2></dataValidation>"
    )


def test_data_validations():
    assert xml.data_validations(TAB) == ""
    one = Validation(area(7, 2), "whole", 0, 1e6, "title", "sentence")
    found = xml.data_validations(replace(TAB, validations=[one, one]))
    assert found.startswith('<dataValidations count="2"><dataValidation type="whole"')
    assert "<formula2>1000000</formula2>" in found


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("x" * 32, "x" * 32),
        ("x" * 33, "x" * 31 + "…"),
        ("😀" * 16, "😀" * 16),
        ("😀" * 17, "😀" * 15 + "…"),  # half a character stands nowhere
    ],
)
def test_a_message_as_long_as_excel_takes(text, cut):
    found = xml.data_validation(Validation(area(1, 1), "whole", 0, 1, text, text * 10))
    element = etree.fromstring(found)
    assert element.get("errorTitle") == cut
    assert len(element.get("error").encode("utf-16-le")) <= 2 * 255


def test_hyperlinks():
    to = Area("block 0", 3, 2, 3, 2)
    tab = replace(TAB, texts=[*TAB.texts, Text(area(2, 1), "a & b", "link", to)])
    assert xml.hyperlinks(TAB) == ""
    assert xml.hyperlinks(tab) == (
        """<hyperlinks><hyperlink ref="A2" location="'block 0'!B3" display="a &amp; b"/>"""
        "</hyperlinks>"
    )


def test_page_margins():
    assert xml.page_margins() == (
        '<pageMargins left="0.75" right="0.75" top="1" bottom="1" header="0.5" footer="0.5"/>'
    )


def test_the_elements_in_the_schema_s_order():
    tab = replace(
        TAB,
        heat=[area(1, 1)],
        validations=[Validation(area(1, 1), "whole", 0, 1, "", "")],
        texts=[Text(area(1, 1), "a", "link", area(1, 1))],
    )
    text = xml.head(tab, STYLES, is_first=True) + xml.tail(tab, {}, "rId1")
    root = etree.fromstring(text)
    assert [etree.QName(each).localname for each in root] == [
        "sheetPr", "dimension", "sheetViews", "sheetFormatPr", "cols", "sheetData",
        "sheetProtection", "conditionalFormatting", "dataValidations", "hyperlinks",
        "pageMargins", "drawing",
    ]  # fmt: skip
    assert root[-1].get(f"{{{xml.RELATIONS}}}id") == "rId1"


# --- whole files ---------------------------------------------------------------------------------


def typed(frozen: tuple[int, int] = (3, 1)) -> Book:
    """Two tabs; on the first one types into B5, numbers from 0 to 2."""
    validation = Validation(area(5, 2), "decimal", 0, 2, "A number", "Type a number from 0 to 2.")
    chart = Bars(area(6, 1, 7, 1), area(6, 2, 7, 2), area(2, 4), "Two bars", 8, 4)
    first = replace(
        TAB, frozen=frozen, cursor=area(5, 2), validations=[validation], charts=[chart],
        rules=[Rule(area(5, 2), itself(area(5, 2)) > 1, "differs")],
    )  # fmt: skip
    other = replace(TAB, name="other", texts=[Text(Area("other", 1, 1, 1, 1), "here", "text")])
    return Book([first, other], {"prompt": area(5, 2)})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return saved(typed(), tmp_path)


def saved(book: Book, folder: Path) -> Path:
    values = Sheets({tab.name: Sheet(*tab.extent) for tab in book.tabs})
    save(book, values, folder / "a.xlsx")
    return folder / "a.xlsx"


def test_openpyxl_reads_what_may_be_typed_and_where(path):
    book = openpyxl.load_workbook(path)
    sheet = book["t"]
    (validation,) = sheet.data_validations.dataValidation
    assert str(validation.sqref) == "B5"
    assert (validation.type, validation.operator, validation.errorStyle) == (
        "decimal",
        None,
        "stop",
    )
    assert (validation.formula1, validation.formula2) == ("0", "2")
    assert validation.allowBlank and validation.showErrorMessage
    assert (validation.errorTitle, validation.error) == ("A number", "Type a number from 0 to 2.")
    assert book.active is sheet and sheet.freeze_panes == "B4"
    assert cursor(sheet) == "B5"
    assert sheet.sheet_view.tabSelected and not book["other"].sheet_view.tabSelected
    assert sheet.protection.sheet and not sheet.protection.formatColumns


def cursor(sheet: Any) -> str:
    """Where the cursor is: in the pane that is active."""
    active = sheet.sheet_view.pane.activePane if sheet.sheet_view.pane else "topLeft"
    (found,) = (each for each in sheet.sheet_view.selection if (each.pane or "topLeft") == active)
    return str(found.activeCell)


def test_the_parts_fit_together(path):
    """The chart is found from its sheet, and a conditional look among the styles."""
    with ZipFile(path) as archive:
        names = archive.namelist()
        types = etree.fromstring(archive.read("[Content_Types].xml"))
        listed = {each.get("PartName") for each in types if each.get("PartName")}
        assert {f"/{name}" for name in names if "/sheet" in name and "_rels" not in name} <= listed
        drawing = archive.read("xl/drawings/drawing1.xml")
        assert b'descr="Two bars"' in drawing
        styles = etree.fromstring(archive.read("xl/styles.xml"))
        sheet = etree.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    assert len(openpyxl.load_workbook(path)["t"]._charts) == 1
    (rule,) = sheet.iterfind("{*}conditionalFormatting/{*}cfRule")
    look = styles.find("{*}dxfs")[int(rule.get("dxfId"))]
    assert look.find("{*}font/{*}color").get("rgb") == "009B1C1C"


def test_every_look_has_its_own_number():
    bones = skeleton(typed())
    styles = etree.fromstring(bones.parts["xl/styles.xml"])
    formats = styles.find("{*}cellXfs")
    assert max(bones.styles.values()) < len(formats)
    wide = formats[bones.styles["input"]]
    assert wide.find("{*}alignment").get("wrapText") == "1"
    assert formats[bones.styles["weight"]].get("fillId") != wide.get("fillId")


def test_libreoffice_opens_it_with_the_cursor_there(tmp_path, libreoffice):
    """Whatever stays while the rest scrolls; also where the cell itself stays."""
    paths = []
    for rows, stay in [(0, 0), (3, 0), (3, 1), (7, 0), (7, 5), (0, 4)]:
        folder = tmp_path / f"{rows} {stay}"
        folder.mkdir()
        paths.append(saved(typed((rows, stay)), folder))
    script = Path(__file__).with_name("cursor.py")
    done = subprocess.run(
        [office.uno_python(), script, office.soffice(), tmp_path / "profile", *paths],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.splitlines() == ["$t.$B$5"] * len(paths)


def test_a_diverging_scale_is_white_at_nothing():
    """18.3.1.16, with the largest size in a cell of the same tab, or known."""
    votes, largest = Area("t", 3, 3, 5, 6), Area("t", 9, 2, 9, 2)
    ends = ("F0A868", "FFFFFF", "64A1E4")
    colors = "".join(f'<color rgb="FF{color}"/>' for color in ends)
    for size, kind, text in ((largest, "formula", "$B$9"), (2.5, "num", "2.5")):
        assert xml.diverging_scale(Diverging(votes, size)) == (
            f'<colorScale><cfvo type="{kind}" val="-{text}"/><cfvo type="num" val="0"/>'
            f'<cfvo type="{kind}" val="{text}"/>{colors}</colorScale>'
        )
