"""The fingerprints of steps: what they notice, and what they forgive."""

import random

import numpy as np
import pytest

from sheetgpt.book.book import Layout, StepRecord
from sheetgpt.book.trace import (
    LEAST,
    TOLERANCE,
    factors_of_places,
    factors_of_tokens,
    fingerprint,
    tolerance,
)

ROW, TALL = (StepRecord("step", "tab", layout) for layout in (Layout.ROW, Layout.TALL))
SHAPES = [(11, 64), (11, 256), (4, 1), (1, 1), (6, 50_257)]  # tokens and places


def some_step(shape: tuple[int, int], scale: float) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(0, scale, shape)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_a_changed_cell_is_noticed(shape, scale):
    """Anywhere, by little more than a billionth of the step's largest number."""
    values, chance = some_step(shape, scale), random.Random(1)
    before, limit = fingerprint(ROW, values), tolerance(values)
    for _ in range(20):
        changed = values.copy()
        at = chance.randrange(shape[0]), chance.randrange(shape[1])
        changed[at] += 1.01 * TOLERANCE * np.abs(values).max()
        assert abs(fingerprint(ROW, changed) - before) > limit, at


@pytest.mark.parametrize("shape", SHAPES[:3])
def test_two_cells_that_change_places_are_noticed(shape):
    """Neighbours in a row and in a column, cells mirrored at the diagonal, any others."""
    values, chance = some_step(shape, 1.0), random.Random(2)
    before, limit = fingerprint(ROW, values), tolerance(values)
    rows, columns = shape
    pairs = [((r, c), (r, c + 1)) for r in range(rows) for c in range(columns - 1)]
    pairs += [((r, c), (r + 1, c)) for r in range(rows - 1) for c in range(columns)]
    pairs += [((r, c), (c, r)) for r in range(min(shape)) for c in range(r)]
    cells = [(r, c) for r in range(rows) for c in range(columns)]
    pairs += [tuple(chance.sample(cells, 2)) for _ in range(500)]
    for one, other in pairs:
        swapped = values.copy()
        swapped[one], swapped[other] = values[other], values[one]
        assert abs(fingerprint(ROW, swapped) - before) > limit, (one, other)


@pytest.mark.parametrize("shape", SHAPES)
def test_another_application_may_round_differently(shape):
    values = some_step(shape, 1.0)
    noise = np.random.default_rng(1).uniform(-1e-13, 1e-13, shape) * np.abs(values).max()
    difference = fingerprint(TALL, values.T) - fingerprint(TALL, (values + noise).T)
    assert abs(difference) < tolerance(values)


def test_factors():
    """No two cells of a step have the same, and none has a small one."""
    products = factors_of_tokens(32)[:, None] * factors_of_places(256)
    assert len(np.unique(products)) == products.size
    assert np.abs(products).min() >= LEAST and np.abs(products).max() <= 1
    assert len(np.unique(factors_of_places(50_257))) == 50_257
    assert abs(np.sign(factors_of_places(50_257)).mean()) < 0.01  # so that errors cancel
