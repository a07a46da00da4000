"""Memory for large arrays."""

import math
import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray


def zeros(shape: tuple[int, ...], kind: type[np.generic]) -> NDArray[Any]:
    """An array of zeros that takes memory only where something is put into it, page by page.

    NumPy's own may take all of it at once, depending on what was freed before, and ask for pages
    of two megabytes; most rows of a sheet stay empty.
    """
    size = math.prod(shape) * np.dtype(kind).itemsize
    if size < mmap.PAGESIZE:
        return np.zeros(shape, kind)
    return np.frombuffer(mmap.mmap(-1, size), kind).reshape(shape)
