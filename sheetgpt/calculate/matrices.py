"""Functions of whole matrices; MMULT is one call to BLAS."""

import numpy as np
from numpy.typing import NDArray

from sheetgpt.calculate.arguments import Arguments, Function
from sheetgpt.calculate.arrays import one, raise_first_error, spread
from sheetgpt.calculate.conversion import ErrorValue
from sheetgpt.calculate.numerals import Float32Numerals
from sheetgpt.calculate.values import Array, Error, Value


def _product(arguments: Arguments) -> Value:
    left, right = _factor(arguments, 0), _factor(arguments, 1)
    for matrix in (left, right):
        if isinstance(matrix, np.ndarray) and matrix.dtype == object:
            errors = [each for each in matrix.ravel().tolist() if isinstance(each, Error)]
            return errors[0] if errors else Error.VALUE
    with np.errstate(all="ignore"):
        product: NDArray[np.float64] = left @ right  # type: ignore[operator]
    return product if np.isfinite(product).all() else Error.NUM


def _factor(arguments: Arguments, index: int) -> Array | Float32Numerals:
    """What is to be multiplied; a large matrix need not be made doubles all at once."""
    area = arguments.area(index)
    found = arguments.environment.sheets.factor(area) if area else None
    return found if isinstance(found, Float32Numerals) else arguments.matrix(index)


def _sum_product(arguments: Arguments) -> Value:
    def total() -> float:
        arrays = [arguments.matrix(index) for index in range(len(arguments))]
        if len({array.shape for array in arrays}) > 1:
            raise ErrorValue(Error.VALUE)
        return float(np.prod(np.stack([_plain(array) for array in arrays]), axis=0).sum())

    with np.errstate(all="ignore"):
        return one(total, ())


def _plain(array: Array) -> NDArray[np.float64]:
    """An array with 0 for everything that is no number."""
    raise_first_error(array)
    if array.dtype == object:
        array = np.array([[each if type(each) is float else 0.0 for each in row] for row in array])
    return array.astype(np.float64, copy=False)


def _transpose(arguments: Arguments) -> Value:
    turned = arguments.matrix(0).T
    if turned.dtype == np.float64:
        return turned
    return spread(lambda each: 0.0 if each is None else each, [turned])


def _side(axis: int) -> Function:
    return lambda arguments: float(arguments.trees[0].shape[axis])


MATRICES: dict[str, Function] = {
    "MMULT": _product,
    "SUMPRODUCT": _sum_product,
    "TRANSPOSE": _transpose,
    "ROWS": _side(0),
    "COLUMNS": _side(1),
}
