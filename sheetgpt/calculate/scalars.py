"""Excel's meanings, one value at a time: how values turn into one another, compare and combine.

Numbers compare and turn into text with 15 digits; text compares without regard to case.  Sources:
Microsoft's function reference, and ECMA-376 Part 1 section 18.17.7.
"""

import math
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum

from sheetgpt.calculate.values import Error, Scalar

LONGEST = 32_767  # characters that a cell can hold


class Units(Enum):
    """What LEN and MID count, and what UNICODE makes of half a character."""

    POINTS = "code points"  # LibreOffice, IronCalc: there are no halves
    UTF16 = "UTF-16"  # Excel: a half is an error
    HALVES = "UTF-16, a half by its number"  # ONLYOFFICE


class Wrong(Exception):
    """Ends a function of scalars with an error value."""

    def __init__(self, error: Error) -> None:
        self.error = error


_NUMBER_TEXT = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*\Z")


def as_number(value: Scalar) -> float:
    """A value where a number is wanted; raises for an error value or text that is no number."""
    if isinstance(value, float | int):
        return float(value)
    if value is None:
        return 0.0
    if isinstance(value, str) and _NUMBER_TEXT.match(value):
        return float(value)
    raise Wrong(value if isinstance(value, Error) else Error.VALUE)


def as_text(value: Scalar) -> str:
    """A value where text is wanted; numbers with 15 digits.

    From 1E-4 to 1E15 all applications write the same; beyond, each has its own way with E.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float | int):
        if value == int(value) and abs(value) < 1e15:
            return str(int(value))
        return f"{value:.15g}".upper()
    if isinstance(value, Error):
        raise Wrong(value)
    return value


def as_truth(value: Scalar) -> bool:
    if isinstance(value, str):
        if value.upper() in ("TRUE", "FALSE"):
            return value.upper() == "TRUE"
        raise Wrong(Error.VALUE)
    return as_number(value) != 0


def _power(base: float, exponent: float) -> float:
    if base == 0 and exponent <= 0:
        raise Wrong(Error.DIV0 if exponent else Error.NUM)
    if base < 0 and not exponent.is_integer():
        root = round(1 / exponent)
        if not (root % 2 and exponent == 1 / root):
            raise Wrong(Error.NUM)
        return -math.pow(-base, exponent)  # a cube root and its like
    return math.pow(base, exponent)


def _divide(left: float, right: float) -> float:
    if right == 0:
        raise Wrong(Error.DIV0)
    return left / right


def _domain(function: Callable[[float], float]) -> Callable[[float], float]:
    def within(value: float) -> float:
        try:
            return function(value)
        except ValueError:
            raise Wrong(Error.NUM) from None

    return within


def _of_numbers(function: Callable[..., float | bool]) -> Callable[..., Scalar]:
    return lambda *values: function(*(as_number(value) for value in values))


def _of_texts(function: Callable[..., Scalar]) -> Callable[..., Scalar]:
    return lambda *values: function(*(as_text(value) for value in values))


def _rank(value: Scalar) -> int:
    """Numbers come before text, text before truth values."""
    return 2 if isinstance(value, bool) else 1 if isinstance(value, str) else 0


def compare(left: Scalar, right: Scalar) -> int:
    """-1, 0 or 1; text without regard to case, numbers to 15 digits, empty equal to "" and 0."""
    if type(left) is float and type(right) is float:
        return compare_numbers(left, right)
    if left is None:
        left = "" if isinstance(right, str) else False if isinstance(right, bool) else 0.0
    if right is None:
        right = "" if isinstance(left, str) else False if isinstance(left, bool) else 0.0
    if _rank(left) != _rank(right):
        return -1 if _rank(left) < _rank(right) else 1
    if isinstance(left, str) and isinstance(right, str):
        left, right = left.casefold(), right.casefold()
        return (left > right) - (left < right)
    assert isinstance(left, float | int) and isinstance(right, float | int)
    return compare_numbers(left, right)


def compare_numbers(left: float, right: float) -> int:
    """-1, 0 or 1; equal are numbers that show the same 15 digits."""
    near = abs(left - right) <= 1e-13 * abs(left)  # spares most pairs the slow way
    if left == right or (near and f"{left:.15g}" == f"{right:.15g}"):
        return 0
    return -1 if left < right else 1


def _code(units: Units) -> Callable[..., Scalar]:
    def code(text: str) -> float:
        is_half = "\ud800" <= text[:1] < "\ue000"
        if not text or (is_half and units is Units.UTF16):
            raise Wrong(Error.VALUE)
        halves = units is Units.HALVES and ord(text[0]) > 0xFFFF
        return float(ord(_by_units(text)[0]) if halves else ord(text[0]))

    return _of_texts(code)


def _unichar(number: float) -> str:
    code = int(number)
    if not 1 <= code < 0x110000:
        raise Wrong(Error.VALUE)
    if 0xD800 <= code < 0xE000:  # half of a surrogate pair
        raise Wrong(Error.NA)
    return chr(code)


def _hexadecimal(number: float, places: float | None = None) -> str:
    """Up to ten digits; a negative number always has ten, its two's complement of 40 bits."""
    if not -(2**39) <= number < 2**39:
        raise Wrong(Error.NUM)
    digits = f"{int(number) % 2**40:X}"
    if places is None or number < 0:
        return digits
    if not len(digits) <= places <= 10:
        raise Wrong(Error.NUM)
    return digits.zfill(int(places))


