"""Workbooks that somebody made to do harm: each ends in one sentence, soon, in little memory.

A seeded generator changes the XML of a small workbook; nothing of it is kept.
"""

import os
import re
import resource
import time
from random import Random
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from click.testing import CliRunner

from sheetgpt.book.extras import NAMES as EXTRAS
from sheetgpt.build import Order
from sheetgpt.check.file import ModelInFile
from sheetgpt.check.formulas import Formulas
from sheetgpt.check.limits import limits_of, work
from sheetgpt.cli import main
from sheetgpt.xlsx.read import read
from tests.once import built_once
from tests.places import CHECKPOINTS

SECONDS, BYTES = 10, 2_000_000_000  # of a processor and of memory, that one file may take at most
EMPTY_CELL = re.compile(rb'(<row r="3"[^>]*>)')  # of every tab: here a cell is put in


def ending(path):
    """The exit status of `sheetgpt check`, and what it says; never a traceback."""
    before, memory = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = CliRunner().invoke(main, ["check", str(path), "--try", "0"])
    assert isinstance(result.exception, SystemExit | None), repr(result.exception)
    assert time.process_time() - before < SECONDS
    grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory)
    assert grown < BYTES
    return result.exit_code, result.stderr


def refusal(path):
    status, said = ending(path)
    assert status == 2, said
    assert said.startswith("sheetgpt: ") and said.count("\n") == 1 and ". " not in said
    return said


class Parts:
    """The parts of a workbook, to be changed and saved."""

    def __init__(self, path, to):
        self.to = to
        with ZipFile(path) as archive:
            self.parts = {name: archive.read(name) for name in archive.namelist()}

    def saved(self, **changed):
        """With other parts, by the stems of their files."""
        with ZipFile(self.to, "w", ZIP_DEFLATED, compresslevel=1) as archive:
            for name, data in self.parts.items():
                stem = name.rpartition("/")[2].split(".")[0]
                archive.writestr(name, changed.get(stem, data))
        return self.to

    def with_cell(self, xml, stem="sheet2"):
        (name,) = (name for name in self.parts if name.endswith(f"worksheets/{stem}.xml"))
        changed, count = EMPTY_CELL.subn(rb"\1" + xml.encode(), self.parts[name], count=1)
        assert count == 1
        return self.saved(**{stem: changed})


@pytest.fixture(scope="module")
def smallest(tmp_path_factory):
    """One block, two rows and no extras, as hundreds of copies of it are checked as a whole."""
    order = Order(
        "a", context=2, prompt_length=2, new_tokens=1, extras=dict.fromkeys(EXTRAS, False)
    )
    return built_once(tmp_path_factory, "smallest.xlsx", CHECKPOINTS / "padded", order)


@pytest.fixture
def parts(smallest, tmp_path):
    return Parts(smallest, tmp_path / "hostile.xlsx")


def test_nothing_is_wrong_before(parts):
    assert ending(parts.saved())[0] == 0


def test_limits_leave_room(tiny_workbook):
    """A workbook of ours needs less than half of what a file may ask for."""
    workbook = read(tiny_workbook)
    most = limits_of(ModelInFile(tiny_workbook, workbook).stated)
    done = [work(formula.tree) for formula in Formulas(workbook).all]
    assert 2 * sum(total for total, _ in done) < most.work
    assert 2 * max(largest for _, largest in done) < most.span
    assert 2 * len(done) < most.formulas
    assert 2 * max(sheet.kinds.size for sheet in workbook.values.by_tab.values()) < most.span


# --- formulas that ask for too much --------------------------------------------------------------

GREEDY = [
    "SUM(A1:XFD1048576)",
    "SUM('block 0'!A1:XFD1048576)",
    "MAX(wte!A1:XFD1048576,1)",
    "COUNT(A1:XFD20000)",
    "SUMPRODUCT(A1:XFD20000)",
    "SUMPRODUCT(A1:XFD20000,A1:XFD20000)",
    "SUMPRODUCT(A1:A1000000*A1:XFD1)",
    "MATCH(wte!A1:A100000,wte!B1:B100000,0)",
    "SUM(MATCH(A1:A100000,B1:B100000,1))",
    "MMULT(A1:A1048576,A1:XFD1)",
    "MMULT(A1:XFD16384,A1:XFD16384)",
    "TRANSPOSE(A1:XFD100000)",
    "INDEX(A1:XFD100000,0,0)",
    "COUNTIF(A1:XFD100000,1)",
    "LARGE(A1:XFD100000,5)",
    "IF(A1:XFD100000>1,1,2)",
    "A1:XFD20000&A1:XFD20000",
    "AND(A1:XFD100000)",
]


@pytest.mark.parametrize("formula", GREEDY)
@pytest.mark.parametrize("array", [True, False], ids=["array", "plain"])
def test_a_formula_over_a_whole_sheet(parts, formula, array):
    text = formula.replace("&", "&amp;").replace(">", "&gt;")
    kind = ' t="array" ref="XFD3"' if array else ""
    said = refusal(parts.with_cell(f'<c r="XFD3"><f{kind}>{text}</f><v>0</v></c>'))
    assert "compute" in said or "far more" in said or "cells as far as" in said


