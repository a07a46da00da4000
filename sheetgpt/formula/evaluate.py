"""Reading a tree as values.

Errors are values, and the leftmost wins.  IF, IFERROR and CHOOSE look only at the branch they
take.  Arrays of numbers go through NumPy whole, so that MMULT is one call to BLAS; anything else
goes through `functions.py`, value by value.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import Call, Expr, Number, Range, Text
from sheetgpt.formula.functions import COUNTING, SCALAR, Wrong, as_number, as_text, as_truth, compare
from sheetgpt.formula.values import Array, Error, Scalar, Sheets, Value, part


@dataclass(frozen=True)
class Engine:
    """Where formulas find their values, and what differs between applications and formulas.

    sheets: the values of all cells.
    utf16: whether LEN and MID count UTF-16 units (Excel) or code points (LibreOffice).
    cell: for a formula that is not an array formula, the cell it stands in: where such a
        formula meets a whole row or column of cells, it takes the one in line with itself.
    """

    sheets: Sheets
    utf16: bool = False
    cell: Area | None = None


def evaluate(tree: Expr, engine: Engine) -> Value:
    """The value of a formula: a scalar, or an array of the tree's shape."""
    match tree:
        case Call(op, arguments):
            if (special := _SPECIAL.get(op)) is not None:
                return special(arguments, engine)
            values = [_operand(each, engine) for each in arguments]
            function = COUNTING[op](engine.utf16) if op in COUNTING else SCALAR[op]
            return _each(op, function, values)
        case Number(value) | Text(value):
            return value
        case Range(area):
            return engine.sheets.read(area)
    raise TypeError(f"{tree} is no formula")


def _operand(tree: Expr, engine: Engine) -> Value:
    """An argument of which one value a cell is wanted: ranges intersect outside array formulas."""
    if engine.cell is None or not isinstance(tree, Range) or tree.shape == (1, 1):
        return evaluate(tree, engine)
    area, cell = tree.area, engine.cell
    if area.left == area.right and area.top <= cell.top <= area.bottom:
        return engine.sheets.read(area.row(cell.top - area.top))
    if area.top == area.bottom and area.left <= cell.left <= area.right:
        return engine.sheets.read(area.cell(0, cell.left - area.left))
    return Error.VALUE


# --- functions of single values, spread over arrays --------------------------------------------------

_WHOLE: dict[str, Callable[..., Array]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "^": np.power,
    "neg": np.negative, "EXP": np.exp, "SQRT": np.sqrt, "TANH": np.tanh, "ABS": np.abs,
    "LN": np.log,
}  # fmt: skip


def _each(op: str, function: Callable[..., Scalar], values: list[Value]) -> Value:
    """A function of scalars, applied to scalars or cell by cell to arrays."""
    if op in _WHOLE and any(isinstance(value, np.ndarray) for value in values):
        whole = _all_numbers(_WHOLE[op], values)
        if whole is not None:
            return whole
    return _spread(lambda *scalars: _one(function, scalars), values)


def _spread(function: Callable[..., Scalar], values: list[Value]) -> Value:
    """Call `function` once, or for each cell of the shape that all values spread over."""
    shapes = [value.shape for value in values if isinstance(value, np.ndarray)]
    if not shapes:
        return function(*values)
    rows, columns = (max(sides) for sides in zip(*shapes, strict=True))
    result = np.empty((rows, columns), dtype=object)
    for row, column in np.ndindex(rows, columns):
        result[row, column] = function(*(part(value, row, column) for value in values))
    return _tidy(result)


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
    box = np.empty((1, 1), dtype=object)
    box[0, 0] = value
    return _tidy(box)


# --- functions that choose ---------------------------------------------------------------------------

Arguments = tuple[Expr, ...]


def _if(arguments: Arguments, engine: Engine) -> Value:
    condition = _operand(arguments[0], engine)
    branches = [*arguments[1:], Call("NOT", (Number(1),))][:2]  # a missing branch is FALSE
    if not isinstance(condition, np.ndarray):
        truth = _one(as_truth, (condition,))
        return truth if isinstance(truth, Error) else _operand(branches[not truth], engine)

    def choose(truth: Scalar, then: Scalar, otherwise: Scalar) -> Scalar:
        known = _one(as_truth, (truth,))
        return known if isinstance(known, Error) else then if known else otherwise

    return _spread(choose, [condition, *(_operand(branch, engine) for branch in branches)])


