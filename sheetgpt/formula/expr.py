"""Formulas as trees: a number, a text, a range of cells, or a call.

Every node knows its shape, (rows, columns), and a mistake of shape rises where it is made.
A formula is written once for all tokens: four calls name the part of a range that belongs to
one token, and `row.py` turns them into plain ranges, token by token.

    row(x)     the token's own row                            1 x d
    past(x)    the rows of all tokens up to this one          t x d
    seen(x)    the token's row in a matrix of token by token  1 x t
               (with a number behind x, both: of so many tokens at most, this one the last)
    column(x)  the token's own column                         d x 1

The side `t` is the number of tokens up to this one, the token itself included.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from sheetgpt.formula.cells import MOVES, STAYS, Area, Fixed

Side = int | str  # a number of cells, or SO_FAR
Shape = tuple[Side, Side]

SO_FAR = "t"
EACH = "each"
OWN = "own"
SCALAR: Shape = (1, 1)


class Expr:
    """Any node; carries the operators, so that formulas read like arithmetic."""

    __slots__ = ()

    @property
    def shape(self) -> Shape:
        raise NotImplementedError

    def __add__(self, other: "Like") -> "Call":
        return Call("+", (self, expr(other)))

    def __radd__(self, other: "Like") -> "Call":
        return Call("+", (expr(other), self))

    def __sub__(self, other: "Like") -> "Call":
        return Call("-", (self, expr(other)))

    def __rsub__(self, other: "Like") -> "Call":
        return Call("-", (expr(other), self))

    def __mul__(self, other: "Like") -> "Call":
        return Call("*", (self, expr(other)))

    def __rmul__(self, other: "Like") -> "Call":
        return Call("*", (expr(other), self))

    def __truediv__(self, other: "Like") -> "Call":
        return Call("/", (self, expr(other)))

    def __rtruediv__(self, other: "Like") -> "Call":
        return Call("/", (expr(other), self))

    def __pow__(self, other: "Like") -> "Call":
        return Call("^", (self, expr(other)))

    def __matmul__(self, other: "Expr") -> "Call":
        return Call("MMULT", (self, other))

    def __neg__(self) -> "Call":
        return Call("neg", (self,))

    def __lt__(self, other: "Like") -> "Call":
        return Call("<", (self, expr(other)))

    def __le__(self, other: "Like") -> "Call":
        return Call("<=", (self, expr(other)))

    def __gt__(self, other: "Like") -> "Call":
        return Call(">", (self, expr(other)))

    def __ge__(self, other: "Like") -> "Call":
        return Call(">=", (self, expr(other)))

    def equals(self, other: "Like") -> "Call":
        """The spreadsheet's `=`; Python's own `==` compares trees."""
        return Call("=", (self, expr(other)))

    def differs(self, other: "Like") -> "Call":
        return Call("<>", (self, expr(other)))

    @property
    def T(self) -> "Call":
        return Call("TRANSPOSE", (self,))


Like = Expr | float | str


@dataclass(frozen=True, slots=True)
class Number(Expr):
    """A constant, zero or more: a formula has no negative numbers, only the minus sign."""

    value: float

    def __post_init__(self) -> None:
        if not 0 <= self.value < float("inf"):
            raise ValueError(f"{self.value} is not a number that formula text can hold")

    @property
    def shape(self) -> Shape:
        return SCALAR


@dataclass(frozen=True, slots=True)
class Text(Expr):
    value: str

    @property
    def shape(self) -> Shape:
        return SCALAR


@dataclass(frozen=True, slots=True)
class Range(Expr):
    """Cells; written by their defined name where they have one.

    part: what part of the range with this name they are: its columns from one to another,
        counted from 0; or EACH, one of equal parts for which one formula stands; or OWN, what
        belongs to this block of a range for all blocks. A part goes by its address.
    fixed: which sides stay where they are when the formula is filled on; two formulas that differ
        in nothing else compute the same.
    """

    area: Area
    name: str | None = None
    part: tuple[int, int] | str = ""
    fixed: Fixed = field(default=MOVES, compare=False)

    @property
    def shape(self) -> Shape:
        return self.area.shape


@dataclass(frozen=True, slots=True)
class Call(Expr):
    """An operator or function on its arguments."""

    op: str
    arguments: tuple[Expr, ...]
    _shape: Shape = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.op not in SHAPES:
            raise ValueError(f"{self.op} is not a function that these formulas use")
        try:
            shape = SHAPES[self.op](self.arguments)
        except (ValueError, IndexError, TypeError) as error:
            shapes = ", ".join(f"{rows} x {columns}" for rows, columns in self._argument_shapes())
            raise ValueError(
                f"{self.op} cannot take arguments of {shapes or 'no'} cells"
            ) from error
        object.__setattr__(self, "_shape", shape)

    def _argument_shapes(self) -> list[Shape]:
        return [argument.shape for argument in self.arguments]

    @property
    def shape(self) -> Shape:
        return self._shape

    def on(self, arguments: tuple[Expr, ...]) -> "Call":
        """The same call on other arguments of the same shapes, which are not looked at again."""
        other = object.__new__(Call)
        object.__setattr__(other, "op", self.op)
        object.__setattr__(other, "arguments", arguments)
        object.__setattr__(other, "_shape", self._shape)
        return other


def expr(value: Like) -> Expr:
    """A Python value as a node."""
    if isinstance(value, Expr):
        return value
    if isinstance(value, str):
        return Text(value)
    return Number(value) if value >= 0 else -Number(-value)


def call(function: str, *arguments: Like) -> Call:
    """A spreadsheet function by its name: `call("MAX", x)`."""
    return Call(function, tuple([expr(argument) for argument in arguments]))


def when(condition: Expr, then: Like, otherwise: Like) -> Call:
    """IF, which looks only at the branch it takes."""
    return call("IF", condition, then, otherwise)


def one_of(choices: Sequence[Like], index: Expr) -> Call:
    """One of at most MOST_CHOICES, counted from 0; no other is looked at."""
    return call("CHOOSE", index + 1, *choices)


def join(*parts: Like) -> Expr:
    """Texts one behind the other, with the operator &."""
    first, *rest = (expr(part) for part in parts)
    for part in rest:
        first = Call("&", (first, part))
    return first


def past(own: Expr, window: int = 0) -> Call:
    """From the token's own row to the rows of all tokens up to it, or of the last `window`."""
    assert isinstance(own, Call) and own.op == "row"
    return Call("past", own.arguments + within(window))


