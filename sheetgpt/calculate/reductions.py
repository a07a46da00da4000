"""Functions that reduce areas to one value.

What stands in cells and is no number does not count; what is written into the formula does.
"""

import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sheetgpt.calculate.arguments import Arguments, Function
from sheetgpt.calculate.arrays import as_array, one, raise_first_error
from sheetgpt.calculate.conversion import ErrorValue, alike, as_number, as_text, as_truth
from sheetgpt.calculate.scalars import SCALAR
from sheetgpt.calculate.values import Array, Error, Scalar, Value


def _reduce(function: Callable[[NDArray[np.float64]], float]) -> Function:
    def reduced(arguments: Arguments) -> Value:
        with np.errstate(all="ignore"):  # `one` makes #NUM! of what is not finite
            return one(lambda: float(function(_all_numbers(arguments))), ())

    return reduced


def _all_numbers(arguments: Arguments) -> NDArray[np.float64]:
    found = [_numbers(value) for value in arguments.all_cells()]
    return np.concatenate(found) if len(found) > 1 else found[0]


def _numbers(value: Value) -> NDArray[np.float64]:
    """The numbers among cells; text and truth values count only as direct arguments."""
    if not isinstance(value, np.ndarray):
        return np.array([as_number(value)])
    if value.dtype == object:
        raise_first_error(value)
        value = np.array([each for each in value.flat if type(each) is float])
    return value.ravel().astype(np.float64, copy=False)


def _mean(numbers: Array) -> float:
    if not numbers.size:
        raise ErrorValue(Error.DIV0)
    return float(np.mean(numbers))


def _variance(numbers: Array) -> float:
    if not numbers.size:
        raise ErrorValue(Error.DIV0)
    return float(np.var(numbers))


def _largest(numbers: Array) -> float:
    return float(np.max(numbers)) if numbers.size else 0.0


def _smallest(numbers: Array) -> float:
    return float(np.min(numbers)) if numbers.size else 0.0


def _count(arguments: Arguments) -> Value:
    """COUNT: how many numbers; here an error is only one thing more that is no number."""
    count = 0
    for value in arguments.all_cells():
        if isinstance(value, np.ndarray):
            count += sum(type(each) is float for each in value.ravel().tolist())
        else:
            count += not isinstance(one(as_number, (value,)), Error)
    return float(count)


def _truths(function: Callable[[list[bool]], bool]) -> Function:
    def reduced(arguments: Arguments) -> Value:
        def truth() -> bool:
            values = [each for value in arguments.all_cells() for each in _stated(value)]
            if not values:
                raise ErrorValue(Error.VALUE)
            return function([as_truth(each) for each in values])

        return one(truth, ())

    return reduced


def _stated(value: Value) -> list[Scalar]:
    """What an argument says of truth: of cells those that are neither text nor empty."""
    if isinstance(value, np.ndarray):
        return [each for each in value.ravel().tolist() if not isinstance(each, str | None)]
    return [value]


def _ranked(sign: int) -> Function:
    """The k-th largest number (sign -1), or the k-th smallest (sign 1)."""

    def ranked(arguments: Arguments) -> Value:
        def find() -> float:
            numbers = sign * _numbers(arguments.cells(0))
            rank = int(as_number(arguments.scalar(1)))
            if not 1 <= rank <= len(numbers):
                raise ErrorValue(Error.NUM)
            return float(sign * np.partition(numbers, rank - 1)[rank - 1])

        return one(find, ())

    return ranked


def _count_if(arguments: Arguments) -> Value:
    """COUNTIF for a value, or a comparison such as ">=3" or "<>x"; without wildcards."""

    def count() -> float:
        criterion = as_text(arguments.scalar(1))
        match = _CRITERION.fullmatch(criterion)
        assert match is not None  # any text is one
        sign, text = match.groups()
        number = one(as_number, (text,))
        limit = text if isinstance(number, Error) else number

        def counts(each: Scalar) -> bool:
            holds = alike(each, limit) and SCALAR[sign or "="](each, limit)
            return bool(holds) or (sign == "<>" and not alike(each, limit))

        return float(sum(map(counts, as_array(arguments.cells(0)).ravel().tolist())))

    return one(count, ())


_CRITERION = re.compile("(<=|>=|<>|<|>|=)?(.*)", re.DOTALL)


REDUCTIONS: dict[str, Function] = {
    "SUM": _reduce(lambda numbers: float(np.sum(numbers))),
    "MAX": _reduce(_largest),
    "MIN": _reduce(_smallest),
    "AVERAGE": _reduce(_mean),
    "VARP": _reduce(_variance),
    "COUNT": _count,
    "COUNTIF": _count_if,
    "AND": _truths(all),
    "OR": _truths(any),
    "LARGE": _ranked(-1),
    "SMALL": _ranked(1),
}
