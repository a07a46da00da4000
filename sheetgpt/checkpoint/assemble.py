"""From tensors as people store them to those of a GPT-2: joined, turned, and none missing.

What lies in the file as it is wanted stays there, mapped. What must be joined or turned goes, one
tensor after the other, into one nameless temporary file that is mapped likewise.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from sheetgpt.checkpoint.tensor import FLOATS, Float32, Tensor, spooled
from sheetgpt.errors import CheckpointError
from sheetgpt.gpt2.config import Config
from sheetgpt.gpt2.weights import shapes

Parts = Mapping[str, Tensor]  # by the names of `dialects`


@dataclass(frozen=True)
class Piece:
    """Tensors that make one of the model's, side by side; each turned before, or not.

    names: their own, by which `Parts` has them.
    """

    names: Sequence[str]
    tensors: tuple[Tensor | None, ...]  # None: zeros, for a bias that a model does not have
    turned: tuple[bool, ...]
    shape: tuple[int, ...]

    @property
    def is_whole(self) -> bool:
        """Whether it lies in the file as it is wanted."""
        return len(self.tensors) == 1 and self.tensors[0] is not None and not any(self.turned)

    def values(self) -> Float32:
        columns = [
            np.zeros(self.shape[-1] // len(self.tensors), np.float32)
            if tensor is None
            else (tensor.as_float32().T if turned else tensor.as_float32())
            for tensor, turned in zip(self.tensors, self.turned, strict=True)
        ]
        return np.concatenate(columns, axis=-1).reshape(self.shape)


def sizes(parts: Parts) -> dict[str, int]:
    """The sizes that the shapes tell, under Hugging Face's names; a part that lacks tells none."""
    found: dict[str, int] = {}
    if "wte" in parts and len(parts["wte"].shape) >= 2:
        found["vocab_size"], found["n_embd"] = parts["wte"].shape[-2:]
    if "wpe" in parts and len(parts["wpe"].shape) >= 2:
        found["n_positions"] = parts["wpe"].shape[-2]
    blocks = [int(name.split(".")[1]) for name in parts if name.startswith("h.")]
    if blocks:
        found["n_layer"] = max(blocks) + 1
    heads = [name for name in parts if name.startswith("h.0.attn.k.w@")]
    if heads:
        found["n_head"] = len(heads)
    if "h.0.mlp.c_fc.w" in parts and "n_embd" in found:
        sides = set(parts["h.0.mlp.c_fc.w"].shape[-2:]) - {found["n_embd"]}
        found["n_inner"] = sides.pop() if len(sides) == 1 else found["n_embd"]
    return found


def are_turned(parts: Parts, config: Config) -> bool:
    """Whether matrices are stored [out, in], as torch.nn.Linear has them, not GPT-2's [in, out].

    The first that is not square tells. Where all are, it is a Linear: GPT-2's own `c_attn` never
    is square.
    """
    d, inner = config.n_embd, config.n_inner
    usual = {
        "attn.c_attn.w": (d, 3 * d),
        "mlp.c_fc.w": (d, inner),
        "attn.q.w@0": (d, config.d_head),
        "mlp.c_proj.w": (inner, d),
    }
    for name, shape in usual.items():
        tensor = parts.get(f"h.0.{name}")
        if tensor is not None and shape[0] != shape[1]:
            if tensor.shape[-2:] == shape:
                return False
            if tensor.shape[-2:] == shape[::-1]:
                return True
    return True


