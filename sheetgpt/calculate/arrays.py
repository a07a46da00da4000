"""Functions of single values, spread over arrays.

Arrays of numbers go through NumPy whole; anything else goes through `scalars.py`, value by value.
"""

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from sheetgpt.calculate.conversion import ErrorValue, compare_numbers
from sheetgpt.calculate.values import Array, Error, Scalar, Value, part

Result = TypeVar("Result", bound=Value)


def each(op: str, function: Callable[..., Scalar], values: list[Value]) -> Value:
    """A function of scalars, applied to scalars or cell by cell to arrays."""
    if not any(isinstance(value, np.ndarray) for value in values):
        return one(function, values)
    if op in _WHOLE:
        whole = _all_numbers(_WHOLE[op], values)
        if whole is not None:
            return whole
    if op in _COMPARED:
        order = _all_numbers(_order, values)
        if order is not None:
            truths: Array = _COMPARED[op](order, 0).astype(object)
            return truths
    return spread(lambda *scalars: one(function, scalars), values)


def one(function: Callable[..., Result], values: Sequence[Value]) -> Result | Error:
    """A function of scalars; the leftmost error among them is its result."""
    for value in values:
        if isinstance(value, Error):
            return value
    try:
        result = function(*values)
    except ErrorValue as wrong:
        return wrong.error
    except OverflowError:
        return Error.NUM
    if isinstance(result, float) and not math.isfinite(result):
        return Error.NUM
    return result


def spread(function: Callable[..., Scalar], values: list[Value]) -> Value:
    """Call `function` once, or for each cell of the shape that all values spread over."""
    shapes = [value.shape for value in values if isinstance(value, np.ndarray)]
    if not shapes:
        return function(*values)
    rows, columns = (max(sides) for sides in zip(*shapes, strict=True))
    found = map(function, *(_spread_out(value, rows, columns) for value in values))
    return _tidy(_objects(list(found)).reshape(rows, columns))


def is_numeric(value: Value) -> bool:
    """Whether a value is a number, or an array of nothing but numbers."""
    if isinstance(value, np.ndarray):
        return value.dtype == np.float64
    return isinstance(value, float | int) and not isinstance(value, bool)


def as_array(value: Value) -> Array:
    """A value as an array; one value is 1 x 1."""
    if isinstance(value, np.ndarray):
        return value
    return _tidy(_objects([value]).reshape(1, 1))


def first(value: Value) -> Scalar:
    """A value where one is wanted; of an array its first."""
    return part(value, 0, 0) if isinstance(value, np.ndarray) else value


def raise_first_error(values: Array) -> None:
    """Raise ErrorValue with the first error of an array, read row by row."""
    for value in values.flat if values.dtype == object else ():
        if isinstance(value, Error):
            raise ErrorValue(value)


def _powers(base: Array, exponent: Array) -> Array:
    """NumPy's powers, but for 0^0, which is no number."""
    powers: Array = np.power(base, exponent)
    return np.where((base == 0) & (exponent == 0), np.nan, powers)


def _order(left: Array, right: Array) -> Array:
    """-1, 0 or 1 for each pair of numbers."""
    left, right = np.broadcast_arrays(left, right)
    order: Array = np.sign(left - right)
    near = (order != 0) & (np.abs(left - right) <= 1e-13 * np.abs(left))
    for place in zip(*np.nonzero(near), strict=True):
        order[place] = compare_numbers(float(left[place]), float(right[place]))
    return order


_WHOLE: dict[str, Callable[..., Array]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "^": _powers,
    "neg": np.negative, "EXP": np.exp, "SQRT": np.sqrt, "TANH": np.tanh, "ABS": np.abs,
    "LN": np.log,
}  # fmt: skip


_COMPARED: dict[str, Callable[..., Array]] = {
    "=": np.equal, "<>": np.not_equal, "<": np.less, "<=": np.less_equal,
    ">": np.greater, ">=": np.greater_equal,
}  # fmt: skip


def _all_numbers(ufunc: Callable[..., Array], values: list[Value]) -> Array | None:
    """NumPy's own result, unless shapes or values leave what Excel and NumPy share."""
    if not all(is_numeric(value) for value in values):
        return None
    try:
        with np.errstate(all="ignore"):
            result = ufunc(*values)
    except ValueError:  # the shapes do not broadcast; Excel fills the rest with #N/A
        return None
    return result if np.isfinite(result).all() else None


def _spread_out(value: Value, rows: int, columns: int) -> list[Scalar]:
    """A value for each cell of a shape, row by row; #N/A where an array does not reach."""
    cells = np.full((rows, columns), Error.NA, dtype=object)
    if isinstance(value, np.ndarray):
        height, width = value.shape
        cells[: rows if height == 1 else height, : columns if width == 1 else width] = value
    else:
        cells[:] = value
    return cells.ravel().tolist()


def _objects(values: list[Scalar]) -> Array:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _tidy(array: Array) -> Array:
    """An array of objects as numbers, where all are numbers."""
    if all(type(value) is float for value in array.flat):
        return array.astype(np.float64)
    return array
