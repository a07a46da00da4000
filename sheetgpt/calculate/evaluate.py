"""Reading a tree as values.

Errors are values, and the leftmost wins.  IF, IFERROR and CHOOSE look only at the branch they
take.  Arrays of numbers go through NumPy whole, so that MMULT is one call to BLAS; anything else
goes through `functions.py`, value by value.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sheetgpt.calculate.numerals import Float32Numerals
from sheetgpt.calculate.scalars import (
    COUNTING,
    SCALAR,
    Units,
    Wrong,
    as_number,
    as_text,
    as_truth,
    compare,
    compare_numbers,
)
from sheetgpt.calculate.values import Array, Error, Scalar, Sheets, Value, part
from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import Call, Expr, Number, Range, Text


@dataclass(frozen=True)
class Engine:
    """Where formulas find their values, and what differs between applications and formulas.

    sheets: the values of all cells.
    units: what LEN and MID count.
    cell: for a formula that is not an array formula, the cell it stands in: where such a
        formula meets a whole row or column of cells, it takes the one in line with itself.
    """

    sheets: Sheets
    units: Units = Units.POINTS
    cell: Area | None = None


def evaluate(tree: Expr, engine: Engine) -> Value:
    """The value of a formula: a scalar, or an array of the tree's shape."""
    match tree:
        case Call(op, arguments):
            if (special := _SPECIAL.get(op)) is not None:
                return special(arguments, engine)
            values = [evaluate(each, engine) for each in arguments]
            function = COUNTING[op](engine.units) if op in COUNTING else SCALAR[op]
            return _each(op, function, values)
        case Number(value) | Text(value):
            return value
        case Range(area):
            return _in_line(area, engine)
    raise TypeError(f"{tree} is no formula")


def _in_line(area: Area, engine: Engine) -> Value:
    """Of a range, the cell in line with that of a formula which is no array formula."""
    cell = engine.cell
    if cell is None or area.shape == (1, 1):
        return engine.sheets.read(area)
    if area.left == area.right and area.top <= cell.top <= area.bottom:
        return engine.sheets.read(area.row(cell.top - area.top))
    if area.top == area.bottom and area.left <= cell.left <= area.right:
        return engine.sheets.read(area.cell(0, cell.left - area.left))
    return Error.VALUE


def _cells(tree: Expr, engine: Engine) -> Value:
    """An argument of which all cells are wanted, in every kind of formula."""
    return engine.sheets.read(tree.area) if isinstance(tree, Range) else evaluate(tree, engine)


def _matrix(tree: Expr, engine: Engine) -> Array:
    """An argument that is computed as if in an array formula, in every kind of formula."""
    return _array(evaluate(tree, replace(engine, cell=None) if engine.cell else engine))


# --- functions of single values, spread over arrays ----------------------------------------------


def _powers(base: Array, exponent: Array) -> Array:
    """NumPy's powers, but for 0^0, which is no number."""
    powers: Array = np.power(base, exponent)
    return np.where((base == 0) & (exponent == 0), np.nan, powers)


_WHOLE: dict[str, Callable[..., Array]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "^": _powers,
    "neg": np.negative, "EXP": np.exp, "SQRT": np.sqrt, "TANH": np.tanh, "ABS": np.abs,
    "LN": np.log,
}  # fmt: skip


_COMPARED: dict[str, Callable[..., Array]] = {
    "=": np.equal, "<>": np.not_equal, "<": np.less, "<=": np.less_equal,
    ">": np.greater, ">=": np.greater_equal,
}  # fmt: skip


def _order(left: Array, right: Array) -> Array:
    """-1, 0 or 1 for each pair of numbers."""
    left, right = np.broadcast_arrays(left, right)
    order: Array = np.sign(left - right)
    near = (order != 0) & (np.abs(left - right) <= 1e-13 * np.abs(left))
    for place in zip(*np.nonzero(near), strict=True):
        order[place] = compare_numbers(float(left[place]), float(right[place]))
    return order


