"""Conditional formats are formulas: `check` names one that is missing, or says something else."""

import pytest
from lxml import etree

from sheetgpt.check import check
from sheetgpt.formula import excel
from sheetgpt.formula.parse import parse
from sheetgpt.xlsx.read import read
from tests.check.conftest import MAIN

WHERE = f"{MAIN}conditionalFormatting/{MAIN}cfRule[@type='expression']/{MAIN}formula"


def changed(editor, change):
    """Each rule of the file is changed; the first sentence that says so."""
    for tab in editor.part_of:
        for formula in editor.sheet(tab).iterfind(WHERE):
            change(formula)
    report = check(editor.save(), tries=0)
    assert not report.holds
    return next(result.problem for result in report.results if result.problem)


@pytest.mark.parametrize(
    "change",
    [
        lambda formula: setattr(formula, "text", formula.text.replace("$", "", 1)),
        lambda formula: setattr(formula, "text", f"NOT({formula.text})"),
        lambda formula: setattr(formula, "text", "RAND()>0.5"),
        lambda formula: formula.getparent().getparent().set("sqref", "A1"),
        lambda formula: formula.getparent().remove(formula),
    ],
    ids=["moves elsewhere", "its opposite", "another function", "other cells", "gone"],
)
def test_changed_rules_are_named(edit, change):
    assert "conditional format =" in changed(edit(), change)


def test_rules_of_others_may_be_there(edit):
    edited = edit()
    sheet = edited.sheet("start")
    rule = etree.SubElement(
        etree.SubElement(sheet, f"{MAIN}conditionalFormatting", sqref="A1:A4"),
        f"{MAIN}cfRule", type="expression", priority="99",
    )  # fmt: skip
    etree.SubElement(rule, f"{MAIN}formula").text = "ISODD(ROW())"
    assert check(edited.save(), tries=0).holds


def test_every_rule_of_the_file_is_a_tree(tiny_workbook):
    workbook = read(tiny_workbook)
    assert len(workbook.rules) > 40
    for rule in workbook.rules:
        assert excel.text(parse(rule.text, rule.tab, workbook.names), rule.tab) == rule.text
