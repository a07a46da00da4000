"""The models that are here: those that ship with the project, and any checkpoint directory."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path

from sheetgpt.errors import CheckpointError
from sheetgpt.gpt2 import checkpoint
from sheetgpt.gpt2.checkpoint import Checkpoint
from sheetgpt.gpt2.config import Config
from sheetgpt.gpt2.weights import shapes
from sheetgpt.resources import resource


@dataclass(frozen=True)
class Model:
    """A model that is here, by its name; the file size is in bytes."""

    name: str
    config: Config
    n_weights: int
    file_size: int


def directories() -> dict[str, Path]:
    """The directory of each model that has a name."""
    return {
        path.parent.name: path.parent for path in sorted(resource("weights").glob("*/config.json"))
    }


def here() -> Iterator[Model]:
    """Every model that has a name."""
    for name, directory in directories().items():
        config = checkpoint.load(directory).config
        size = sum(file.stat().st_size for file in directory.glob("*.safetensors"))
        yield Model(name, config, sum(prod(shape) for shape in shapes(config).values()), size)


def load(name_or_directory: str) -> Checkpoint:
    """A model by its name or its directory; raises CheckpointError where there is neither."""
    named = directories().get(name_or_directory)
    if named is not None:
        return checkpoint.load(named)
    if not os.path.exists(name_or_directory):  # unlike Path's, False for whatever is wrong
        raise CheckpointError(
            f"{name_or_directory!r} is neither a model that is here "
            f"({', '.join(directories())}) nor a directory; "
            "give the directory of a GPT-2 checkpoint (config.json, model.safetensors, vocabulary)"
        )
    return checkpoint.load(Path(name_or_directory))
