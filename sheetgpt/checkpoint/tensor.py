"""A tensor in a mapped file: the same small thing, whatever the format of the file."""

import math
import mmap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from sheetgpt.errors import CheckpointError, unreadable

Float32 = NDArray[np.float32]

# The dtypes that weights can have, as safetensors spells them, and how NumPy calls them;
# bfloat16, the upper half of a float32, is read as its bits.
FLOATS = {"F16": "<f2", "BF16": "<u2", "F32": "<f4", "F64": "<f8"}

PIECE = 1 << 20  # numbers; what works on pieces needs a few megabytes, however long the tensor


@dataclass(frozen=True)
class Tensor:
    """One tensor of a mapped file: where it lies, not yet what it holds.

    The file must not be changed as long as the tensor, or a view of it, is in use.
    """

    path: Path
    data: mmap.mmap | bytes
    dtype: str  # one of FLOATS, or another that cannot be read
    shape: tuple[int, ...]
    offset: int  # of its first byte in the file
    # How many numbers lie between one and the next along each axis, where they do not lie as the
    # shape says (row-major, without gaps). Whoever sets it has made sure that all are in the file.
    strides: tuple[int, ...] | None = None

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def as_float32(self) -> Float32:
        """The values, of this tensor's shape.

        float32 is a read-only view of the file, float16 and bfloat16 are widened exactly,
        float64 is rounded to the nearest float32 (beyond its range: infinite).
        The dtype must be one of FLOATS.
        """
        if self.strides is None:
            return self._values(0, self.size).reshape(self.shape)
        last = sum((n - 1) * step for n, step in zip(self.shape, self.strides, strict=True))
        values = self._values(0, last + 1)
        steps = [step * values.itemsize for step in self.strides]
        return np.ascontiguousarray(as_strided(values, self.shape, steps, writeable=False))

    def pieces(self) -> Iterator[Float32]:
        """The same values as a flat row, at most PIECE of them at a time."""
        whole = None if self.strides is None else self.as_float32().reshape(-1)
        for start in range(0, self.size, PIECE):
            count = min(PIECE, self.size - start)
            yield self._values(start, count) if whole is None else whole[start : start + count]

    def _values(self, start: int, count: int) -> Float32:
        if count == 0:  # NumPy views no empty buffer
            return np.zeros(0, np.float32)
        dtype = np.dtype(FLOATS[self.dtype])
        stored = np.frombuffer(self.data, dtype, count, self.offset + start * dtype.itemsize)
        if self.dtype == "BF16":
            bits = stored.astype(np.uint32)
            bits <<= 16  # in place: one tensor beside the file is enough
            return bits.view(np.float32)
        with np.errstate(over="ignore"):
            return stored.astype(np.float32, copy=False)


def mapped(path: Path) -> mmap.mmap | bytes:
    """The bytes of a file, read where and when they are looked at; CheckpointError if it cannot."""
    try:
        with path.open("rb") as file:
            if not file.read(1):
                return b""  # nothing cannot be mapped
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise unreadable(path, error) from error


def spooled(pieces: Iterable[Float32]) -> mmap.mmap | bytes:
    """Values in a nameless temporary file that is mapped: they take disk instead of memory.

    Raises CheckpointError if the directory for temporary files has no room for them.
    """
    try:
        with TemporaryFile(prefix="sheetgpt-") as values:
            for piece in pieces:
                values.write(np.ascontiguousarray(piece).data)
            values.flush()
            return mmap.mmap(values.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise CheckpointError(
            "the weights do not fit into the directory for temporary files "
            f"({error.strerror}); make room there, or set TMPDIR to another directory"
        ) from error
