"""What is stored agrees with itself: each formula, on what is stored of its inputs, gives what is
stored of it. Other programs believe it.
"""

import numpy as np
import pytest

from sheetgpt.book.calculate import as_stored
from sheetgpt.calculate.environment import Environment
from sheetgpt.calculate.evaluate import evaluate
from sheetgpt.calculate.values import Error
from sheetgpt.check.formulas import Formulas
from sheetgpt.xlsx.read import read


def shown(value, shape):
    """A value in every cell of a shape; rows without a token are left out of a file: None."""
    cells = np.empty(shape, dtype=object)
    cells[...] = value
    return ["" if each is None else each for each in cells.ravel().tolist()]


@pytest.mark.parametrize("workbook", ["tiny_workbook", "nano_workbook"])
def test_every_formula_is_true_of_what_is_stored(workbook, request):
    book = read(request.getfixturevalue(workbook))
    formulas, differ = Formulas(book).all, []
    assert len(formulas) > 1000
    for each in formulas:
        value = as_stored(evaluate(each.tree, Environment(book.values)))
        stored = shown(book.values.read(each.area), each.area.shape)
        assert not any(isinstance(cell, Error) for cell in stored), each.area
        if shown(value, each.area.shape) != stored:
            differ.append(str(each.area))
    assert differ == []