def _each(op: str, function: Callable[..., Scalar], values: list[Value]) -> Value:
    """A function of scalars, applied to scalars or cell by cell to arrays."""
    if op in _WHOLE and any(isinstance(value, np.ndarray) for value in values):
        whole = _all_numbers(_WHOLE[op], values)
        if whole is not None:
            return whole
    if op in _COMPARED and any(isinstance(value, np.ndarray) for value in values):
        order = _all_numbers(_order, values)
        if order is not None:
            truths: Array = _COMPARED[op](order, 0).astype(object)
            return truths
    return _spread(lambda *scalars: _one(function, scalars), values)


def _spread(function: Callable[..., Scalar], values: list[Value]) -> Value:
    """Call `function` once, or for each cell of the shape that all values spread over."""
    shapes = [value.shape for value in values if isinstance(value, np.ndarray)]
    if not shapes:
        return function(*values)
    rows, columns = (max(sides) for sides in zip(*shapes, strict=True))
    found = map(function, *(_spread_out(value, rows, columns) for value in values))
    return _tidy(_objects(list(found)).reshape(rows, columns))


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


def _one(function: Callable[..., Scalar], values: tuple[Scalar, ...]) -> Scalar:
    for value in values:
        if isinstance(value, Error):
            return value
    try:
        result = function(*values)
    except Wrong as wrong:
        return wrong.error
    except OverflowError:
        return Error.NUM
    if isinstance(result, float) and not math.isfinite(result):
        return Error.NUM
    return result


def _all_numbers(ufunc: Callable[..., Array], values: list[Value]) -> Array | None:
    """NumPy's own result, unless shapes or values leave what Excel and NumPy share."""
    if not all(_numeric(value) for value in values):
        return None
    try:
        with np.errstate(all="ignore"):
            result = ufunc(*values)
    except ValueError:  # the shapes do not broadcast; Excel fills the rest with #N/A
        return None
    return result if np.isfinite(result).all() else None


def _numeric(value: Value) -> bool:
    if isinstance(value, np.ndarray):
        return value.dtype == np.float64
    return isinstance(value, float | int) and not isinstance(value, bool)


def _tidy(array: Array) -> Array:
    """An array of objects as numbers, where all are numbers."""
    if all(type(value) is float for value in array.flat):
        return array.astype(np.float64)
    return array


def _array(value: Value) -> Array:
    if isinstance(value, np.ndarray):
        return value
    return _tidy(_objects([value]).reshape(1, 1))


# --- functions that choose -----------------------------------------------------------------------

Arguments = tuple[Expr, ...]
_FALSE = Call("NOT", (Number(1),))


def _if(arguments: Arguments, engine: Engine) -> Value:
    condition = evaluate(arguments[0], engine)
    branches = [*arguments[1:], _FALSE][:2]  # a missing branch is FALSE
    if not isinstance(condition, np.ndarray):
        truth = _one(as_truth, (condition,))
        return truth if isinstance(truth, Error) else evaluate(branches[not truth], engine)

    def choose(truth: Scalar, then: Scalar, otherwise: Scalar) -> Scalar:
        known = _one(as_truth, (truth,))
        return known if isinstance(known, Error) else then if known else otherwise

    values = [evaluate(branch, engine) for branch in branches]
    chosen = _chosen(condition, values)
    return _spread(choose, [condition, *values]) if chosen is None else chosen


def _chosen(condition: Array, values: list[Value]) -> Array | None:
    """IF of truth values and nothing else, where the branches fit them."""
    truths = condition.ravel().tolist()
    if set(map(type, truths)) != {bool}:
        return None
    if any(isinstance(each, np.ndarray) and each.shape != condition.shape for each in values):
        return None
    is_then = np.array(truths, dtype=bool).reshape(condition.shape)
    if all(_numeric(each) for each in values):
        then, otherwise = (np.asarray(each, dtype=np.float64) for each in values)
        return np.where(is_then, then, otherwise)
    chosen = np.empty(condition.shape, dtype=object)
    for place, each in zip((is_then, ~is_then), values, strict=True):
        chosen[place] = each[place] if isinstance(each, np.ndarray) else each
    return chosen


