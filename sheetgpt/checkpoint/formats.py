"""The forms in which a directory may hold the weights of a GPT-2, and how each names them."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from sheetgpt.checkpoint import csv_tensors, safetensors, tensor_bundle
from sheetgpt.checkpoint.names import PREFIX, checkpoint_name, openai_name
from sheetgpt.checkpoint.tensor import Tensor
from sheetgpt.errors import CheckpointError, shown
from sheetgpt.gpt2.config import Config

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"

# Other files of weights: PyTorch's, which are pickles, and those of Keras and Flax.
PICKLES = ("pytorch_model*.bin", "*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt")
FOREIGN = ("*.h5", "*.msgpack")


@dataclass(frozen=True)
class Dialect:
    """What a format calls the tensors."""

    stored_name: Callable[[str], str]  # canonical name -> name in the file
    # Tensors that may stand beside the model's own without changing what it computes.
    harmless: re.Pattern[str]


# The causal masks that older versions of transformers saved, and heads that only read the last
# state.
HUGGING_FACE = Dialect(
    checkpoint_name,
    re.compile(
        r"h\.\d+\.attn\.(bias|masked_bias)|(score|classifier|multiple_choice_head|v_head)\..+"
    ),
)

# What training keeps beside the model: its counters, and the optimiser's state of each tensor.
OPENAI = Dialect(openai_name, re.compile(r"(?!model/).*|model/.+/Adam(_1)?"))

CSV = Dialect(str, re.compile("(?!)"))  # our own names, and nothing beside them


@dataclass(frozen=True)
class Stored:
    """The tensors of a directory under the names they have there (without `transformer.`)."""

    tensors: dict[str, Tensor]
    dialect: Dialect


def read(directory: Path, config: Config) -> Stored:
    """All tensors of a directory, mapped: those of safetensors, else TensorFlow's, else of CSV.

    Raises CheckpointError if there are none, or none in a form that can be read.
    """
    if has(directory, SINGLE):
        return Stored(_without_prefix(safetensors.read(directory / SINGLE)), HUGGING_FACE)
    if has(directory, INDEX):
        return Stored(_without_prefix(safetensors.read_shards(directory / INDEX)), HUGGING_FACE)
    if index := tensor_bundle.find(directory):
        return Stored(_without_leading_axis(tensor_bundle.read(index)), OPENAI)
    if csv_tensors.files(directory):
        return Stored(csv_tensors.read(directory, config), CSV)
    refuse_other_weights(directory)
    raise CheckpointError(
        f"{directory} has no {SINGLE}, {INDEX}, model.ckpt.index or wte.csv, so it is no GPT-2 "
        f"checkpoint; give a directory with config.json, {SINGLE}, vocab.json and merges.txt"
    )


def refuse_other_weights(directory: Path) -> None:
    """If the weights are there in another form only, say how to come to the right one."""
    if has(directory, SINGLE) or has(directory, INDEX):
        return
    for path in _matching(directory, PICKLES):
        raise CheckpointError(
            f"{directory} has its weights in {path.name}, a pickle, which can run code and is "
            f"never opened, expected {SINGLE}; where you trust it, convert it with transformers: "
            "GPT2LMHeadModel.from_pretrained(DIRECTORY).save_pretrained(NEW_DIRECTORY)"
        )
    for path in _matching(directory, FOREIGN):
        raise CheckpointError(
            f"{directory} has its weights in {path.name}, a Keras or Flax file, which is not "
            f"read, expected {SINGLE}; take the model's safetensors, as Hugging Face's hub has them"
        )


def has(directory: Path, *names: str) -> bool:
    return all(os.path.isfile(directory / name) for name in names)


def _matching(directory: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    return (path for pattern in patterns for path in sorted(directory.glob(pattern)))


def _without_prefix(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    plain: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        short = name.removeprefix(PREFIX)
        if short in plain:
            raise CheckpointError(
                f"{tensor.path.parent}: tensor {shown(short)} stands there with and without "
                f"{PREFIX!r}, expected it once; save the checkpoint again"
            )
        plain[short] = tensor
    return plain


def _without_leading_axis(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """OpenAI's matrices are 1-D convolutions of width 1: [1, in, out] -> [in, out]."""
    return {
        name: replace(tensor, shape=tensor.shape[-2:])
        if len(tensor.shape) == 3 and tensor.shape[0] == 1
        else tensor
        for name, tensor in tensors.items()
    }
