"""Functions that choose: they look only at the branch they take."""

from collections.abc import Callable

import numpy as np

from sheetgpt.calculate.arguments import Arguments, Function
from sheetgpt.calculate.arrays import is_numeric, one, spread
from sheetgpt.calculate.conversion import as_number, as_truth
from sheetgpt.calculate.values import Array, Error, Scalar, Value


def _if(arguments: Arguments) -> Value:
    """IF; a missing second branch is FALSE."""
    condition = arguments.value(0)
    if not isinstance(condition, np.ndarray):
        truth = one(as_truth, (condition,))
        return truth if isinstance(truth, Error) else _branch(arguments, 1 if truth else 2)

    def choose(truth: Scalar, then: Scalar, otherwise: Scalar) -> Scalar:
        known = one(as_truth, (truth,))
        return known if isinstance(known, Error) else then if known else otherwise

    values = [_branch(arguments, 1), _branch(arguments, 2)]
    chosen = _chosen(condition, values)
    return spread(choose, [condition, *values]) if chosen is None else chosen


def _branch(arguments: Arguments, index: int) -> Value:
    return arguments.value(index) if index < len(arguments) else False


def _chosen(condition: Array, values: list[Value]) -> Array | None:
    """IF of truth values and nothing else, where the branches fit them."""
    truths = condition.ravel().tolist()
    if set(map(type, truths)) != {bool}:
        return None
    if any(isinstance(each, np.ndarray) and each.shape != condition.shape for each in values):
        return None
    is_then = np.array(truths, dtype=bool).reshape(condition.shape)
    if all(is_numeric(each) for each in values):
        then, otherwise = (np.asarray(each, dtype=np.float64) for each in values)
        return np.where(is_then, then, otherwise)
    chosen = np.empty(condition.shape, dtype=object)
    for place, each in zip((is_then, ~is_then), values, strict=True):
        chosen[place] = each[place] if isinstance(each, np.ndarray) else each
    return chosen


def _if_error(arguments: Arguments) -> Value:
    value = arguments.value(0)
    if not isinstance(value, np.ndarray):
        return arguments.value(1) if isinstance(value, Error) else value
    return spread(lambda a, b: b if isinstance(a, Error) else a, [value, arguments.value(1)])


def _choose(arguments: Arguments) -> Value:
    which = one(as_number, (arguments.scalar(0),))
    if isinstance(which, Error):
        return which
    assert isinstance(which, float)
    return arguments.value(int(which)) if 1 <= which < len(arguments) else Error.VALUE


def _is(kind: Callable[[Scalar], bool]) -> Function:
    return lambda arguments: spread(kind, [arguments.value(0)])


CHOICES: dict[str, Function] = {
    "IF": _if,
    "IFERROR": _if_error,
    "CHOOSE": _choose,
    "ISNUMBER": _is(lambda value: isinstance(value, float)),
    "ISTEXT": _is(lambda value: isinstance(value, str)),
    "ISERROR": _is(lambda value: isinstance(value, Error)),
}
