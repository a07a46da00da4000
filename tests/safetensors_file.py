"""Writing safetensors files, whole or broken on purpose."""

import json
from pathlib import Path
from typing import Any

import numpy as np

# uint16 stands for the bits of bfloat16.
DTYPES = {"float32": "F32", "float16": "F16", "float64": "F64", "uint8": "U8", "uint16": "BF16"}


def write_tensors(path: Path, tensors: dict[str, Any]) -> Path:
    """Write arrays (name -> array) as safetensors asks for."""
    header, data = {}, b""
    for name, tensor in tensors.items():
        raw = np.ascontiguousarray(tensor).tobytes()
        header[name] = {
            "dtype": DTYPES[tensor.dtype.name],
            "shape": list(tensor.shape),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    return write_raw(path, header, data)


def write_raw(path: Path, header: Any, data: bytes) -> Path:
    """Write a file with this header, whether it holds or not."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path
