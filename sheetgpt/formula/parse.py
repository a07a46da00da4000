"""From formula text back to a tree: one pattern for what stands in it, and precedence climbing.

Knows nothing of how `excel.py` prints, so that a round trip through both is evidence.
Precedence: Microsoft, "Calculation operators and precedence in Excel".
"""

import re
from collections.abc import Iterator, Mapping

from sheetgpt.errors import WorkbookError
from sheetgpt.formula.cells import Area, fixed_sides, read_address, split_tab
from sheetgpt.formula.expr import Call, Expr, Number, Range, Text

DEEPEST = 100  # levels of a tree; Excel allows 64 of functions inside one another
_TOO_DEEP = f"it is more than {DEEPEST} levels deep"
_TOO_EARLY = "it ends too early"

_STRENGTH = {
    "=": 10, "<>": 10, "<": 10, "<=": 10, ">": 10, ">=": 10,
    "&": 20,
    "+": 30, "-": 30,
    "*": 40, "/": 40,
    "^": 50,
    "%": 60,
}  # fmt: skip
_UNARY_STRENGTH = 70

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<sign> <= | >= | <> | [-+*/^&=<>%(),] )
      | (?P<number> (?: \d+\.?\d* | \.\d+ ) (?: [eE][-+]?\d+ )? )
      | (?P<text> " (?: [^"] | "" )* " )
      | (?P<function> [^\W\d][\w.]* ) \(
      | (?P<reference> (?: ' (?: [^'] | '' )+ '! | [^\W\d][\w.]*! )? [$\\\w][$\\\w.:]* )
      | (?P<end> \Z )
    )""",
    re.VERBOSE,
)


def parse(formula: str, tab: str, names: Mapping[str, Area]) -> Expr:
    """The tree of a formula's text, with or without its leading `=`.

    `tab` is where the formula stands; `names` gives the area of each defined name, under the
    name in lower case.  Raises WorkbookError for what these formulas never hold.
    """
    try:
        reader = _Reader(formula.removeprefix("="), tab, names)
        tree = reader.expression(0)
        reader.expect("")
        if len(formula) > DEEPEST and _depth(tree) > DEEPEST:
            raise ValueError(_TOO_DEEP)
    except (ValueError, RecursionError) as error:
        start = " ".join(formula.removeprefix("=").split())[:200]
        reason = _TOO_DEEP if isinstance(error, RecursionError) else error
        raise WorkbookError(
            f"tab '{tab}': the formula ={start} cannot be read ({reason}); "
            "build the workbook again, or undo the change to that formula"
        ) from error
    return tree


def _depth(tree: Expr) -> int:
    depth, level = 0, [tree]
    while level:
        level = [each for node in level if isinstance(node, Call) for each in node.arguments]
        depth += 1
    return depth


class _Reader:
    """Reads one token ahead: its text is `next`, and `kind` the group of `_TOKEN` that it is."""

    def __init__(self, formula: str, tab: str, names: Mapping[str, Area]) -> None:
        self.formula, self.tab, self.names = formula, tab, names
        self.kind, self.next, self.end = "", "", 0
        self.take()

    def take(self) -> tuple[str, str]:
        """The kind and the text of the next token, and on to the one behind it."""
        taken = self.kind, self.next
        match = _TOKEN.match(self.formula, self.end)
        if match is None:
            rest = self.formula[self.end : self.end + 20].strip()
            raise ValueError(f"'{rest}' is no part of a formula")
        self.kind = match.lastgroup or ""
        self.next, self.end = match[self.kind], match.end()
        return taken

    def expect(self, sign: str) -> None:
        if (found := self.take()[1]) != sign:
            wanted = f"'{sign}'" if sign else "the end"
            raise ValueError(f"'{found}' stands where {wanted} should be" if found else _TOO_EARLY)

    def expression(self, least: int) -> Expr:
        """An operand and the operators behind it that bind at least as tightly as `least`."""
        left = self.operand()
        while (strength := _STRENGTH.get(self.next, -1)) >= least:
            _, sign = self.take()
            right = () if sign == "%" else (self.expression(strength + 1),)
            left = Call(sign, (left, *right))
        return left

    def operand(self) -> Expr:
        kind, text = self.take()
        if kind == "reference":
            return self.reference(text)
        if kind == "number":
            return Number(float(text))
        if kind == "function":
            return Call(text.upper().removeprefix("_XLFN."), tuple(self.arguments()))
        if kind == "text":
            return Text(text[1:-1].replace('""', '"'))
        if text == "(":
            inner = self.expression(0)
            self.expect(")")
            return inner
        if text in ("+", "-"):
            operand = self.expression(_UNARY_STRENGTH)
            return Call("neg", (operand,)) if text == "-" else operand
        raise ValueError(f"'{text}' stands where a value should be" if text else _TOO_EARLY)

    def arguments(self) -> Iterator[Expr]:
        """What stands in the brackets of a function."""
        if self.next == ")":
            self.take()
            return
        yield self.expression(0)
        while self.next == ",":
            self.take()
            yield self.expression(0)
        self.expect(")")

    def reference(self, text: str) -> Range:
        where, address = split_tab(text)
        if where is None and (area := self.names.get(address.lower())) is not None:
            return Range(area, name=address)
        area = read_address(address, where or self.tab)
        if area is None:
            raise ValueError(f"'{text}' is neither an address nor a defined name")
        return Range(area, fixed=fixed_sides(address))
