"""A workbook before it is a file: tabs of texts, numbers and formulas, and the defined names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import Expr


@dataclass(frozen=True)
class Text:
    """A constant in one cell; `link` is the place that a click leads to."""

    area: Area
    value: str | float
    look: str
    link: Area | None = None


@dataclass(frozen=True)
class Numbers:
    """A matrix of constants: weights, ids, keys."""

    area: Area
    values: NDArray[np.float32] | NDArray[np.float64] | NDArray[np.int64]
    look: str


@dataclass(frozen=True)
class Texts:
    """A column of constant texts, such as all tokens of the vocabulary."""

    area: Area
    values: Sequence[str]
    look: str


@dataclass(frozen=True)
class Computed:
    """A formula and the cells it fills.

    array: whether it is an array formula. LibreOffice calculates those as soon as it shows them,
        but believes what is stored of others.
    link: the place that a click leads to.
    """

    area: Area
    tree: Expr
    look: str
    array: bool = True
    link: Area | None = None


class Layout(Enum):
    """How a step's cells lie. Where a row or a column is a token, its text stands at its head."""

    ROW = "a row is a token"
    CAUSAL = "a row is a token, and so is a column: of each head a square that is half empty"
    TALL = "a column is a token, a row is an entry of the vocabulary"
    TABLE = "rows and columns are what their headings say"
    SCALAR = "one cell"


@dataclass(frozen=True)
class StepRecord:
    """One step, or one range that formulas fill for a person to see.

    name: its defined name, such as `h.3.attn.q`. key: the same in the templates: `h.b.attn.q`.
    shape: rows and columns. number: that of a block's sixteen. is_share: whether its numbers are
    shares of a whole. alike: whether its rows are one formula filled down. window: how many tokens
    one sees, itself included, where its formulas read other tokens; 0: all up to it.
    formulas: those that fill it, once they are placed.
    """

    name: str
    tab: str
    layout: Layout
    shape: tuple[int, int] = (1, 1)
    key: str = ""
    number: int | None = None
    is_share: bool = False
    alike: bool = True
    window: int = 0
    formulas: tuple[Computed, ...] = ()

    @property
    def words(self) -> str:
        return self.key or self.name

    @property
    def is_tall(self) -> bool:
        return self.layout is Layout.TALL

    @property
    def has_tokens_beside(self) -> bool:
        return self.layout in (Layout.ROW, Layout.CAUSAL, Layout.TALL)

    @property
    def n_places(self) -> int:
        """How many numbers a token has."""
        return self.shape[0] if self.is_tall else self.shape[1]


@dataclass(frozen=True)
class Blank:
    """Cells that hold nothing but a look."""

    area: Area
    look: str


@dataclass(frozen=True)
class Bars:
    """A chart of horizontal bars: a label and a value each, its corner in one cell.

    Width and height are in centimetres; `about` is read to those who cannot see it.
    names: where several values stand side by side for each label, the headings of their columns.
    """

    labels: Area
    values: Area
    corner: Area
    about: str
    width: float
    height: float
    names: Area | None = None


@dataclass(frozen=True)
class Curve:
    """Points of a plot, in their order: of each a cell of x and one of y.

    look: `line`, `points`, `walk` (points that a line joins), `named` (points with the name beside
        them, all of one colour), `answer` (the same in another colour), or `name` (the name alone).
    name: the cell that says what they are. side: where a name stands: `t` above the point, `b`
        below, `l`, `r`, or `ctr` in its place.
    """

    x: Area
    y: Area
    name: Area
    look: str = "line"
    side: str = "t"


@dataclass(frozen=True)
class Plot:
    """A chart of curves over two axes of numbers, its corner in one cell.

    Width and height are in centimetres; `about` is read to those who cannot see it.
    y_title: "" where the height means nothing, so that there is no such axis. x_limits, y_limits:
    where the axes end, if not at the curves. log: whether y counts in powers of ten.
    """

    curves: Sequence[Curve]
    corner: Area
    about: str
    width: float
    height: float
    x_title: str
    y_title: str
    x_limits: tuple[float, float] | None = None
    y_limits: tuple[float, float] | None = None
    log: bool = False


@dataclass(frozen=True)
class Diverging:
    """Cells coloured by their size and sign, white at 0.

    largest: the size that has the strongest colour, or the cell on the same tab that holds it.
    """

    area: Area
    largest: float | Area


@dataclass(frozen=True)
class Rule:
    """What cells look like besides, while a condition holds.

    condition: as the area's first cell would have it; its ranges move along from cell to cell,
        but for the sides that are fixed.
    """

    area: Area
    condition: Expr
    look: str


@dataclass(frozen=True)
class Validation:
    """What may be typed into cells, and the sentence for whatever else is.

    kind: `decimal`, `whole` or `text`; of a text, the limits are those of its length.
        Or `list`: one of the texts in the cells `choices`, which a program offers.
    """

    area: Area
    kind: str
    least: float
    most: float
    title: str
    sentence: str
    choices: Area | None = None


class _Placed(Protocol):
    @property
    def area(self) -> Area: ...


@dataclass(frozen=True)
class Tab:
    """One sheet. Columns and rows count from 1; widths are in characters, heights in points.

    row_groups, column_groups: the first and last of rows and columns that fold away together; a
        group of rows may lie inside another.
    """

    name: str
    texts: Sequence[Text]
    lists: Sequence[Texts]
    numbers: Sequence[Numbers]
    computed: Sequence[Computed]
    blanks: Sequence[Blank]
    widths: Mapping[int, float]
    heights: Mapping[int, float]
    frozen: tuple[int, int]  # the rows and columns that stay while the rest scrolls
    heat: Sequence[Area] = ()  # areas of shares from 0 to 1, coloured by their size
    diverging: Sequence[Diverging] = ()
    charts: Sequence[Bars | Plot] = ()
    default: tuple[int, str] | None = None  # from this column on, cells have this look unsaid
    rules: Sequence[Rule] = ()
    row_groups: Sequence[tuple[int, int]] = ()
    column_groups: Sequence[tuple[int, int]] = ()
    color: str | None = None  # of the sheet's tab
    validations: Sequence[Validation] = ()
    cursor: Area | None = None  # the cell in which one types when the tab is shown; else its first
    merged: Sequence[Area] = ()  # cells that are one

    @property
    def extent(self) -> tuple[int, int]:
        """The last row and column that hold anything."""
        kinds: list[Sequence[_Placed]] = [
            self.texts, self.lists, self.numbers, self.computed, self.blanks
        ]  # fmt: skip
        areas = [item.area for items in kinds for item in items]
        return max(area.bottom for area in areas), max(area.right for area in areas)

    @cached_property
    def n_numbers(self) -> int:
        """How many cells hold constant numbers."""
        return sum(numbers.values.size for numbers in self.numbers)


@dataclass(frozen=True)
class Book:
    """A whole workbook: its tabs in order, its defined names, what it says of itself.

    manual: whether it is calculated only when somebody asks for it.
    steps: everything that formulas compute, in the order in which they do.
    """

    tabs: Sequence[Tab]
    names: Mapping[str, Area]
    properties: Mapping[str, str] = field(default_factory=dict)
    manual: bool = False
    steps: Sequence[StepRecord] = ()

    def __post_init__(self) -> None:
        if len({name.lower() for name in self.names}) < len(self.names):
            raise ValueError("two defined names differ only in capitals, which no program tells")

    @cached_property
    def n_numbers(self) -> int:
        """How many cells hold constant numbers."""
        return sum(tab.n_numbers for tab in self.tabs)
