"""The models that are here: those that ship with the project or were fetched, and any directory."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path

from sheetgpt.checkpoint import checkpoint, hub
from sheetgpt.checkpoint.checkpoint import Checkpoint
from sheetgpt.checkpoint.outline import outline, read_config
from sheetgpt.errors import CheckpointError
from sheetgpt.gpt2.config import Config
from sheetgpt.gpt2.weights import shapes
from sheetgpt.resources import resource

DEFAULT = "stories"  # the one that a newcomer would rather meet: weights/README.md says why


@dataclass(frozen=True)
class Model:
    """A model that is here, by its name; the file size is in bytes.

    notes: what a person should know of it, a sentence each.
    """

    name: str
    config: Config
    n_weights: int
    file_size: int
    notes: tuple[str, ...] = ()


def directories() -> dict[str, Path]:
    """The directory of each model that has a name and is here."""
    shipped = sorted(resource("weights").glob("*/config.json"))
    fetched = {name: hub.find(name) for name in hub.REPOSITORIES}
    return {path.parent.name: path.parent for path in shipped} | {
        name: directory for name, directory in fetched.items() if directory is not None
    }


def here() -> Iterator[Model]:
    """Every model that has a name and is here; only configurations and headers are read."""
    for name, directory in directories().items():
        try:
            found = outline(directory)
            config, notes = found.config, tuple(found.notes())
        except CheckpointError as error:  # it is here all the same, and that is to be seen
            config, notes = read_config(directory), (str(error),)
        files = (file for kind in ("*.safetensors", "*.bin") for file in directory.glob(kind))
        size = sum(file.stat().st_size for file in files)
        n_weights = sum(prod(shape) for shape in shapes(config).values())
        yield Model(name, config, n_weights, size, notes)


def to_fetch() -> list[str]:
    """The names of the published models that are not here yet."""
    return [name for name in hub.REPOSITORIES if hub.find(name) is None]


def load(name_or_directory: str) -> Checkpoint:
    """A model that is here by its name, else that of a directory or of a file of weights.

    Raises CheckpointError where there is neither, or what is there cannot be used.
    """
    named = directories().get(name_or_directory)
    if named is not None:
        return checkpoint.load(named, name_or_directory)
    if os.path.exists(name_or_directory):  # unlike Path's, False for whatever is wrong
        return checkpoint.load(Path(name_or_directory))
    if name_or_directory in hub.REPOSITORIES:
        raise CheckpointError(
            f"{name_or_directory} is not here yet; fetch it once from the Hugging Face hub with "
            f"sheetgpt fetch {name_or_directory}"
        )
    raise CheckpointError(
        f"{name_or_directory!r} is neither a model that is here ({', '.join(directories())}) nor "
        "a directory or file; give the directory of a GPT-2 checkpoint (config.json, "
        "model.safetensors, vocabulary), or its file of weights"
    )
