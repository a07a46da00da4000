"""Reading a tree as values: which function computes which call.

Errors are values, and the leftmost wins.
"""

from sheetgpt.calculate.arguments import Arguments, Function
from sheetgpt.calculate.arrays import each
from sheetgpt.calculate.choices import CHOICES
from sheetgpt.calculate.environment import Environment
from sheetgpt.calculate.lookups import LOOKUPS
from sheetgpt.calculate.matrices import MATRICES
from sheetgpt.calculate.reductions import REDUCTIONS
from sheetgpt.calculate.scalars import COUNTING, SCALAR
from sheetgpt.calculate.values import Value
from sheetgpt.formula.expr import Call, Expr, Number, Range, Text

# Functions that read their arguments themselves; all others are functions of single values.
SPECIAL: dict[str, Function] = {**CHOICES, **LOOKUPS, **REDUCTIONS, **MATRICES}


def evaluate(tree: Expr, environment: Environment) -> Value:
    """The value of a formula: a scalar, or an array of the tree's shape."""
    if isinstance(tree, Range):
        return environment.read(tree.area)
    if isinstance(tree, Number | Text):
        return tree.value
    if not isinstance(tree, Call):
        raise TypeError(f"{tree} is no formula")
    op, arguments = tree.op, tree.arguments
    if (special := SPECIAL.get(op)) is not None:
        return special(Arguments(arguments, environment, evaluate))
    values = [evaluate(argument, environment) for argument in arguments]
    counting = COUNTING.get(op)
    return each(op, counting(environment.units) if counting else SCALAR[op], values)
