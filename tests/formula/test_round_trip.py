"""parse(text(tree)) is the tree again: printer and parser know nothing of one another."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sheetgpt.errors import WorkbookError
from sheetgpt.formula.cells import LAST_COLUMN, LAST_ROW, Area, is_legal_name
from sheetgpt.formula.excel import number, text
from sheetgpt.formula.expr import Call, Expr, Number, Range, Text, call
from sheetgpt.formula.parse import parse

HERE = "block 0"
TABS = [
    HERE,
    "wte",
    "it's",
    "a!b",
    "R1C1",
    "GPT2",
    "1st",
    "日本語",
    "x(1)",
    'say "hi"',
    "a,b",
    "''",
]
NAMES = {
    name: Area("weights 0", row, 2, row, 2)
    for row, name in enumerate(["wte", "h.0.attn.c_attn.w", "ln_f.g", "n_tokens", "_x", "xfe1"], 1)
}
BINARY = ["+", "-", "*", "/", "^", "&", "=", "<>", "<", "<=", ">", ">="]
FUNCTIONS = {  # name -> how many arguments
    "SUM": 3, "MAX": 1, "AND": 2, "LARGE": 2, "EXP": 1, "NORMSDIST": 1, "UNICODE": 1, "UNICHAR": 1,
    "LEN": 1, "MID": 3, "MOD": 2, "IFERROR": 2, "IF": 3, "CHOOSE": 4, "MATCH": 3, "INDEX": 2,
    "MMULT": 2, "TRANSPOSE": 1, "DEC2HEX": 2, "PI": 0,
}  # fmt: skip


@st.composite
def cells(draw: st.DrawFn) -> Area:
    row, column = draw(st.integers(1, LAST_ROW)), draw(st.integers(1, LAST_COLUMN))
    return Area(draw(st.sampled_from(TABS)), row, column, row, column)


leaves = st.one_of(
    st.floats(min_value=0, allow_infinity=False, allow_nan=False).map(Number),
    st.integers(0, 10**18).map(float).map(Number),
    st.text().map(Text),
    cells().map(Range),
    st.sampled_from(sorted(NAMES)).map(lambda name: Range(NAMES[name], name)),
)


def nested(below: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    """Every operator and function, of single values: so every nesting has a shape."""
    return st.one_of(
        st.builds(lambda op, *both: Call(op, both), st.sampled_from(BINARY), below, below),
        st.builds(lambda op, one: Call(op, (one,)), st.sampled_from(["neg", "%"]), below),
        st.sampled_from(sorted(FUNCTIONS)).flatmap(
            lambda op: st.tuples(*[below] * FUNCTIONS[op]).map(lambda each: Call(op, each))
        ),
    )


@settings(max_examples=500, deadline=None)
@given(st.recursive(leaves, nested, max_leaves=25))
def test_a_random_tree(tree: Expr) -> None:
    assert parse(text(tree, HERE), HERE, NAMES) == tree


@given(st.sampled_from(TABS), st.integers(1, LAST_ROW), st.integers(1, LAST_COLUMN), st.data())
def test_a_random_area(tab: str, top: int, left: int, data: st.DataObject) -> None:
    bottom, right = data.draw(st.integers(top, LAST_ROW)), data.draw(st.integers(left, LAST_COLUMN))
    area = Range(Area(tab, top, left, bottom, right))
    assert parse(text(area, HERE), HERE, NAMES) == area


@pytest.mark.parametrize("value", [0, 1, 0.1, 1e-5, 1e300, 5e-324, 1e15, 2.0**60, 1 / 3])
def test_a_number_reads_back_as_the_same_double(value: float) -> None:
    assert float(number(value)) == value
    assert parse(number(value), HERE, {}) == Number(value)


A, B, C = (Range(Area("t", 1, column, 1, column)) for column in (1, 2, 3))


@pytest.mark.parametrize(
    ("tree", "printed"),
    [
        (-(A**2), "-(A1^2)"),
        ((-A) ** 2, "-A1^2"),  # in a spreadsheet the sign binds tighter
        (A ** (B**C), "A1^(B1^C1)"),
        ((A**B) ** C, "A1^B1^C1"),
        (A - (B - C), "A1-(B1-C1)"),
        (A - B - C, "A1-B1-C1"),
        (A / (B * C), "A1/(B1*C1)"),
        ((A + B) * C, "(A1+B1)*C1"),
        (A * -B, "A1*-B1"),
        (-Call("neg", (A,)), "--A1"),
        (Call("%", (A + B,)), "(A1+B1)%"),
        (Call("%", (-A,)), "-A1%"),
        (-Call("%", (A,)), "-(A1%)"),
        (A.equals(B).equals(C), "A1=B1=C1"),
        (A.equals(B.equals(C)), "A1=(B1=C1)"),
        (Call("&", (A + B, C)), "A1+B1&C1"),
        (Call("&", (A, B)) + C, "(A1&B1)+C1"),
        (call("UNICODE", "é"), '_xlfn.UNICODE("é")'),
        (call("IF", A, 'say "hi"', ""), 'IF(A1,"say ""hi""","")'),
        (Range(Area("it's", 1, 1, 2, 2)), "'it''s'!A1:B2"),
        (Range(Area("t", 1, 1, 2, 2), "wte"), "wte"),
        (call("PI"), "PI()"),
    ],
)
def test_text(tree: Expr, printed: str) -> None:
    assert text(tree, "t") == printed


