"""Rounding weights to significant digits."""

import numpy as np
import pytest

from sheetgpt import models
from sheetgpt.calculate.numerals import written
from sheetgpt.checkpoint.rounding import as_float32, loss, round_to


@pytest.mark.parametrize("digits", range(1, 7))
def test_rounds_as_decimals_do(digits: int) -> None:
    random = np.random.default_rng(digits)
    values = (random.standard_normal(2000) * 10.0 ** random.integers(-30, 30, 2000)).astype("f4")
    for before, after in zip(values.tolist(), round_to(values, digits), strict=True):
        assert after == np.float32(float(f"{before:.{digits - 1}e}")), before


def test_leaves_nothing_and_its_sign() -> None:
    values = np.array([0.0, -0.0, 1e-45, -3e38], dtype="f4")
    rounded = round_to(values, 3)
    assert rounded[0] == 0 and np.signbit(rounded[1]) and rounded[3] == np.float32(-3e38)


def test_rounded_numbers_are_short() -> None:
    values = np.random.default_rng(0).standard_normal(5000).astype("f4") * np.float32(0.02)
    for text in written(round_to(values, 4)).split(b","):
        digits = text.decode().lstrip("-").replace(".", "").split("e")[0].strip("0")
        assert len(digits) <= 4, text


def test_a_model_with_rounded_weights() -> None:
    nano = models.load("nano")
    assert as_float32(nano) is nano
    rounded = as_float32(nano, 3)
    ids = nano.tokenizer.encode("Mike is quick. He moves")
    change = loss(nano, rounded, ids)
    assert 0 < change.logit < 1 and change.before == change.after
    assert np.array_equal(rounded.weights["wpe"], round_to(nano.weights["wpe"], 3))
    assert loss(nano, nano, ids).logit == 0
