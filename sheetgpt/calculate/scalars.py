"""Excel's functions, one value at a time.

Sources: Microsoft's function reference, and ECMA-376 Part 1 section 18.17.7.
"""

import math
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal

from sheetgpt.calculate.conversion import ErrorValue, as_number, as_text, as_truth, compare
from sheetgpt.calculate.units import Units, by_units, counted, joined
from sheetgpt.calculate.values import Error, Scalar
from sheetgpt.formula.cells import LAST_COLUMN, LAST_ROW, column_letters
from sheetgpt.formula.text import LONGEST_TEXT


def _power(base: float, exponent: float) -> float:
    if base == 0 and exponent <= 0:
        raise ErrorValue(Error.DIV0 if exponent else Error.NUM)
    if base < 0 and not exponent.is_integer():
        root = round(1 / exponent)
        if not (root % 2 and exponent == 1 / root):
            raise ErrorValue(Error.NUM)
        return -math.pow(-base, exponent)  # a cube root and its like
    return math.pow(base, exponent)


def _divide(left: float, right: float) -> float:
    if right == 0:
        raise ErrorValue(Error.DIV0)
    return left / right


def _domain(function: Callable[[float], float]) -> Callable[[float], float]:
    def within(value: float) -> float:
        try:
            return function(value)
        except ValueError:
            raise ErrorValue(Error.NUM) from None

    return within


def _of_numbers(function: Callable[..., Scalar]) -> Callable[..., Scalar]:
    return lambda *values: function(*(as_number(value) for value in values))


def _of_texts(function: Callable[..., Scalar]) -> Callable[..., Scalar]:
    return lambda *values: function(*(as_text(value) for value in values))


def _code(units: Units) -> Callable[..., Scalar]:
    def code(text: str) -> float:
        is_half = "\ud800" <= text[:1] < "\ue000"
        if not text or (is_half and units is Units.UTF16):
            raise ErrorValue(Error.VALUE)
        halves = units is Units.HALVES and ord(text[0]) > 0xFFFF
        return float(ord(by_units(text)[0]) if halves else ord(text[0]))

    return _of_texts(code)


def _unichar(number: float) -> str:
    code = int(number)
    if not 1 <= code < 0x110000:
        raise ErrorValue(Error.VALUE)
    if 0xD800 <= code < 0xE000:  # half of a surrogate pair
        raise ErrorValue(Error.NA)
    return chr(code)


def _hexadecimal(number: float, places: float | None = None) -> str:
    """Up to ten digits; a negative number always has ten, its two's complement of 40 bits."""
    if not -(2**39) <= number < 2**39:
        raise ErrorValue(Error.NUM)
    digits = f"{int(number) % 2**40:X}"
    if places is None or number < 0:
        return digits
    if not len(digits) <= places <= 10:
        raise ErrorValue(Error.NUM)
    return digits.zfill(int(places))


def _modulo(number: float, divisor: float) -> float:
    if divisor == 0:
        raise ErrorValue(Error.DIV0)
    return number - divisor * math.floor(number / divisor)


def _rounded(number: float, digits: float) -> float:
    """Halves away from zero, in the decimal digits that a person sees."""
    seen, last = Decimal(f"{number:.15g}"), Decimal(1).scaleb(-int(max(-400, min(digits, 400))))
    return float((seen / last).to_integral_value(ROUND_HALF_UP) * last)


def _joined(left: str, right: str) -> str:
    if len(left) + len(right) > LONGEST_TEXT:
        raise ErrorValue(Error.VALUE)
    return left + right


def _repeated(text: Scalar, times: Scalar) -> str:
    repeated, count = as_text(text), int(as_number(times))
    if not 0 <= count * len(repeated) <= LONGEST_TEXT or count < 0:
        raise ErrorValue(Error.VALUE)
    return repeated * count


def _address(row: float, column: float, kind: float) -> str:
    """A cell as formulas name it; 4 is the kind without `$`, the only one that we use."""
    if kind != 4 or not (1 <= row <= LAST_ROW and 1 <= column <= LAST_COLUMN):
        raise ErrorValue(Error.VALUE)
    return f"{column_letters(int(column))}{int(row)}"


def _normal(x: float) -> float:
    """The standard normal distribution's cumulative probability."""
    return 0.5 * math.erfc(-x / math.sqrt(2))


SCALAR: dict[str, Callable[..., Scalar]] = {
    "+": _of_numbers(lambda a, b: a + b),
    "-": _of_numbers(lambda a, b: a - b),
    "*": _of_numbers(lambda a, b: a * b),
    "/": _of_numbers(_divide),
    "^": _of_numbers(_power),
    "neg": _of_numbers(lambda a: -a),
    "%": _of_numbers(lambda a: a / 100),
    "&": _of_texts(_joined),
    "=": lambda a, b: compare(a, b) == 0,
    "<>": lambda a, b: compare(a, b) != 0,
    "<": lambda a, b: compare(a, b) < 0,
    "<=": lambda a, b: compare(a, b) <= 0,
    ">": lambda a, b: compare(a, b) > 0,
    ">=": lambda a, b: compare(a, b) >= 0,
    "EXP": _of_numbers(math.exp),
    "LN": _of_numbers(_domain(math.log)),
    "SQRT": _of_numbers(_domain(math.sqrt)),
    "TANH": _of_numbers(math.tanh),
    "SIN": _of_numbers(math.sin),
    "ACOS": _of_numbers(_domain(math.acos)),
    "ABS": _of_numbers(abs),
    "INT": _of_numbers(lambda a: float(math.floor(a))),
    "MOD": _of_numbers(_modulo),
    "ROUND": _of_numbers(_rounded),
    "NORMSDIST": _of_numbers(_normal),
    "NOT": lambda a: not as_truth(a),
    "EXACT": _of_texts(lambda a, b: a == b),
    "UNICHAR": _of_numbers(_unichar),
    "DEC2HEX": _of_numbers(_hexadecimal),
    "REPT": _repeated,
    "ADDRESS": _of_numbers(_address),
    "HYPERLINK": lambda target, shown: shown,
    "TRIM": _of_texts(lambda text: " ".join(filter(None, text.split(" ")))),
    "SUBSTITUTE": _of_texts(lambda text, old, new: text.replace(old, new) if old else text),
    "PI": lambda: math.pi,
}


def _length(units: Units) -> Callable[..., Scalar]:
    return _of_texts(lambda text: float(len(counted(text, units))))


def _middle(units: Units) -> Callable[..., Scalar]:
    def middle(text: Scalar, start: Scalar, length: Scalar) -> str:
        first, count = int(as_number(start)), int(as_number(length))
        if first < 1 or count < 0:
            raise ErrorValue(Error.VALUE)
        part = counted(as_text(text), units)[first - 1 : first - 1 + count]
        return joined(part)

    return middle


COUNTING: dict[str, Callable[[Units], Callable[..., Scalar]]] = {
    "LEN": _length, "MID": _middle, "UNICODE": _code,
}  # fmt: skip
