"""Reading the `.bin` that llm.c trains from and writes: a header of 256 integers, then all weights.

The weights of one kind stand together for all blocks; matrices multiply from the left, [out, in].
Version 1 and 3 are float32, 5 is bfloat16. From version 3 on the rows of `wte` are padded to a
round number: llm.c gives the padding no probability, so those rows are no tokens.

Source: llm.c's train_gpt2.py (write_model) and train_gpt2.c (gpt2_build_from_checkpoint).
"""

import math
import mmap
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sheetgpt.checkpoint.tensor import Tensor
from sheetgpt.errors import CheckpointError

MAGIC = 20240326
HEADER = 1024  # bytes
DTYPES = {1: "F32", 3: "F32", 5: "BF16"}  # by version
LARGEST = 1 << 32  # that a size may be


@dataclass(frozen=True)
class Saved:
    """The tensors under GPT-2's names, and the sizes that the header says."""

    tensors: dict[str, Tensor]
    settings: dict[str, object]


def is_one(data: mmap.mmap | bytes) -> bool:
    return data[:4] == MAGIC.to_bytes(4, "little")


def read(path: Path, data: mmap.mmap | bytes) -> Saved:
    """The weights, mapped; CheckpointError if the file is shorter or longer than it says."""
    if len(data) < HEADER:
        raise _broken(path, f"it has {len(data)} bytes, too few for a header")
    header = np.frombuffer(data, "<i4", HEADER // 4)
    version, n_ctx, n_vocab, n_layer, n_head, n_embd, padded = header[1:8].tolist()
    if version not in DTYPES:
        raise CheckpointError(
            f"{path} is of llm.c's version {version}, expected 1, 3 or 5; save it again with "
            "llm.c's train_gpt2.py"
        )
    padded = padded if version > 1 else n_vocab
    if not (0 < n_vocab <= padded and min(n_ctx, n_layer, n_head, n_embd) > 0):
        raise _broken(path, "its header has sizes that no model has")
    dtype = DTYPES[version]
    item = 2 if dtype == "BF16" else 4
    stacked: dict[str, tuple[int, ...]] = {
        "ln_1.weight": (n_embd,),
        "ln_1.bias": (n_embd,),
        "attn.c_attn.weight": (3 * n_embd, n_embd),
        "attn.c_attn.bias": (3 * n_embd,),
        "attn.c_proj.weight": (n_embd, n_embd),
        "attn.c_proj.bias": (n_embd,),
        "ln_2.weight": (n_embd,),
        "ln_2.bias": (n_embd,),
        "mlp.c_fc.weight": (4 * n_embd, n_embd),
        "mlp.c_fc.bias": (4 * n_embd,),
        "mlp.c_proj.weight": (n_embd, 4 * n_embd),
        "mlp.c_proj.bias": (n_embd,),
    }
    each_block = sum(math.prod(shape) for shape in stacked.values())
    needed = HEADER + item * ((padded + n_ctx + 2) * n_embd + n_layer * each_block)
    if needed != len(data):
        raise _broken(path, f"its sizes need {needed} bytes, the file has {len(data)}")
    offset, tensors = HEADER, {}

    def take(name: str, shape: tuple[int, ...], of: int | None = None) -> None:
        nonlocal offset
        tensors[name] = Tensor(path, data, dtype, shape, offset)
        offset += item * (math.prod(shape) if of is None else of)

    take("wte.weight", (n_vocab, n_embd), of=padded * n_embd)
    take("wpe.weight", (n_ctx, n_embd))
    for name, shape in stacked.items():
        for b in range(n_layer):
            take(f"h.{b}.{name}", shape)
    take("ln_f.weight", (n_embd,))
    take("ln_f.bias", (n_embd,))
    return Saved(tensors, {"n_head": n_head, "activation_function": "gelu_new"})


def _broken(path: Path, what: str) -> CheckpointError:
    return CheckpointError(
        f"{path} is not a whole file of llm.c's weights: {what}; copy or write it again"
    )
