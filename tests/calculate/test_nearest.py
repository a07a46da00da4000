"""The doubles of shortest decimals, against the decimals themselves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from sheetgpt.calculate.nearest import nearest
from sheetgpt.calculate.numerals import read, written


def agree(values: np.ndarray) -> int:
    """How many are told, all of them as their text says."""
    values = values[np.isfinite(values)]
    with np.errstate(all="raise", invalid="ignore"):
        found, others = nearest(values)
    told = np.ones(values.size, dtype=bool)
    told[others] = False
    assert np.array_equal(found[told], read(written(values))[told])
    return int(told.sum())


@given(some.lists(some.integers(0, (1 << 32) - 1), min_size=1))
def test_any_float32(bits):
    agree(np.array(bits, dtype=np.uint32).view(np.float32))


def test_a_million_of_every_size():
    random = np.random.default_rng(0)
    agree(random.integers(0, 1 << 32, 1_000_000, dtype=np.uint32).view(np.float32))


@pytest.mark.parametrize("size", [1e-6, 1e-3, 0.02, 1.0, 30.0])
def test_numbers_as_weights_are(size):
    """Nearly all of them are told."""
    values = np.random.default_rng(1).standard_normal(500_000) * size
    assert agree(values.astype(np.float32)) > 0.999 * values.size


@pytest.mark.parametrize("digits", range(1, 9))
def test_numbers_of_few_digits(digits):
    values = np.random.default_rng(2).integers(-(10**digits), 10**digits, 100_000) / 10**digits
    agree(values.astype(np.float32))


def test_neighbours_of_powers():
    """Where the distance of neighbours changes."""
    powers = np.concatenate([2.0 ** np.arange(-60, 30), 10.0 ** np.arange(-16, 9)])
    bits = powers.astype(np.float32).view(np.uint32)
    agree((bits[:, None] + np.arange(-300, 300)).ravel().astype(np.uint32).view(np.float32))
