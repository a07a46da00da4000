"""Reading `.npz`, a zip of arrays as NumPy and MLX save it, mapped and without running anything.

Source: NumPy's documentation, "numpy.lib.format" (NEP 1). bfloat16, which NumPy has not, is saved
by MLX as two bytes of no kind.
"""

import io
import math
import mmap
from pathlib import Path
from tokenize import TokenError

import numpy as np
from numpy.lib import format as npy

from sheetgpt.checkpoint.stored_zip import Member, members
from sheetgpt.checkpoint.tensor import Tensor
from sheetgpt.errors import CheckpointError, shown

LONGEST_HEADER = 12_000  # bytes; the format's own readers take no more than 10,000
DTYPES = {"<f2": "F16", "<f4": "F32", "<f8": "F64", "|V2": "BF16", "<V2": "BF16"}


def read(path: Path, data: mmap.mmap | bytes) -> dict[str, Tensor]:
    """The arrays of a file under their names; CheckpointError if it does not hold."""
    return {
        name.removesuffix(".npy"): _tensor(path, data, name, member)
        for name, member in members(path, data).items()
    }


def _tensor(path: Path, data: mmap.mmap | bytes, name: str, member: Member) -> Tensor:
    text = io.BytesIO(data[member.offset : member.offset + min(member.size, LONGEST_HEADER)])
    try:
        version = npy.read_magic(text)
        reads = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
        shape, in_columns, dtype = reads[version](text)
    except (ValueError, KeyError, TypeError, SyntaxError, TokenError, RecursionError) as error:
        raise _broken(path, name, "has no header that holds") from error
    if dtype.hasobject:
        raise CheckpointError(
            f"{path}: {shown(name)} holds Python objects, which can run code and are never "
            "opened, expected numbers; save the arrays themselves"
        )
    offset, size = member.offset + text.tell(), math.prod(shape)
    if not all(0 <= n < 1 << 48 for n in shape) or size * dtype.itemsize > member.size:
        raise _broken(path, name, f"is {list(shape)} numbers, more than it has bytes for")
    strides = None
    if in_columns and len(shape) > 1:
        strides = tuple(int(math.prod(shape[:axis])) for axis in range(len(shape)))
    kind = DTYPES.get(dtype.str, str(np.dtype(dtype)))
    return Tensor(path, data, kind, tuple(map(int, shape)), offset, strides)


def _broken(path: Path, name: str, what: str) -> CheckpointError:
    return CheckpointError(
        f"{path} is not a whole npz file: {shown(name)} {what}; copy or download it again"
    )