def _if_error(arguments: Arguments, engine: Engine) -> Value:
    value = evaluate(arguments[0], engine)
    if not isinstance(value, np.ndarray):
        return evaluate(arguments[1], engine) if isinstance(value, Error) else value
    instead = evaluate(arguments[1], engine)
    return _spread(lambda a, b: b if isinstance(a, Error) else a, [value, instead])


def _choose(arguments: Arguments, engine: Engine) -> Value:
    which = _one(as_number, (_scalar(evaluate(arguments[0], engine)),))
    if isinstance(which, Error):
        return which
    assert isinstance(which, float)
    if not 1 <= which < len(arguments):
        return Error.VALUE
    return evaluate(arguments[int(which)], engine)


def _scalar(value: Value) -> Scalar:
    return part(value, 0, 0) if isinstance(value, np.ndarray) else value


def _is(kind: Callable[[Scalar], bool]) -> Callable[[Arguments, Engine], Value]:
    return lambda arguments, engine: _spread(kind, [evaluate(arguments[0], engine)])


# --- functions that look up ----------------------------------------------------------------------


def _index(arguments: Arguments, engine: Engine) -> Value:
    """INDEX: one cell, or with 0 for the row or the column a whole column or row."""
    whole = _Whole(arguments[0], engine)
    rows, columns = whole.shape
    places = [evaluate(each, engine) for each in arguments[1:]]
    if len(places) == 1:  # one number counts along the only row, or down the rows
        places = [1.0, places[0]] if rows == 1 else [places[0], 1.0 if columns == 1 else 0.0]

    def part_at(row: Scalar, column: Scalar) -> Value:
        row, column = int(as_number(row)), int(as_number(column))
        if not (0 <= row <= rows and 0 <= column <= columns):
            raise Wrong(Error.REF)
        return whole.part(row, column)

    if not any(isinstance(place, np.ndarray) for place in places):
        return _one(part_at, tuple(places))  # type: ignore[arg-type]
    return _spread(lambda *at: _one(lambda *place: _scalar(part_at(*place)), at), places)


class _Whole:
    """What INDEX takes a part of; of a range it reads no more than the part."""

    def __init__(self, tree: Expr, engine: Engine) -> None:
        self._engine = engine
        self._area = tree.area if isinstance(tree, Range) else None
        self._values = None if self._area else _matrix(tree, engine)
        self.shape = (self._area or self._values).shape  # type: ignore[union-attr]

    def part(self, row: int, column: int) -> Value:
        """One cell, or where a place is 0 all of that side."""
        rows = slice(row - 1, row) if row else slice(0, self.shape[0])
        columns = slice(column - 1, column) if column else slice(0, self.shape[1])
        if self._area is not None:
            area = self._area.rows(rows.start, rows.stop).columns(columns.start, columns.stop)
            return self._engine.sheets.read(area)
        assert self._values is not None
        found = self._values[rows, columns]
        return part(found, 0, 0) if found.size == 1 else found


def _match(arguments: Arguments, engine: Engine) -> Value:
    """MATCH: with 0 the first equal; with 1 the last not above the key, with -1 not below it."""
    key, values = evaluate(arguments[0], engine), _cells(arguments[1], engine)
    kind = _one(as_number, (_scalar(evaluate(arguments[2], engine)),))
    if isinstance(values, Error) or isinstance(kind, Error):
        return values if isinstance(values, Error) else kind
    assert isinstance(kind, float)
    listed = _array(values).ravel()

    def find(each: Scalar) -> Scalar:
        if isinstance(each, Error):
            return each
        return _last_within(each, listed, kind) if kind else _first_equal(each, listed)

    return _spread(find, [key])


def _first_equal(key: Scalar, listed: Array) -> Scalar:
    places = list(range(len(listed)))
    if listed.dtype == np.float64 and isinstance(key, float):  # only these can be equal
        places = np.flatnonzero(np.abs(listed - key) <= 1e-13 * abs(key)).tolist()
    for place in places:
        if _alike(key, listed[place]) and compare(key, listed[place]) == 0:
            return float(place + 1)
    return Error.NA


