"""Reading TensorFlow's checkpoints, in which OpenAI published GPT-2, without TensorFlow.

The format is TensorFlow's tensor bundle (tensorflow/core/protobuf/tensor_bundle.proto): the
tensors stand raw in files `….data-00000-of-00001`, and `….index` is a sorted string table whose
key "" holds a BundleHeaderProto and whose other keys, the tensors' names, hold one
BundleEntryProto each. Tensors stay in the mapped files. The checksums of the index are
compared; those of the tensors are not, for over so many bytes plain Python would need minutes.
"""

import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sheetgpt.checkpoint import sorted_table
from sheetgpt.checkpoint.json_file import read_text
from sheetgpt.checkpoint.sorted_table import cut, varint
from sheetgpt.checkpoint.tensor import FLOATS, Tensor, mapped
from sheetgpt.errors import CheckpointError, shown

# TensorFlow's numbers of the dtypes that weights can have (tensorflow/core/framework/types.proto).
DTYPES = {1: "F32", 2: "F64", 14: "BF16", 19: "F16"}

PARTS = re.compile(r"(.+)\.(?:index|data-\d{5}-of-\d{5})")

# A message of protocol buffers: the number of a field -> what stands there, once or more often.
Message = dict[int, list[int | bytes]]


def find(directory: Path) -> Path | None:
    """The index of the checkpoint in a directory; None if there is no such checkpoint.

    Where there are several, as training leaves them, the file `checkpoint` says which is the last.
    """
    parts = (PARTS.fullmatch(path.name) for path in directory.iterdir())
    names = sorted({part[1] for part in parts if part})
    if not names:
        return None
    if len(names) > 1:
        names = [name for name in names if name == _last(directory)] or names
    if len(names) > 1:
        raise CheckpointError(
            f"{directory} has several checkpoints ({', '.join(names)}), expected a file "
            "checkpoint that names one of them; move the others to another directory"
        )
    return directory / f"{names[0]}.index"


def _last(directory: Path) -> str:
    if not (directory / "checkpoint").is_file():
        return ""
    found = re.search(r'^model_checkpoint_path: "(.*)"', read_text(directory / "checkpoint"), re.M)
    return re.split(r"[/\\]", found[1])[-1] if found else ""


def read(index: Path) -> dict[str, Tensor]:
    """Every tensor by TensorFlow's name of it, in the order of the names.

    Raises CheckpointError if a file cannot be read or does not hold what the index says.
    """
    table = sorted_table.read(index)
    try:
        if b"" not in table:
            raise ValueError("it has no header")
        header = _message(table.pop(b""))
        entries = {name.decode("utf-8"): _entry(_message(data)) for name, data in table.items()}
    except ValueError as error:
        raise CheckpointError(
            f"{index} is not a whole index of a TensorFlow checkpoint: {error}; "
            "copy or download it again"
        ) from error
    if _number(header, 2):
        raise CheckpointError(
            f"{index} says that the tensors are big-endian, expected little-endian; "
            "save the checkpoint again on an ordinary machine"
        )
    n_shards = _number(header, 1)
    name = index.name.removesuffix(".index")
    paths = {
        shard: index.with_name(f"{name}.data-{shard:05d}-of-{n_shards:05d}")
        for shard in sorted({entry.shard for entry in entries.values()})
    }
    data = {shard: mapped(path) for shard, path in paths.items()}
    return {
        name: _tensor(name, entry, paths[entry.shard], data[entry.shard])
        for name, entry in entries.items()
    }


@dataclass(frozen=True)
class _Entry:
    """What the index says of one tensor (BundleEntryProto)."""

    dtype: str
    shape: tuple[int, ...]
    shard: int
    offset: int  # of its first byte in the shard
    n_bytes: int
    in_slices: bool


def _entry(message: Message) -> _Entry:
    dtype = _number(message, 1)
    dims = [dim for shape in _messages(message, 2) for dim in _messages(shape, 2)]
    return _Entry(
        dtype=DTYPES.get(dtype, f"TensorFlow's number {dtype}"),
        shape=tuple(_number(dim, 1) for dim in dims),
        shard=_number(message, 3),
        offset=_number(message, 4),
        n_bytes=_number(message, 5),
        in_slices=7 in message,
    )


def _tensor(name: str, entry: _Entry, path: Path, data: mmap.mmap | bytes) -> Tensor:
    if entry.in_slices:
        raise CheckpointError(
            f"{path}: tensor {shown(name)} is stored in slices, expected it in one piece; "
            "save the checkpoint again from unpartitioned variables"
        )
    tensor = Tensor(path, data, entry.dtype, entry.shape, entry.offset)
    if entry.dtype in FLOATS:
        needed = tensor.size * np.dtype(FLOATS[entry.dtype]).itemsize
        if entry.n_bytes != needed:
            raise CheckpointError(
                f"{path}: tensor {shown(name)} of {entry.dtype} {list(entry.shape)} needs {needed} "
                f"bytes, but the index says {entry.n_bytes}; copy or download the checkpoint again"
            )
    if entry.offset + entry.n_bytes > len(data):
        raise CheckpointError(
            f"{path} is not whole: tensor {shown(name)} ends at byte "
            f"{entry.offset + entry.n_bytes}, the file at {len(data)}; copy or download it again"
        )
    return tensor


# --- protocol buffers (https://protobuf.dev/programming-guides/encoding) --------------------------


def _message(data: bytes) -> Message:
    """The fields of a message; ValueError if it does not hold."""
    fields: Message = {}
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        number, kind = tag >> 3, tag & 7
        value: int | bytes
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 2:
            length, at = varint(data, at)
            value = cut(data, at, length)
            at += length
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
            value = int.from_bytes(cut(data, at, length), "little")
            at += length
        else:
            raise ValueError(f"an entry has a field of the unknown kind {kind}")
        fields.setdefault(number, []).append(value)
    return fields


def _number(message: Message, field: int) -> int:
    value = message.get(field, [0])[-1]  # what is left out is 0, and the last one counts
    if not isinstance(value, int):
        raise ValueError(f"an entry's field {field} is no number")
    return value


def _messages(message: Message, field: int) -> Iterator[Message]:
    for value in message.get(field, []):
        if not isinstance(value, bytes):
            raise ValueError(f"an entry's field {field} is no message")
        yield _message(value)