@pytest.mark.parametrize("ref", ["A3:XFD6000", "A3:J10000000", "A1:XFD1048576", "A3:A1048576"])
def test_a_formula_that_fills_a_sheet(parts, ref):
    refusal(parts.with_cell(f'<c r="A3"><f t="array" ref="{ref}">1</f><v>1</v></c>'))


def test_many_formulas(parts):
    cells = "".join(
        f'<row r="{row}"><c r="AAA{row}"><f>AAA{row - 1}&amp;AAA{row - 1}</f></c></row>'
        for row in range(2000, 22_000)
    ).encode()
    sheet = parts.parts["xl/worksheets/sheet2.xml"].replace(
        b"</sheetData>", cells + b"</sheetData>"
    )
    assert "formulas of tab" in refusal(parts.saved(sheet2=sheet))


def test_texts_that_double(parts):
    """Thirty formulas, each twice the one before: a cell holds no more than 32,767 characters."""
    cells = "".join(
        f'<row r="{row}"><c r="AA{row}"><f>AA{row - 1}&amp;AA{row - 1}&amp;"x"</f></c></row>'
        for row in range(2000, 2040)
    ).encode()
    sheet = parts.parts["xl/worksheets/sheet2.xml"].replace(
        b"</sheetData>", cells + b"</sheetData>"
    )
    status, _ = ending(parts.saved(sheet2=sheet))
    assert status in (0, 1)


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.xlsx")
    assert "it is no regular file" in refusal(tmp_path / "pipe.xlsx")
    assert "it is no regular file" in refusal("/dev/zero")
    refusal(tmp_path)


# --- anything at all -----------------------------------------------------------------------------

NONSENSE = [
    "", "-1", "0", "1e999", "NaN", "null", "[", "true", '"x"', "99999999999999999999", "\ud7ff",
    "[" * 5000, "1" * 5000, "{}", "𝔘", "-0.0", "1048577", "0x10", " ", "2147483648",
]  # fmt: skip


@pytest.mark.parametrize("turn", range(6))
def test_properties_of_nonsense(parts, turn):
    """Each property in turn says something that no workbook of ours can say."""
    custom = parts.parts["docProps/custom.xml"].decode()
    stated = re.findall(r'name="(sheetgpt\.[^"]+)"', custom)
    random, seen = Random(1), 0
    for name in stated:
        value = random.sample(NONSENSE, 6)[turn]
        pattern = rf'(name="{re.escape(name)}".*?lpwstr[^>]*>)[^<]*'
        other = re.sub(pattern, lambda found, value=value: found[1] + value, custom, count=1)
        status, said = ending(parts.saved(custom=other.encode()))
        seen += status == 2 and said.count("\n") == 1
        assert status in (0, 1, 2)
    assert seen >= 7


ATTRIBUTES = ["r", "t", "s", "ref", "si", "localSheetId", "name", "sheetId", "Target", "Id"]
VALUES = [
    "", "A0", "XFE1", "ZZZZ1", "A99999999", "s", "shared", "array", "dataTable", "-5", "1e9",
    "A1:", "A1:XFD1048576", "../../etc/passwd", "xl/workbook.xml", "&#55296;", "é", "$A$1", "b",
    "e", "inlineStr", "2147483648", "'", "#REF!", "A1 B2", "[1]x!A1",
]  # fmt: skip


def damaged(random, xml):
    """The XML with one thing in it that is not as it should be."""
    kind = random.randrange(6)
    places = [found.start() for found in re.finditer("<", xml)]
    at = random.choice(places)
    if kind == 0:
        return xml[:at] + xml[at + random.randint(1, 40) :]
    if kind == 1:
        name = random.choice(ATTRIBUTES)
        return re.sub(rf' {name}="[^"]*"', f' {name}="{random.choice(VALUES)}"', xml, count=5)
    if kind == 2:
        return xml[:at] + random.choice(("<a>", "</c>", "<![CDATA[", "<!--", "<?x?>")) + xml[at:]
    if kind == 3:
        return re.sub(r">[^<]+<", lambda found: f">{random.choice(VALUES)}<", xml, count=9)
    if kind == 4:
        return xml.replace("<v>", "<v>1e", random.randint(1, 50))
    return xml[:at] + "<row><c><f>" * 50 + xml[at:]


@pytest.mark.parametrize("seed", range(10))
def test_damaged_parts(parts, seed):
    """Refused, or found to differ, or harmless; nothing else."""
    random, statuses = Random(seed), []
    names = [n for n in parts.parts if n.endswith((".xml", ".rels")) and "theme" not in n]
    for _ in range(15):
        name = random.choice(names)
        stem = name.rpartition("/")[2].split(".")[0]
        other = damaged(random, parts.parts[name].decode()).encode("utf-8", "surrogatepass")
        status, said = ending(parts.saved(**{stem: other}))
        statuses.append(status)
        if status == 2:
            assert said.startswith("sheetgpt: ") and said.count("\n") == 1, said
    assert set(statuses) <= {0, 1, 2} and statuses.count(2) >= 5
