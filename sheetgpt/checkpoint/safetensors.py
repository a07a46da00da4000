"""Reading `.safetensors` without copying.

The format (https://huggingface.co/docs/safetensors): eight bytes, the length of the header as a
little-endian integer; the header, a JSON object of name -> {dtype, shape, data_offsets}; then
the tensors, row-major and little-endian, one behind the other without gap or overlap to the
end of the file. We read it ourselves because NumPy has no bfloat16, and because a header that
lies must end in a sentence, not in wrong weights.
"""

import math
import mmap
from pathlib import Path

from sheetgpt.checkpoint.json_file import parse_object
from sheetgpt.checkpoint.tensor import FLOATS, Tensor, mapped
from sheetgpt.errors import CheckpointError, shown

# The format's own limit; it keeps a damaged length from asking for all memory.
LONGEST_HEADER = 100_000_000

# Bytes of one element. Only FLOATS can be weights, the others may stand beside them (masks).
ITEM_SIZES = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1,
    "U16": 2, "I16": 2, "F16": 2, "BF16": 2,
    "U32": 4, "I32": 4, "F32": 4,
    "U64": 8, "I64": 8, "F64": 8, "C64": 8,
}  # fmt: skip


def read(path: Path) -> dict[str, Tensor]:
    """Map the file and read its header: every tensor by name, in the header's order.

    Raises CheckpointError if the file cannot be read or its header does not hold.
    """
    data = mapped(path)
    size = len(data)
    if size < 8:
        raise _corrupt(path, f"it has {size} bytes, too few for a header")
    length = int.from_bytes(data[:8], "little")
    if length > min(LONGEST_HEADER, size - 8):
        raise _corrupt(path, f"its header would be {length} bytes long, the file has {size}")
    try:
        text = data[8 : 8 + length].decode("utf-8")
    except UnicodeDecodeError as error:
        raise _corrupt(path, "its header is not UTF-8 text") from error
    header = parse_object(text, f"{path}: the safetensors header")
    header.pop("__metadata__", None)  # notes for people
    start = 8 + length
    tensors = {name: _tensor(path, data, start, name, entry) for name, entry in header.items()}
    _refuse_gaps(path, tensors, start, size)
    return tensors


def _tensor(path: Path, data: mmap.mmap | bytes, start: int, name: str, entry: object) -> Tensor:
    if not isinstance(entry, dict) or not {"dtype", "shape", "data_offsets"} <= entry.keys():
        raise _corrupt(path, f"tensor {shown(name)} has no dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in ITEM_SIZES:
        raise CheckpointError(
            f"{path}: tensor {shown(name)} has dtype {shown(dtype)}, expected one of "
            f"{', '.join(FLOATS)}; save the checkpoint again in float32, float16 or bfloat16"
        )
    if not _are_sizes(shape):
        raise _corrupt(path, f"tensor {shown(name)} has the shape {shown(shape)}")
    if not _are_sizes(offsets) or len(offsets) != 2:
        raise _corrupt(path, f"tensor {shown(name)} has the data_offsets {shown(offsets)}")
    begin, end = offsets
    needed = math.prod(shape) * ITEM_SIZES[dtype]
    if end - begin != needed:
        raise _corrupt(
            path,
            f"tensor {shown(name)} of {dtype} {shown(shape)} needs {needed} bytes, "
            f"not {end - begin}",
        )
    return Tensor(path, data, dtype, tuple(shape), start + begin)


def _are_sizes(value: object) -> bool:
    return isinstance(value, list) and all(type(item) is int and item >= 0 for item in value)


def _refuse_gaps(path: Path, tensors: dict[str, Tensor], start: int, size: int) -> None:
    at = start
    # An empty tensor has the offset of the one behind it, hence comes first.
    for name, tensor in sorted(tensors.items(), key=lambda item: (item[1].offset, _bytes(item[1]))):
        if tensor.offset != at:
            fault = "overlaps the tensor before it" if tensor.offset < at else "lies behind a gap"
            raise _corrupt(path, f"tensor {shown(name)} {fault}")
        at += _bytes(tensor)
        if at > size:
            raise _corrupt(path, f"tensor {shown(name)} ends at byte {at}, the file at {size}")
    if at != size:
        raise _corrupt(path, f"its tensors end at byte {at}, the file at {size}")


def _bytes(tensor: Tensor) -> int:
    return tensor.size * ITEM_SIZES[tensor.dtype]


def _corrupt(path: Path, what: str) -> CheckpointError:
    return CheckpointError(
        f"{path} is not a whole safetensors file: {what}; copy or download it again"
    )