def pieces(
    parts: Parts, config: Config, spelled: Callable[[str], str], where: object
) -> dict[str, Piece]:
    """What makes each of the model's tensors, in the order of `shapes(config)`.

    spelled: what the file calls a part, for messages. A bias may be missing if it is in every
    block. Raises CheckpointError, naming the culprit, if another is, or has another shape.
    """
    turned = are_turned(parts, config)
    found: dict[str, Piece] = {}
    missing: list[str] = []
    for name, shape in shapes(config).items():
        names = _names_of(name, parts, config)
        if not names:
            if _is_bias_that_no_block_has(name, parts, config):
                found[name] = Piece((), (None,), (False,), shape)
            else:
                missing.append(name)
            continue
        wanted = (*shape[:-1], shape[-1] // len(names))
        tensors, turns = zip(
            *(_fitted(parts, each, wanted, turned, spelled, where) for each in names), strict=True
        )
        found[name] = Piece(names, tensors, turns, shape)
    if missing:
        raise _lacking([spelled(name) for name in missing], config, where)
    return found


def _names_of(name: str, parts: Parts, config: Config) -> list[str]:
    """The parts that make a tensor, side by side: itself; q, k, v; or those of every head."""
    if name in parts:
        return [name]
    block, mark, tensor = name.partition("attn.c_attn.")
    if not mark:
        return []
    letters = [f"{block}attn.{letter}.{tensor}" for letter in "qkv"]
    by_head = [f"{letter}@{head}" for letter in letters for head in range(config.n_head)]
    names = by_head if any(each in parts for each in by_head) else letters
    # Keys need no bias, for instance: softmax takes it away.
    return names if any(each in parts for each in names) else []


def _is_bias_that_no_block_has(name: str, parts: Parts, config: Config) -> bool:
    if not name.endswith(".b") or name == "lm_head.b":
        return False
    first, _, rest = name.partition(".")
    if first != "h":
        return True
    part = rest.partition(".")[2]
    return not any(_names_of(f"h.{b}.{part}", parts, config) for b in range(config.n_layer))


def _fitted(
    parts: Parts,
    name: str,
    shape: tuple[int, ...],
    turned: bool,
    spelled: Callable[[str], str],
    where: object,
) -> tuple[Tensor | None, bool]:
    """A part as it is wanted, and whether it is to be turned for that."""
    tensor = parts.get(name)
    if tensor is None:
        if name.rpartition(".")[2].startswith("b"):
            return None, False
        raise CheckpointError(
            f"{where}: the weights lack {name.replace('@', ' of head ')}, though they have others "
            "of that kind; give a whole checkpoint"
        )
    called = spelled(name)
    if tensor.dtype not in FLOATS:
        raise CheckpointError(
            f"{where}: tensor {called} has dtype {tensor.dtype}, expected one of "
            f"{', '.join(FLOATS)}; give the checkpoint before it was quantised"
        )
    flat = _without_leading_ones(tensor, len(shape))
    if name == "lm_head.b" and flat.shape == shape[:1]:
        flat = replace(tensor, shape=shape)
    is_matrix = name.rpartition(".")[2].startswith("w") and name not in ("wte", "wpe")
    is_square = shape == shape[::-1]
    # Everybody stores the head [n_vocab, n_embd].
    if (
        is_matrix
        and flat.shape == shape[::-1]
        and (not is_square or (turned and name != "lm_head.w"))
    ):
        return flat, True
    if flat.shape != shape:
        raise CheckpointError(
            f"{where}: tensor {called} has the shape {list(tensor.shape)}, expected "
            f"{list(shape)}; give the config.json that belongs to these weights"
        )
    return flat, False


def _without_leading_ones(tensor: Tensor, axes: int) -> Tensor:
    """[1, n, d] -> [n, d]: OpenAI's matrices are convolutions, and some position embeddings have
    an axis for the texts of a batch.
    """
    extra = len(tensor.shape) - axes
    if extra <= 0 or any(n != 1 for n in tensor.shape[:extra]):
        return tensor
    strides = None if tensor.strides is None else tensor.strides[extra:]
    return replace(tensor, shape=tensor.shape[extra:], strides=strides)


def _lacking(missing: list[str], config: Config, where: object) -> CheckpointError:
    named = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if missing[5:] else "")
    return CheckpointError(
        f"{where}: the weights lack {named}; the model needs {len(shapes(config))} tensors, so "
        "give a whole GPT-2 checkpoint and the config.json that belongs to it"
    )


def assembled(made: Mapping[str, Piece], path: Path) -> dict[str, Tensor]:
    """The model's tensors, each one in a mapped file; path: where they came from.

    Raises CheckpointError if the directory for temporary files has no room.
    """
    joined = {name: piece for name, piece in made.items() if not piece.is_whole}
    data = spooled(piece.values() for piece in joined.values()) if joined else b""
    offset, found = 0, {}
    for name, piece in made.items():
        if name in joined:
            found[name] = Tensor(path, data, "F32", piece.shape, offset)
            offset += 4 * math.prod(piece.shape)
        else:
            (tensor,) = piece.tensors
            assert tensor is not None
            found[name] = tensor
    return found