def within(window: int) -> tuple[Number, ...]:
    """What `past` and `seen` have behind their range: nothing, or a window."""
    return (Number(window),) if window else ()


def fixed(cells: Range) -> Range:
    """The same cells for every row that a formula is filled into."""
    return replace(cells, fixed=STAYS)


def split(own: Call, parts: int) -> list[Call]:
    """Equal parts side by side, such as queries, keys and values."""
    return _split(own, parts, alike=False)


def heads(own: Call, n_head: int) -> list[Call]:
    """The part of a row that belongs to each head; one formula stands for all of them."""
    return _split(own, n_head, alike=True)


def _split(own: Call, parts: int, *, alike: bool) -> list[Call]:
    whole, *window = own.arguments
    assert isinstance(whole, Range)
    width, rest = divmod(whole.area.shape[1], parts)
    if rest:
        raise ValueError(f"{whole.area} does not split into {parts} equal parts")
    split_: list[Call] = []
    for start in range(0, parts * width, width):
        part = EACH if alike else (start, start + width - 1)
        columns = whole.area.columns(start, start + width)
        split_.append(Call(own.op, (Range(columns, whole.name, part), *window)))
    return split_


# --- shapes: what each operator makes of its arguments' shapes -----------------------------------

Arguments = tuple[Expr, ...]
MOST = 255  # arguments that a function takes at most, in Excel
MOST_CHOICES = MOST - 1  # that CHOOSE has, behind the number of the one


def _broadcast(arguments: Arguments) -> Shape:
    """One row or column is repeated as often as needed."""
    shape = SCALAR
    for argument in arguments:
        if (other := argument.shape) not in (SCALAR, shape):
            shape = _longer(shape[0], other[0]), _longer(shape[1], other[1])
    return shape


def _longer(side: Side, other: Side) -> Side:
    if 1 not in (side, other) and side != other:
        raise ValueError("the sides differ")
    return other if side == 1 else side


