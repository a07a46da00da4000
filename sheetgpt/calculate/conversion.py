"""How values turn into one another, and which of two comes first.

Numbers compare and turn into text with 15 digits; text compares without regard to case.
"""

import re

from sheetgpt.calculate.values import Error, Scalar


class ErrorValue(Exception):
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
    raise ErrorValue(value if isinstance(value, Error) else Error.VALUE)


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
        raise ErrorValue(value)
    return value


def as_truth(value: Scalar) -> bool:
    if isinstance(value, str):
        if value.upper() in ("TRUE", "FALSE"):
            return value.upper() == "TRUE"
        raise ErrorValue(Error.VALUE)
    return as_number(value) != 0


def alike(a: Scalar, b: Scalar) -> bool:
    """Whether both are numbers, both texts, or both truth values."""
    return any(isinstance(a, kind) and isinstance(b, kind) for kind in (float, str, bool))


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
