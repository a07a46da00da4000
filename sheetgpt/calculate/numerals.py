"""Numbers as the text of cells, and back.

A float32 is written as the shortest decimal that rounds to it. A spreadsheet makes a double of
that decimal, which differs from the float32 by up to 2^-24 of its size: this double, not the
float32, is what formulas compute with.
"""

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from sheetgpt.calculate.nearest import nearest
from sheetgpt.calculate.sparse_memory import zeros
from sheetgpt.workers import Workers

simdjson: Any = None  # not built for the newest Python yet; orjson reads the same, slower
with suppress(ModuleNotFoundError):
    import simdjson

Floats = NDArray[np.float64]

PIECE = 1 << 16  # cells at a time, few enough to stay in a processor's cache
CACHED = 1 << 15  # the same where much is made of each; threads hinder each other with fewer
SHARED = 1 << 18  # cells that are worth asking another thread
DECIMALS, SIGNIFICANT = 14, 8  # a fingerprint is a sum of thousands, and must not feel it
SMALLEST = 1e-280  # whose digits a double could not shift before the point
LARGE = 1 << 18  # cells from which on a matrix of float32 is kept in half the memory


def written(values: NDArray[Any]) -> bytes:
    """Numbers as text, separated by commas, each the shortest that reads back the same.

    The numbers must be finite.
    """
    flat = np.ascontiguousarray(values).ravel()
    return orjson.dumps(flat, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]


def read(text: bytes) -> Floats:
    """The doubles nearest to the decimals of a text, which commas separate.

    Raises ValueError where something else stands in the text.
    """
    array = b"[%b]" % text
    if simdjson is None:
        values = np.array(orjson.loads(array))
        if values.dtype.kind not in "fi":
            raise ValueError("something else than numbers")
        return values.astype(np.float64, copy=False)
    numbers: Any = simdjson.Parser().parse(array)
    return np.frombuffer(numbers.as_buffer(of_type="d"))


def shortened(values: Floats) -> Floats:
    """Results of formulas with DECIMALS, or SIGNIFICANT digits where that is more.

    What a formula showed when the file was written need not be known better than that, and the
    file is a tenth smaller for it; whoever recalculates has all digits again.
    """
    size = np.abs(values)
    magnitude = np.floor(np.log10(np.maximum(size, SMALLEST)))
    scale = 10.0 ** np.maximum(DECIMALS, SIGNIFICANT - 1 - magnitude)
    return np.where((size >= 1000) | (size < SMALLEST), values, np.rint(values * scale) / scale)


def as_read_back(values: NDArray[Any]) -> "Floats | Float32Numerals":
    """The doubles that a reader makes of a matrix of numbers."""
    if values.dtype != np.float32:
        return values.astype(np.float64)
    return _doubles(values) if values.size < LARGE else begin_to_read_back(values, Workers(1))()


def begin_to_read_back(
    values: NDArray[Any], workers: Workers
) -> "Callable[[], Floats | Float32Numerals]":
    """What `as_read_back` gives, when it is called; of a large matrix workers make it meanwhile."""
    if values.dtype != np.float32 or values.size < LARGE:
        return lambda: as_read_back(values)
    numerals, found = Float32Numerals.begun(values, workers)
    return lambda: numerals if all(each.result() for each in found) else _doubles(values)


def _doubles(values: NDArray[np.float32]) -> Floats:
    """The doubles nearest to the shortest decimals."""
    flat = np.ascontiguousarray(values).ravel()
    doubles, unclear = nearest(flat)
    doubles[unclear] = read(written(flat[unclear]))
    return doubles.reshape(values.shape)


class Float32Numerals:
    """A large matrix of float32 whose cells hold the doubles nearest to its shortest decimals.

    The doubles are kept as the float32 themselves, which may lie in a mapped file, and how many
    doubles away the right one is: half of the memory, and exact. They are made piece by piece
    when they are wanted.
    """

    __array_ufunc__ = None  # so that `array @ numerals` comes here

    def __init__(self, values: NDArray[np.float32], away: NDArray[np.int32]) -> None:
        self._values, self._away = values, away

    @classmethod
    def begun(
        cls, values: NDArray[np.float32], workers: Workers
    ) -> "tuple[Float32Numerals, list[Future[bool]]]":
        """Workers find out how far away the doubles are, and whether that can be kept: not of
        numbers so small that float32 has few digits left for them.
        """
        numerals = cls(values, zeros(values.shape, np.int32))
        pieces = numerals._pieces(SHARED)
        return numerals, [workers.in_thread(numerals._measure, piece) for piece in pieces]

    def _measure(self, piece: slice) -> bool:
        """Keep how far away the doubles of some rows are, if they are not too far."""
        values, kept = np.ascontiguousarray(self._values[piece]).ravel(), self._away[piece].ravel()
        for start in range(0, len(values), CACHED):
            part = values[start : start + CACHED]
            away = _bits(_doubles(part)) - _bits(part.astype(np.float64))
            kept[start : start + CACHED] = away
            if (kept[start : start + CACHED] != away).any():
                return False
        return True

    @property
    def shape(self) -> tuple[int, ...]:
        return self._values.shape

    def __getitem__(self, place: Any) -> Floats:
        """The doubles of some rows, or of some rows and columns, given as slices."""
        doubles: Floats = self._values[place].astype(np.float64)
        _bits(doubles)[...] += self._away[place]
        return doubles

    def __len__(self) -> int:
        return len(self._values)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Floats:
        return self[:]

    def rows(self, rows: slice) -> "Float32Numerals":
        """Some of the rows, still in half the memory."""
        return Float32Numerals(self._values[rows], self._away[rows])

    def __matmul__(self, right: Floats) -> Floats:
        return np.concatenate([self[piece] @ right for piece in self._pieces(PIECE)])

    def __rmatmul__(self, left: Floats) -> Floats:
        product = np.zeros((len(left), self.shape[1]))
        for piece in self._pieces(PIECE):
            product += left[:, piece] @ self[piece]
        return product

    def _pieces(self, cells: int) -> list[slice]:
        rows, columns = self.shape
        step = max(1, cells // columns)
        return [slice(top, top + step) for top in range(0, rows, step)]


def _bits(doubles: Floats) -> NDArray[np.int64]:
    """Doubles as integers: neighbouring doubles of one sign are neighbouring integers."""
    return doubles.view(np.int64)
