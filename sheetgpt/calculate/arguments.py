"""What a function is given that decides by itself which of its arguments are read, and how."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sheetgpt.calculate.arrays import as_array, first
from sheetgpt.calculate.environment import Environment
from sheetgpt.calculate.values import Array, Scalar, Value
from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import Expr, Range


@dataclass(frozen=True, slots=True)
class Arguments:
    """The trees of a function's arguments; each is computed when it is asked for, or never.

    evaluate: gives the value of a tree. It is handed in, so that functions need not know the
        table that they stand in.
    """

    trees: tuple[Expr, ...]
    environment: Environment
    evaluate: Callable[[Expr, Environment], Value]

    def __len__(self) -> int:
        return len(self.trees)

    def area(self, index: int) -> Area | None:
        """Where the cells are, if the argument is a range and nothing else."""
        tree = self.trees[index]
        return tree.area if isinstance(tree, Range) else None

    def value(self, index: int) -> Value:
        """The argument's value as the formula sees it."""
        return self.evaluate(self.trees[index], self.environment)

    def scalar(self, index: int) -> Scalar:
        """An argument that is one value; of an array its first."""
        return first(self.value(index))

    def matrix(self, index: int) -> Array:
        """An argument that is computed as if in an array formula, in every kind of formula."""
        return as_array(self.evaluate(self.trees[index], self.environment.of_arrays()))

    def cells(self, index: int) -> Value:
        """An argument of which all cells are wanted, in every kind of formula.

        Even of one cell they are an array: what stands in cells counts differently from what is
        written into the formula.
        """
        area = self.area(index)
        return self.value(index) if area is None else as_array(self.environment.sheets.read(area))

    def all_cells(self) -> Iterator[Value]:
        """`cells` of each argument."""
        return (self.cells(index) for index in range(len(self)))


Function = Callable[[Arguments], Value]