def _scalar(least: int, most: int = MOST) -> Callable[[Arguments], Shape]:
    def check(arguments: Arguments) -> Shape:
        _count(arguments, least, most)
        return SCALAR

    return check


def _elementwise(least: int, most: int = MOST) -> Callable[[Arguments], Shape]:
    def check(arguments: Arguments) -> Shape:
        _count(arguments, least, most)
        return _broadcast(arguments)

    return check


def _count(arguments: Arguments, least: int, most: int) -> None:
    if not least <= len(arguments) <= most:
        raise ValueError(f"takes {least} to {most} arguments")


def _product(arguments: Arguments) -> Shape:
    left, right = arguments
    if left.shape[1] != right.shape[0]:
        raise ValueError("the inner sides differ")
    return left.shape[0], right.shape[1]


def _transpose(arguments: Arguments) -> Shape:
    (argument,) = arguments
    return argument.shape[1], argument.shape[0]


def _match(arguments: Arguments) -> Shape:
    if len(arguments) != 3:
        raise ValueError("MATCH takes a key, a list and how to compare")
    return arguments[0].shape


def _index(arguments: Arguments) -> Shape:
    area, *where = arguments
    if not 1 <= len(where) <= 2:
        raise ValueError("INDEX takes an area, a row and perhaps a column")
    if where[0] == Number(0):
        return area.shape[0], 1
    if len(where) == 2 and where[1] == Number(0):
        return 1, area.shape[1]
    return _broadcast(tuple(where))


def _of_a_range(
    shape: Callable[[Range], Shape], *, windowed: bool = False
) -> Callable[[Arguments], Shape]:
    def check(arguments: Arguments) -> Shape:
        argument, *window = arguments
        if not isinstance(argument, Range):
            raise TypeError("only a range has rows of tokens")
        if len(window) > windowed or not all(isinstance(each, Number) for each in window):
            raise TypeError("only a number of tokens may stand behind the range")
        return shape(argument)

    return check


_UNARY, _BINARY = _elementwise(1, 1), _elementwise(2, 2)

SHAPES: dict[str, Callable[[Arguments], Shape]] = {
    "row": _of_a_range(lambda whole: (1, whole.shape[1])),
    "past": _of_a_range(lambda whole: (SO_FAR, whole.shape[1]), windowed=True),
    "seen": _of_a_range(lambda whole: (1, SO_FAR), windowed=True),
    "column": _of_a_range(lambda whole: (whole.shape[0], 1)),
    **dict.fromkeys(("+", "-", "*", "/", "^", "&", "=", "<>", "<", "<=", ">", ">="), _BINARY),
    **dict.fromkeys(("neg", "%"), _UNARY),
    **dict.fromkeys(("SUM", "MAX", "MIN", "AVERAGE", "VARP", "COUNT"), _scalar(1)),
    **dict.fromkeys(("AND", "OR", "SUMPRODUCT"), _scalar(1)),
    **dict.fromkeys(("COUNTIF", "LARGE", "SMALL"), _scalar(2, 2)),
    **dict.fromkeys(("ROWS", "COLUMNS"), _scalar(1, 1)),
    **dict.fromkeys(("EXP", "LN", "SQRT", "TANH", "SIN", "ACOS", "ABS", "INT"), _UNARY),
    **dict.fromkeys(("NORMSDIST", "NOT", "TRIM", "LEN", "UNICODE", "UNICHAR"), _UNARY),
    **dict.fromkeys(("ISNUMBER", "ISTEXT", "ISERROR"), _UNARY),
    **dict.fromkeys(("MOD", "ROUND", "EXACT", "REPT", "IFERROR", "HYPERLINK"), _BINARY),
    "DEC2HEX": _elementwise(1, 2),
    **dict.fromkeys(("MID", "SUBSTITUTE", "ADDRESS"), _elementwise(3, 3)),
    "IF": _elementwise(2, 3),
    "CHOOSE": _elementwise(2),
    "PI": _scalar(0, 0),
    "MMULT": _product,
    "TRANSPOSE": _transpose,
    "MATCH": _match,
    "INDEX": _index,
}