@pytest.mark.parametrize(
    ("formula", "tree"),
    [
        ("= A1 + B1 ", A + B),
        ("+A1", A),
        ("((A1))", A),
        ("$A$1+t!B$1", A + B),
        ("'t'!$A1", A),
        ("\n A1 +\t( B1 )", A + B),
        ("sum( A1 , B1 )", call("SUM", A, B)),
        ("_xlfn.unicode(A1)", call("UNICODE", A)),
        ("1.5e+3", Number(1500)),
        (".5", Number(0.5)),
        ("2.", Number(2)),
        ('"a=""b"" (c"', Text('a="b" (c')),
        ("WTE", Range(NAMES["wte"], "WTE")),
    ],
)
def test_what_other_applications_write(formula: str, tree: Expr) -> None:
    assert parse(formula, "t", NAMES) == tree


@pytest.mark.parametrize(
    ("formula", "reason"),
    [
        ("", "it ends too early"),
        ("1+", "it ends too early"),
        ("(A1", "it ends too early"),
        ("A1)", "')' stands where the end should be"),
        ("SUM(A1", "it ends too early"),
        ("SUM(A1,,B1)", "',' stands where a value should be"),
        ("1 2", "'2' stands where the end should be"),
        ("A1 B1", "'B1' stands where the end should be"),
        ("*A1", "'*' stands where a value should be"),
        ('"open', "'\"open' is no part of a formula"),
        ("'t!A1", "''t!A1' is no part of a formula"),
        ("{1,2}", "'{1,2}' is no part of a formula"),
        ("1+#N/A", "'#N/A' is no part of a formula"),
        ("[1]t!A1", "'[1]t!A1' is no part of a formula"),
        ("A1#", "'#' is no part of a formula"),
        ("@A1", "'@A1' is no part of a formula"),
        ("A:A", "'A:A' is neither an address nor a defined name"),
        ("A1:B2:C3", "'A1:B2:C3' is neither an address nor a defined name"),
        ("A1:INDEX(B1,1)", "'A1:INDEX' is neither an address nor a defined name"),
        ("XFE2", "'XFE2' is neither an address nor a defined name"),
        ("nothing", "'nothing' is neither an address nor a defined name"),
        ("t!wte", "'t!wte' is neither an address nor a defined name"),
        ("TRUE", "'TRUE' is neither an address nor a defined name"),
        ("OFFSET(A1,1,1)", "OFFSET is not a function that these formulas use"),
        ("row(A1)", "ROW is not a function that these formulas use"),
        ("neg(A1)", "NEG is not a function that these formulas use"),
        ("MMULT(A1:B1,A1:B1)", "MMULT cannot take arguments of 1 x 2, 1 x 2 cells"),
        ("IF(A1)", "IF cannot take arguments of 1 x 1 cells"),
        ("1E999", "inf is not a number that formula text can hold"),
        ("1" + "+1" * 300, "it is more than 100 levels deep"),
        ("(" * 5000 + "1", "it is more than 100 levels deep"),
        ("-" * 5000 + "1", "it is more than 100 levels deep"),
    ],
)
def test_what_cannot_be_read(formula: str, reason: str) -> None:
    with pytest.raises(WorkbookError, match=re.escape(f"({reason})")) as caught:
        parse(formula, "block 0", NAMES)
    sentence = str(caught.value)
    assert sentence.startswith(f"tab 'block 0': the formula ={formula[:200]} cannot be read")
    assert sentence.endswith("; build the workbook again, or undo the change to that formula")


def test_the_names_of_this_page_are_legal() -> None:
    assert all(is_legal_name(name) for name in NAMES)