def _if_error(arguments: Arguments, engine: Engine) -> Value:
    value = _operand(arguments[0], engine)
    if not isinstance(value, np.ndarray):
        return _operand(arguments[1], engine) if isinstance(value, Error) else value
    instead = _operand(arguments[1], engine)
    return _spread(lambda a, b: b if isinstance(a, Error) else a, [value, instead])


def _choose(arguments: Arguments, engine: Engine) -> Value:
    which = _one(as_number, (_scalar(_operand(arguments[0], engine)),))
    if isinstance(which, Error):
        return which
    assert isinstance(which, float)
    if not 1 <= which < len(arguments):
        return Error.VALUE
    return _operand(arguments[int(which)], engine)


def _scalar(value: Value) -> Scalar:
    return part(value, 0, 0) if isinstance(value, np.ndarray) else value


def _is(kind: Callable[[Scalar], bool]) -> Callable[[Arguments, Engine], Value]:
    return lambda arguments, engine: _spread(kind, [_operand(arguments[0], engine)])


# --- functions that look up --------------------------------------------------------------------------


def _index(arguments: Arguments, engine: Engine) -> Value:
    """INDEX: one cell, or with 0 for the row or the column a whole column or row."""
    whole = _Whole(arguments[0], engine)
    rows, columns = whole.shape
    places = [_operand(each, engine) for each in arguments[1:]]
    if len(places) == 1:  # one number counts along the only row, or down the rows
        places = [1.0, places[0]] if rows == 1 else [places[0], 1.0 if columns == 1 else 0.0]

    def part_at(row: Scalar, column: Scalar) -> Value:
        row, column = int(as_number(row)), int(as_number(column))
        if not (0 <= row <= rows and 0 <= column <= columns):
            raise Wrong(Error.REF)
        return whole.part(row, column)

    if not any(isinstance(place, np.ndarray) for place in places):
        return _one(part_at, tuple(places))  # type: ignore[arg-type, return-value]
    return _spread(lambda *at: _one(lambda *place: _scalar(part_at(*place)), at), places)


class _Whole:
    """What INDEX takes a part of; of a range it reads no more than the part."""

    def __init__(self, tree: Expr, engine: Engine) -> None:
        self._engine = engine
        self._area = tree.area if isinstance(tree, Range) else None
        self._values = None if self._area else _array(evaluate(tree, engine))
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
    key = _operand(arguments[0], engine)
    values = evaluate(arguments[1], engine)
    kind = _one(as_number, (_scalar(evaluate(arguments[2], engine)),))
    if isinstance(values, Error) or isinstance(kind, Error):
        return values if isinstance(values, Error) else kind
    listed = _array(values).ravel()
    find = _match_last_not_above if kind else _match_first_equal
    return _spread(lambda each: each if isinstance(each, Error) else find(each, listed), [key])


def _match_first_equal(key: Scalar, listed: Array) -> Scalar:
    if listed.dtype == np.float64 and isinstance(key, float):
        found = np.flatnonzero(listed == key)
        return float(found[0] + 1) if len(found) else Error.NA
    for place, value in enumerate(listed, start=1):
        if value is not None and not isinstance(value, Error) and compare(key, value) == 0:
            return float(place)
    return Error.NA


def _match_last_not_above(key: Scalar, listed: Array) -> Scalar:
    """In an ascending list, the last place whose value is not above the key; like the key in kind."""
    if listed.dtype == np.float64 and isinstance(key, float):
        place = int(np.searchsorted(listed, key, side="right"))
        return float(place) if place else Error.NA
    found: Scalar = Error.NA
    for place, value in enumerate(listed, start=1):
        if isinstance(value, str) == isinstance(key, str) and not isinstance(value, bool | Error):
            if value is not None and compare(value, key) > 0:
                break
            found = found if value is None else float(place)
    return found


# --- functions that reduce an area to one value ------------------------------------------------------


