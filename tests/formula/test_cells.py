"""Addresses, and the names that Excel accepts."""

import pytest

from sheetgpt.formula.cells import (
    Area,
    column_letters,
    column_number,
    is_legal_name,
    quoted,
    read_address,
    split_tab,
)

LETTERS = [(1, "A"), (26, "Z"), (27, "AA"), (52, "AZ"), (53, "BA"), (702, "ZZ"), (703, "AAA")]


@pytest.mark.parametrize(("number", "letters"), [*LETTERS, (16_384, "XFD")])
def test_letters_of_columns(number, letters):
    assert column_letters(number) == letters
    assert column_number(letters) == column_number(letters.lower()) == number


def test_every_column_reads_back():
    assert all(column_number(column_letters(column)) == column for column in range(1, 16_385))


@pytest.mark.parametrize(
    ("text", "area"),
    [
        ("C5", Area("t", 5, 3, 5, 3)),
        ("c5", Area("t", 5, 3, 5, 3)),
        ("$C$5:F9", Area("t", 5, 3, 9, 6)),
        ("F9:C5", Area("t", 5, 3, 9, 6)),  # corners in another order
        ("F5:C9", Area("t", 5, 3, 9, 6)),
        ("XFD1048576", Area("t", 1_048_576, 16_384, 1_048_576, 16_384)),
    ],
)
def test_addresses(text, area):
    assert read_address(text, "t") == area


@pytest.mark.parametrize(
    "text", ["XFE1", "A0", "A1048577", "A", "1", "A:A", "1:1", "A1:", "", "A1B2"]
)
def test_what_is_no_address(text):
    assert read_address(text, "t") is None


def test_an_area_says_where_it_is():
    area = Area("block 0", 5, 3, 9, 6)
    assert area.shape == (5, 4)
    assert area.address == "C5:F9"
    assert area.absolute == "'block 0'!$C$5:$F$9"
    assert str(area) == "'block 0'!C5:F9"
    assert str(area.cell(1, 2)) == "'block 0'!E6"
    assert area.row(0).address == "C5:F5"
    assert area.rows(1, 3).address == "C6:F7"
    assert area.columns(3, 4).address == "F5:F9"


@pytest.mark.parametrize("sides", [(0, 1, 1, 1), (2, 1, 1, 1), (1, 1, 1, 16_385), (1, 3, 1, 2)])
def test_an_area_stays_on_the_sheet(sides):
    with pytest.raises(ValueError, match="of 'wte' are not on a sheet"):
        Area("wte", *sides)


@pytest.mark.parametrize(
    "tab",
    [
        "block 0",
        "it's",
        "a!b",
        "R1C1",
        "r",
        "GPT2",
        "A1",
        "1st",
        "日本語",
        "a-b",
        "''",
        "wte",
        "b_0",
    ],
)
def test_a_tab_in_quotes_reads_back(tab):
    assert split_tab(f"{quoted(tab)}!A1") == (tab, "A1")


def test_tabs_that_need_no_quotes():
    assert [quoted(tab) for tab in ("wte", "weights_0", "LogITS")] == ["wte", "weights_0", "LogITS"]


@pytest.mark.parametrize(
    "name",
    [
        "wte",
        "h.0.ln_1.g",
        "h.11.attn.c_attn.w",
        "ln_f",
        "_x",
        "XFE1",
        "A1048577",
        "ABCD1",
        "A1.b",
        "RC.x",
    ],
)
def test_names_that_excel_accepts(name):
    assert is_legal_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "GPT2",
        "MLP1",
        "LN1",
        "H1",
        "h1",
        "xfd1",
        "R",
        "r",
        "C",
        "c",
        "R1C1",
        "RC",
        "r2",
        "C3",
        "R1C",
    ],
)
def test_names_that_look_like_cells(name):
    assert not is_legal_name(name)


@pytest.mark.parametrize("name", ["", "1st", "a b", "a-b", "a!b", "a" * 256])
def test_names_that_excel_refuses(name):
    assert not is_legal_name(name)
