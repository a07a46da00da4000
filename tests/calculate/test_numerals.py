"""Numbers as text and back, against Python's own reading of decimals."""

import numpy as np
import pytest

from sheetgpt.calculate import numerals
from sheetgpt.calculate.numerals import Float32Numerals, as_read_back, read, written


def any_floats(size: int) -> np.ndarray:
    """float32 numbers of every size."""
    random = np.random.default_rng(size)
    values = random.integers(0, 1 << 32, size, dtype=np.uint32).view(np.float32)
    return values[np.isfinite(values)]


@pytest.fixture(params=["simdjson", "orjson"])
def either_reader(request, monkeypatch):
    if request.param == "orjson":
        monkeypatch.setattr(numerals, "simdjson", None)
    elif numerals.simdjson is None:
        pytest.skip("simdjson is not built for this Python")


def test_text_is_the_shortest_that_reads_back(either_reader):
    values = any_floats(20_000)
    texts = written(values).split(b",")
    assert read(b",".join(texts)).astype(np.float32).tobytes() == values.tobytes()
    for text, value in zip(texts, values, strict=True):
        assert float(text) == float(str(value)), "NumPy prints the shortest decimal, too"


def test_reading_is_exact(either_reader):
    texts = ["0", "-0.0", "1e-310", "1.7976931348623157e308", "3", "-12.5", "0.1", "123456789012"]
    assert read(",".join(texts).encode()).tolist() == [float(text) for text in texts]


@pytest.mark.parametrize("text", [b"", b"1,", b"1,,2", b"a", b"1;2", b'"1"', b"1]", b"nan", b"01"])
def test_what_is_no_list_of_numbers(either_reader, text):
    if text == b"":
        assert read(text).size == 0
        return
    with pytest.raises((ValueError, TypeError)):
        read(text)


def large(rows: int, columns: int) -> np.ndarray:
    random = np.random.default_rng(rows)
    return (random.standard_normal((rows, columns)) * 0.02).astype(np.float32)


def test_a_large_matrix_is_exact_in_half_the_memory():
    values = large(900, 700)
    values[3, 5], values[8, 9] = 0.0, -1e-30
    numerals = as_read_back(values)
    assert isinstance(numerals, Float32Numerals)
    exact = np.array([float(text) for text in written(values).split(b",")]).reshape(values.shape)
    assert (exact != values).any()
    assert np.array_equal(numerals[:], exact)
    assert np.array_equal(numerals[2:9, 3:8], exact[2:9, 3:8])
    assert np.array_equal(np.asarray(numerals), exact)
    assert np.array_equal(numerals.rows(slice(5, 50))[:], exact[5:50])
    row, column = np.random.default_rng(1).random((1, 900)), np.ones((700, 1))
    assert np.allclose(row @ numerals, row @ exact, rtol=1e-14, atol=1e-12)
    assert np.allclose(numerals @ column, exact @ column, rtol=1e-14, atol=1e-12)


def test_numbers_too_small_for_the_short_form():
    values = large(900, 700)
    values[7, 7] = 1e-44
    dense = as_read_back(values)
    assert isinstance(dense, np.ndarray) and dense[7, 7] == 1e-44


def test_small_matrices_are_plain():
    assert isinstance(as_read_back(large(10, 10)), np.ndarray)