def _last_within(key: Scalar, listed: Array, kind: float) -> Scalar:
    """The last place of a sorted list before its values pass the key; unlike kinds do not count."""
    start = 0
    if listed.dtype == np.float64 and isinstance(key, float) and kind > 0:
        start = int(np.searchsorted(listed, key, side="right"))  # what follows may still be equal
    found: Scalar = float(start) if start else Error.NA
    for place, value in enumerate(listed[start:], start=start + 1):
        if _alike(key, value):
            if compare(value, key) * kind > 0:
                break
            found = float(place)
    return found


def _alike(a: Scalar, b: Scalar) -> bool:
    """Whether both are numbers, both texts, or both truth values."""
    return any(isinstance(a, kind) and isinstance(b, kind) for kind in (float, str, bool))


# --- functions that reduce an area to one value --------------------------------------------------


def _numbers(arguments: Arguments, engine: Engine) -> NDArray[np.float64]:
    """All numbers of the arguments; text and truth values count only as direct arguments."""
    found: list[NDArray[np.float64]] = []
    for argument in arguments:
        value = _cells(argument, engine)
        if isinstance(value, np.ndarray) or isinstance(argument, Range):
            values = _array(value)
            if values.dtype == object:
                _raise_first_error(values)
                values = np.array([each for each in values.flat if type(each) is float])
            found.append(values.ravel().astype(np.float64, copy=False))
        else:
            found.append(np.array([as_number(value)]))
    return np.concatenate(found) if len(found) > 1 else found[0]


def _raise_first_error(values: Array) -> None:
    for each in values.flat if values.dtype == object else ():
        if isinstance(each, Error):
            raise Wrong(each)


def _reduce(function: Callable[[Array], float]) -> Callable[[Arguments, Engine], Value]:
    def reduced(arguments: Arguments, engine: Engine) -> Value:
        with np.errstate(all="ignore"):  # `_one` makes #NUM! of what is not finite
            return _one(lambda: float(function(_numbers(arguments, engine))), ())

    return reduced


def _count(arguments: Arguments, engine: Engine) -> Value:
    """COUNT: how many numbers; here an error is only one thing more that is no number."""
    count = 0
    for argument in arguments:
        value = _cells(argument, engine)
        if isinstance(value, np.ndarray) or isinstance(argument, Range):
            count += sum(type(each) is float for each in _array(value).ravel().tolist())
        else:
            count += not isinstance(_one(as_number, (value,)), Error)
    return float(count)


def _mean(numbers: Array) -> float:
    if not numbers.size:
        raise Wrong(Error.DIV0)
    return float(np.mean(numbers))


def _variance(numbers: Array) -> float:
    if not numbers.size:
        raise Wrong(Error.DIV0)
    return float(np.var(numbers))


def _truths(function: Callable[[list[bool]], bool]) -> Callable[[Arguments, Engine], Value]:
    def reduced(arguments: Arguments, engine: Engine) -> Value:
        def truth() -> bool:
            values = [each for argument in arguments for each in _stated(argument, engine)]
            if not values:
                raise Wrong(Error.VALUE)
            return function([as_truth(each) for each in values])

        return _one(truth, ())

    return reduced


def _stated(argument: Expr, engine: Engine) -> list[Scalar]:
    """What an argument says of truth: of cells those that are neither text nor empty."""
    value = _cells(argument, engine)
    if isinstance(value, np.ndarray) or isinstance(argument, Range):
        return [each for each in _array(value).ravel().tolist() if not isinstance(each, str | None)]
    return [value]


def _ranked(sign: int) -> Callable[[Arguments, Engine], Value]:
    """The k-th largest number (sign -1), or the k-th smallest (sign 1)."""

    def ranked(arguments: Arguments, engine: Engine) -> Value:
        def find() -> float:
            numbers = sign * _numbers(arguments[:1], engine)
            rank = int(as_number(_scalar(evaluate(arguments[1], engine))))
            if not 1 <= rank <= len(numbers):
                raise Wrong(Error.NUM)
            return float(sign * np.partition(numbers, rank - 1)[rank - 1])

        return _one(find, ())

    return ranked


