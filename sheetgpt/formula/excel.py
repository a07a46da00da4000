"""Reading a tree as formula text.

Precedence as Excel documents it: unary minus binds tighter than %, then ^, then * and /, + and -,
&, and the comparisons last; operators of one strength group from the left.  Functions newer than
the file format carry the prefix that [MS-XLSX] 2.2.2 prescribes for them.
"""

from sheetgpt.formula.cells import Area, Fixed, quoted
from sheetgpt.formula.expr import Call, Expr, Number, Range, Text

BINARY = {
    **dict.fromkeys(("=", "<>", "<", "<=", ">", ">="), 1),
    "&": 2,
    **dict.fromkeys(("+", "-"), 3),
    **dict.fromkeys(("*", "/"), 4),
    "^": 5,
}
PERCENT, MINUS, ATOM = 6, 7, 8
STRENGTH = BINARY | {"%": PERCENT, "neg": MINUS}  # of all others ATOM

PREFIXED = frozenset({"UNICODE", "UNICHAR"})
NOT_PRINTABLE = frozenset({"row", "past", "seen", "column"})


def text(tree: Expr, tab: str) -> str:
    """The formula's text without the leading `=`, for a cell on `tab`."""
    if isinstance(tree, Range):
        if tree.name and not tree.part:
            return tree.name
        return _place(tree.area, tree.fixed, tab)
    if isinstance(tree, Number):
        return number(tree.value)
    if isinstance(tree, Text):
        return '"' + tree.value.replace('"', '""') + '"'
    assert isinstance(tree, Call)
    op, arguments = tree.op, tree.arguments
    if op in BINARY:
        strength, (left, right) = BINARY[op], arguments
        return f"{_at(left, strength, tab)}{op}{_at(right, strength + 1, tab)}"
    if op == "neg":
        return f"-{_at(arguments[0], MINUS, tab)}"
    if op == "%":
        return f"{_at(arguments[0], PERCENT, tab)}%"
    if op not in NOT_PRINTABLE:
        prefix = "_xlfn." if op in PREFIXED else ""
        return f"{prefix}{op}({','.join([text(each, tab) for each in arguments])})"
    raise ValueError(f"{tree} stands for all tokens; take it for one token before printing it")


def _place(area: Area, fixed: Fixed, tab: str) -> str:
    address = area.spelled(fixed)
    return address if area.tab == tab else f"{quoted(area.tab)}!{address}"


def _at(tree: Expr, least: int, tab: str) -> str:
    """The text of an operand, in brackets where it binds more loosely than `least`."""
    printed = text(tree, tab)
    if isinstance(tree, Call) and STRENGTH.get(tree.op, ATOM) < least:
        return f"({printed})"
    return printed


def number(value: float) -> str:
    """The shortest text that reads back as the same double."""
    return str(int(value)) if value == int(value) and value < 1e15 else repr(float(value)).upper()
