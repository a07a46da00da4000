"""From formula text back to a tree: openpyxl's tokenizer and precedence climbing.

Knows nothing of how `excel.py` prints, so that a round trip through both is evidence.
Precedence: Microsoft, "Calculation operators and precedence in Excel".
"""

from collections.abc import Mapping

from openpyxl.formula.tokenizer import Token, Tokenizer, TokenizerError

from sheetgpt.errors import WorkbookError
from sheetgpt.formula.cells import Area, read_address, split_tab
from sheetgpt.formula.expr import Call, Expr, Number, Range, Text

_STRENGTH = {
    "=": 10, "<>": 10, "<": 10, "<=": 10, ">": 10, ">=": 10,
    "&": 20,
    "+": 30, "-": 30,
    "*": 40, "/": 40,
    "^": 50,
    "%": 60,
}  # fmt: skip
_UNARY_STRENGTH = 70


def parse(formula: str, tab: str, names: Mapping[str, Area]) -> Expr:
    """The tree of a formula's text, with or without its leading `=`.

    `tab` is where the formula stands; `names` gives the area of each defined name, under the
    name in lower case.  Raises WorkbookError for what these formulas never hold.
    """
    text = formula if formula.startswith("=") else "=" + formula
    try:
        tokens = [token for token in Tokenizer(text).items if token.type != Token.WSPACE]
        reader = _Reader(tokens, tab, names)
        tree = reader.expression(0)
        reader.expect_end()
    except (TokenizerError, ValueError, IndexError) as error:
        raise WorkbookError(
            f"tab '{tab}': the formula {text[:200]} cannot be read ({error}); "
            "build the workbook again, or undo the change to that formula."
        ) from error
    return tree


class _Reader:
    def __init__(self, tokens: list[Token], tab: str, names: Mapping[str, Area]) -> None:
        self.tokens, self.tab, self.names = tokens, tab, names
        self.position = 0

    def peek(self) -> Token | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def take(self) -> Token:
        token = self.tokens[self.position]
        self.position += 1
        return token

    def expect_end(self) -> None:
        if (token := self.peek()) is not None:
            raise ValueError(f"'{token.value}' is not expected here")

    def expression(self, least: int) -> Expr:
        """An operand and the operators behind it that bind at least as tightly as `least`."""
        left = self.operand()
        while (token := self.peek()) is not None:
            strength = _STRENGTH.get(token.value, -1)
            if token.type not in (Token.OP_IN, Token.OP_POST) or strength < least:
                break
            self.take()
            if token.type == Token.OP_POST:
                left = Call("%", (left,))
            else:
                left = Call(token.value, (left, self.expression(strength + 1)))
        return left

    def operand(self) -> Expr:
        token = self.take()
        if token.type == Token.OP_PRE:
            operand = self.expression(_UNARY_STRENGTH)
            return Call("neg", (operand,)) if token.value == "-" else operand
        if token.type == Token.PAREN:
            inner = self.expression(0)
            self.take()
            return inner
        if token.type == Token.FUNC:
            return self.function(token.value[:-1].upper().removeprefix("_XLFN."))
        if token.type == Token.OPERAND:
            return self.leaf(token)
        raise ValueError(f"'{token.value}' is not expected here")

    def function(self, name: str) -> Expr:
        arguments: list[Expr] = []
        while (token := self.peek()) is not None and token.subtype != Token.CLOSE:
            if token.type == Token.SEP:
                self.take()
            arguments.append(self.expression(0))
        self.take()
        return Call(name, tuple(arguments))

    def leaf(self, token: Token) -> Expr:
        if token.subtype == Token.NUMBER:
            return Number(float(token.value))
        if token.subtype == Token.TEXT:
            return Text(token.value[1:-1].replace('""', '"'))
        if token.subtype == Token.RANGE:
            return _reference(token.value, self.tab, self.names)
        raise ValueError(f"'{token.value}' is not a number, a text or a range")


def _reference(text: str, tab: str, names: Mapping[str, Area]) -> Range:
    where, address = split_tab(text)
    if where is None and (area := names.get(address.lower())) is not None:
        return Range(area, name=address)
    area = read_address(address, where or tab)
    if area is None:
        raise ValueError(f"'{text}' is neither an address nor a defined name")
    return Range(area)
