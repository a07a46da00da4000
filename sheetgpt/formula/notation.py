"""Reading a tree as a line of mathematics, to be printed beside the step it computes."""

from sheetgpt.formula.excel import ATOM, BINARY, MINUS, PERCENT, number
from sheetgpt.formula.expr import EACH, Call, Expr, Number, Range, Text

_SIGN = {
    "*": " × ", "/": " / ", "+": " + ", "-": " − ", "&": " & ",
    "=": " = ", "<>": " ≠ ", "<": " < ", "<=": " ≤ ", ">": " > ", ">=": " ≥ ",
}  # fmt: skip
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_FUNCTION = {
    "AVERAGE": "mean", "VARP": "var", "SUM": "Σ", "MAX": "max", "MIN": "min", "EXP": "exp",
    "TANH": "tanh", "NORMSDIST": "Φ", "LN": "ln", "ABS": "abs", "ACOS": "arccos",
}  # fmt: skip
PRODUCT = BINARY["*"]


def mathematics(tree: Expr) -> str:
    """One line, such as `(x − mean(x)) / √(var(x) + 1E-05)`; ranges go by their names."""
    return _write(tree)[0]


def _write(tree: Expr) -> tuple[str, int]:
    """The line and how tightly its outermost sign binds."""
    match tree:
        case Number(value):
            return number(value), ATOM
        case Text(value):
            return f"“{value}”", ATOM
        case Range(area, name, part):
            return (name or area.address) + _part(part), ATOM
        case Call("row" | "seen" | "column", (whole, *_)):
            return _write(whole)[0], ATOM
        case Call("past", (whole,)):
            return f"{_write(whole)[0]}[1…t]", ATOM
        case Call("past", (whole, Number(window))):
            return f"{_write(whole)[0]}[t−{number(window - 1)}…t]", ATOM
        case Call("PI", ()):
            return "π", ATOM
        case Call("SQRT", (argument,)):
            return f"√{_at(argument, ATOM)}", ATOM
        case Call("TRANSPOSE", (argument,)):
            return f"{_at(argument, ATOM)}ᵀ", ATOM
        case Call("^", (base, Number(value))) if value == int(value):
            return f"{_at(base, ATOM)}{str(int(value)).translate(_SUPERSCRIPT)}", ATOM
        case Call("MMULT", (left, right)):
            return f"{_at(left, PRODUCT)} · {_at(right, PRODUCT + 1)}", PRODUCT
        case Call("INDEX", (whole, *where)):
            places = ["·" if each == Number(0) else _write(each)[0] for each in where]
            place = ", ".join(places).removesuffix(", ·")  # x[i] is a row, x[·, j] a column
            return f"{_at(whole, ATOM)}[{place}]", ATOM
        case Call("IF", (condition, then, otherwise)):
            return f"{_write(then)[0]} if {_write(condition)[0]} else {_write(otherwise)[0]}", 0
        case Call("neg", (operand,)):
            return f"−{_at(operand, MINUS)}", MINUS
        case Call("%", (operand,)):
            return f"{_at(operand, PERCENT)}%", PERCENT
        case Call(op, (left, right)) if op in BINARY:
            strength = BINARY[op]
            sign = _SIGN.get(op, op)
            return f"{_at(left, strength)}{sign}{_at(right, strength + 1)}", strength
        case Call(op, arguments):
            inside = "; ".join(_write(each)[0] for each in arguments)
            return f"{_FUNCTION.get(op, op.lower())}({inside})", ATOM
    raise TypeError(f"{tree} is no formula")


def _part(part: tuple[int, int] | str) -> str:
    """A part of a range behind its name: its columns, or the index that each head has."""
    if isinstance(part, tuple):
        return f"[{part[0]}…{part[1]}]"
    return "ᵢ" if part == EACH else ""


def _at(tree: Expr, least: int) -> str:
    written, strength = _write(tree)
    return written if strength >= least else f"({written})"