def _count_if(arguments: Arguments, engine: Engine) -> Value:
    """COUNTIF for a value, or a comparison such as ">=3" or "<>x"; without wildcards."""

    def count() -> float:
        criterion = as_text(_scalar(evaluate(arguments[1], engine)))
        sign, text = _CRITERION.fullmatch(criterion).groups()  # type: ignore[union-attr]
        number = _one(as_number, (text,))
        limit = text if isinstance(number, Error) else number

        def counts(each: Scalar) -> bool:
            holds = _alike(each, limit) and SCALAR[sign or "="](each, limit)
            return bool(holds) or (sign == "<>" and not _alike(each, limit))

        return float(sum(map(counts, _array(_cells(arguments[0], engine)).ravel().tolist())))

    return _one(count, ())


_CRITERION = re.compile("(<=|>=|<>|<|>|=)?(.*)", re.DOTALL)


def _sum_product(arguments: Arguments, engine: Engine) -> Value:
    def total() -> float:
        arrays = [_matrix(argument, engine) for argument in arguments]
        if len({array.shape for array in arrays}) > 1:
            raise Wrong(Error.VALUE)
        return float(np.prod(np.stack([_plain(array) for array in arrays]), axis=0).sum())

    with np.errstate(all="ignore"):
        return _one(total, ())


def _plain(array: Array) -> NDArray[np.float64]:
    """An array with 0 for everything that is no number."""
    _raise_first_error(array)
    if array.dtype == object:
        array = np.array([[each if type(each) is float else 0.0 for each in row] for row in array])
    return array.astype(np.float64, copy=False)


# --- matrices ------------------------------------------------------------------------------------


def _product(arguments: Arguments, engine: Engine) -> Value:
    left, right = (_factor(argument, engine) for argument in arguments)
    for matrix in (left, right):
        if isinstance(matrix, np.ndarray) and matrix.dtype == object:
            errors = [each for each in matrix.ravel().tolist() if isinstance(each, Error)]
            return errors[0] if errors else Error.VALUE
    with np.errstate(all="ignore"):
        product: NDArray[np.float64] = left @ right  # type: ignore[operator]
    return product if np.isfinite(product).all() else Error.NUM


def _factor(tree: Expr, engine: Engine) -> Array | Float32Numerals:
    """What is to be multiplied; a large matrix need not be made doubles all at once."""
    found = engine.sheets.factor(tree.area) if isinstance(tree, Range) else None
    return found if isinstance(found, Float32Numerals) else _matrix(tree, engine)


def _transpose(arguments: Arguments, engine: Engine) -> Value:
    turned = _matrix(arguments[0], engine).T
    if turned.dtype == np.float64:
        return turned
    return _spread(lambda each: 0.0 if each is None else each, [turned])


def _side(axis: int) -> Callable[[Arguments, Engine], Value]:
    return lambda arguments, engine: float(arguments[0].shape[axis])


_SPECIAL: dict[str, Callable[[Arguments, Engine], Value]] = {
    "IF": _if,
    "IFERROR": _if_error,
    "CHOOSE": _choose,
    "ISNUMBER": _is(lambda value: isinstance(value, float)),
    "ISERROR": _is(lambda value: isinstance(value, Error)),
    "INDEX": _index,
    "MATCH": _match,
    "SUM": _reduce(lambda numbers: float(np.sum(numbers))),
    "MAX": _reduce(
        lambda numbers: float(np.max(numbers, initial=-np.inf)) if numbers.size else 0.0
    ),
    "MIN": _reduce(lambda numbers: float(np.min(numbers, initial=np.inf)) if numbers.size else 0.0),
    "COUNT": _count,
    "AVERAGE": _reduce(_mean),
    "VARP": _reduce(_variance),
    "AND": _truths(all),
    "OR": _truths(any),
    "LARGE": _ranked(-1),
    "SMALL": _ranked(1),
    "COUNTIF": _count_if,
    "SUMPRODUCT": _sum_product,
    "MMULT": _product,
    "TRANSPOSE": _transpose,
    "ROWS": _side(0),
    "COLUMNS": _side(1),
    "PI": lambda arguments, engine: math.pi,
}