def _modulo(number: float, divisor: float) -> float:
    if divisor == 0:
        raise Wrong(Error.DIV0)
    return number - divisor * math.floor(number / divisor)


def _rounded(number: float, digits: float) -> float:
    """Halves away from zero, in the decimal digits that a person sees."""
    seen, last = Decimal(f"{number:.15g}"), Decimal(1).scaleb(-int(max(-400, min(digits, 400))))
    return float((seen / last).to_integral_value(ROUND_HALF_UP) * last)


def _joined(left: str, right: str) -> str:
    if len(left) + len(right) > LONGEST:
        raise Wrong(Error.VALUE)
    return left + right


def _repeated(text: Scalar, times: Scalar) -> str:
    repeated, count = as_text(text), int(as_number(times))
    if not 0 <= count * len(repeated) <= LONGEST or count < 0:
        raise Wrong(Error.VALUE)
    return repeated * count


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
    "ABS": _of_numbers(abs),
    "INT": _of_numbers(lambda a: float(math.floor(a))),
    "MOD": _of_numbers(_modulo),
    "ROUND": _of_numbers(_rounded),
    "NORMSDIST": _of_numbers(_normal),
    "NOT": lambda a: not as_truth(a),
    "EXACT": _of_texts(lambda a, b: a == b),
    "UNICHAR": _of_numbers(_unichar),  # type: ignore[arg-type]
    "DEC2HEX": _of_numbers(_hexadecimal),  # type: ignore[arg-type]
    "REPT": _repeated,
    "TRIM": _of_texts(lambda text: " ".join(filter(None, text.split(" ")))),
    "SUBSTITUTE": _of_texts(lambda text, old, new: text.replace(old, new) if old else text),
}


def _length(units: Units) -> Callable[..., Scalar]:
    return _of_texts(lambda text: float(len(_counted(text, units))))


def _middle(units: Units) -> Callable[..., Scalar]:
    def middle(text: Scalar, start: Scalar, length: Scalar) -> str:
        first, count = int(as_number(start)), int(as_number(length))
        if first < 1 or count < 0:
            raise Wrong(Error.VALUE)
        part = _counted(as_text(text), units)[first - 1 : first - 1 + count]
        return part.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")

    return middle


def _counted(text: str, units: Units) -> str:
    """The text as the application counts it: a character above 0xFFFF as one unit, or as two."""
    return text if units is Units.POINTS or text.isascii() else _by_units(text)


def _by_units(text: str) -> str:
    return "".join(
        chr(int.from_bytes(pair, "little"))
        for pair in _pairs(text.encode("utf-16-le", "surrogatepass"))
    )


def _pairs(data: bytes) -> list[bytes]:
    return [data[i : i + 2] for i in range(0, len(data), 2)]


COUNTING: dict[str, Callable[[Units], Callable[..., Scalar]]] = {
    "LEN": _length, "MID": _middle, "UNICODE": _code,
}  # fmt: skip