def _numbers(arguments: Arguments, engine: Engine) -> Array:
    """All numbers of the arguments; text and truth values count only as direct arguments."""
    found: list[Array] = []
    for argument in arguments:
        value = evaluate(argument, engine)
        if isinstance(value, np.ndarray) or isinstance(argument, Range):
            values = _array(value)
            if values.dtype != np.float64:
                for each in values.flat:
                    if isinstance(each, Error):
                        raise Wrong(each)
                plain = [each for each in values.flat if type(each) is float]
                values = np.array([plain], dtype=np.float64)
            found.append(values.ravel())
        else:
            found.append(np.array([as_number(value)]))
    return np.concatenate(found) if len(found) > 1 else found[0]


def _reduce(function: Callable[[Array], float]) -> Callable[[Arguments, Engine], Value]:
    def reduced(arguments: Arguments, engine: Engine) -> Value:
        return _one(lambda: float(function(_numbers(arguments, engine))), ())

    return reduced


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
            values = [each for argument in arguments for each in _flat(argument, engine)]
            return function([as_truth(each) for each in values])

        return _one(truth, ())

    return reduced


def _flat(argument: Expr, engine: Engine) -> list[Scalar]:
    value = evaluate(argument, engine)
    if not isinstance(value, np.ndarray):
        return [value]
    return [each for each in value.ravel().tolist() if not isinstance(each, str | None)]


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
    """COUNTIF for a number, or a comparison with a number such as ">=3"."""
    criterion = as_text(_scalar(evaluate(arguments[1], engine)))
    sign = criterion[: len(criterion) - len(criterion.lstrip("<=>"))]
    holds = SCALAR[sign or "="]
    limit = as_number(criterion[len(sign) :])
    values = _array(evaluate(arguments[0], engine)).ravel().tolist()
    return float(sum(holds(each, limit) is True for each in values if type(each) is float))


def _sum_product(arguments: Arguments, engine: Engine) -> Value:
    arrays = [_array(evaluate(argument, engine)) for argument in arguments]
    if len({array.shape for array in arrays}) > 1:
        return Error.VALUE
    product = np.ones(arrays[0].shape)
    for array in arrays:
        for each in array.flat if array.dtype == object else ():
            if isinstance(each, Error):
                return each
        product = product * (
            array
            if array.dtype == np.float64
            else np.vectorize(lambda each: each if type(each) is float else 0.0)(array)
        )
    return float(product.sum())


# --- matrices ----------------------------------------------------------------------------------------


def _product(arguments: Arguments, engine: Engine) -> Value:
    left, right = (_array(evaluate(argument, engine)) for argument in arguments)
    for matrix in (left, right):
        if matrix.dtype != np.float64:
            errors = [each for each in matrix.flat if isinstance(each, Error)]
            return errors[0] if errors else Error.VALUE
    return left @ right if left.shape[1] == right.shape[0] else Error.VALUE


def _transpose(arguments: Arguments, engine: Engine) -> Value:
    value = evaluate(arguments[0], engine)
    if not isinstance(value, np.ndarray) or value.dtype == np.float64:
        return value.T if isinstance(value, np.ndarray) else value
    return _spread(lambda each: 0.0 if each is None else each, [value.T])


def _side(axis: int) -> Callable[[Arguments, Engine], Value]:
    return lambda arguments, engine: float(_array(evaluate(arguments[0], engine)).shape[axis])


_SPECIAL: dict[str, Callable[[Arguments, Engine], Value]] = {
    "IF": _if,
    "IFERROR": _if_error,
    "CHOOSE": _choose,
    "ISNUMBER": _is(lambda value: isinstance(value, float)),
    "ISERROR": _is(lambda value: isinstance(value, Error)),
    "INDEX": _index,
    "MATCH": _match,
    "SUM": _reduce(lambda numbers: float(np.sum(numbers))),
    "MAX": _reduce(lambda numbers: float(np.max(numbers, initial=-np.inf)) if numbers.size else 0.0),
    "MIN": _reduce(lambda numbers: float(np.min(numbers, initial=np.inf)) if numbers.size else 0.0),
    "COUNT": _reduce(lambda numbers: float(numbers.size)),
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
