"""What a checkpoint is, from its configuration, names and shapes, before a weight is read."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from sheetgpt.checkpoint import assemble, config_file, formats
from sheetgpt.checkpoint.assemble import Piece
from sheetgpt.checkpoint.dialects import Dialect, dialect_of, is_harmless, part_of, without_wrappers
from sheetgpt.checkpoint.formats import SINGLE, Stored, has
from sheetgpt.checkpoint.json_file import read_object
from sheetgpt.checkpoint.tensor import Tensor
from sheetgpt.errors import CheckpointError, shown
from sheetgpt.gpt2.config import Config
from sheetgpt.gpt2.weights import kind


@dataclass(frozen=True)
class Outline:
    """A model of which only the headers have been read.

    spelled: our name of a tensor -> what the file calls it.
    dialect: on whose word its activation function is taken; None where that is stated.
    """

    config: Config
    pieces: Mapping[str, Piece]
    spelled: Callable[[str], str]
    dialect: Dialect | None

    @property
    def zeros(self) -> tuple[str, ...]:
        """The biases that the model does not have."""
        return tuple(name for name, piece in self.pieces.items() if not any(piece.tensors))

    def notes(self) -> Iterator[str]:
        """What a person should know of how this model is read, a sentence each."""
        if self.zeros:
            kinds = dict.fromkeys(kind(name).removesuffix(".b") for name in self.zeros)
            yield f"it has no biases in {', '.join(kinds)}, so they are zeros here"
        if self.dialect is not None:
            yield (
                f"its activation function is stated nowhere and taken to be that of "
                f"{self.dialect.whose}, {self.dialect.activation}; if it is another, say so in a "
                'config.json beside the weights, such as {"activation_function": "gelu"}'
            )


def outline(place: Path) -> Outline:
    """The model in a directory, or in a file of weights and the directory it is in.

    Configuration: `config.json` or `hparams.json`; what these leave out, or if there is none: what
    the shapes say, what stands beside the weights in their file, and the dialect's own.
    Weights: what `formats` reads, under the names that `dialects` knows.
    As in transformers, a head that the configuration calls tied but that differs from `wte` is
    used as it is (the config says so), and `wte` may be missing where a tied head stands.

    Raises CheckpointError, naming the culprit, if all that does not make a whole GPT-2.
    """
    if not os.path.exists(place):  # unlike Path's, False for whatever is wrong with the path
        raise CheckpointError(
            f"{place} does not exist, expected the directory of a GPT-2 checkpoint "
            f"(config.json, {SINGLE}, vocab.json and merges.txt), or a file of weights"
        )
    stated, where = _stated(directory_of(place))
    is_official = "model_type" in stated or where.endswith("hparams.json")
    if is_official:
        config_file.refuse_other_computations(stated, where)
    stored = formats.read(place, stated)
    parts, names, needless = _parts(stored, place)
    told = stated if is_official else config_file.settings_of(stated)
    if "wte" not in parts and told.get("tie_word_embeddings") is not False and "lm_head.w" in parts:
        parts["wte"] = parts["lm_head.w"]
    _refuse_computed_positions(stored, parts, place)

    aside = config_file.settings_of(stored.settings)
    dialect = None
    if not is_official and not config_file.states_activation({**aside, **told}):
        dialect = dialect_of(stored.tensors, stored.settings, stored.path.suffix)
        aside["activation_function"] = dialect.activation
    measured = {} if is_official else assemble.sizes(parts)
    mapping = config_file.completed(told, measured, aside)
    if "wte" in parts and not config_file.states(mapping, "n_head"):
        raise CheckpointError(
            f"{place}: the weights do not say how many heads there are; write a config.json "
            'beside them that does, such as {"n_head": 4}'
        )
    config = config_file.from_json(mapping, where or str(place))
    if config.n_layer > len(stored.tensors):  # before a mistyped number becomes as many names
        raise CheckpointError(
            f"{place}: the configuration says {config.n_layer} blocks, but the weights have "
            f"{len(stored.tensors)} tensors in all; give the config.json that belongs to these "
            "weights"
        )
    config = _with_head(config, parts, place, is_official=is_official)
    if config.tie_word_embeddings:
        parts.pop("lm_head.w", None)

    def spelled(part: str) -> str:
        return names.get(part) or stored.spelling(part)

    pieces = assemble.pieces(parts, config, spelled, place)
    used = {name for piece in pieces.values() for name in piece.names}
    needless += [names[part] for part in parts if part not in used]
    if needless:
        raise CheckpointError(
            f"{place}: the weights have the tensor {shown(needless[0])}, which a GPT-2 with "
            "this config.json has not; give a plain GPT-2 checkpoint and the config.json of it"
        )
    return Outline(config, pieces, spelled, dialect)


def directory_of(place: Path) -> Path:
    """The directory itself, or the one that a file is in."""
    return place if os.path.isdir(place) else place.parent


def read_config(directory: Path) -> Config:
    """What the directory's `config.json` or `hparams.json` says; CheckpointError if none does."""
    stated, where = _stated(directory)
    return config_file.from_json(stated, where or str(directory))


def _stated(directory: Path) -> tuple[dict[str, object], str]:
    """The configuration in a directory and where it stands; neither where there is none."""
    for name in ("config.json", "hparams.json"):
        if has(directory, name):
            return read_object(directory / name), str(directory / name)
    return {}, ""


def _parts(stored: Stored, place: Path) -> tuple[dict[str, Tensor], dict[str, str], list[str]]:
    """The tensors under the names of their parts, what the file calls each, and what no part is."""
    parts: dict[str, Tensor] = {}
    names: dict[str, str] = {}
    needless: list[str] = []
    for name, tensor in stored.tensors.items():
        if is_harmless(name, tensor.shape):
            continue
        part = part_of(name)
        if part is None:
            needless.append(without_wrappers(name))
        elif part in parts:
            raise CheckpointError(
                f"{place}: the tensors {shown(names[part])} and {shown(name)} are the same part "
                "of a GPT-2, expected it once; save the checkpoint again"
            )
        else:
            parts[part], names[part] = tensor, name
    return parts, {part: without_wrappers(name) for part, name in names.items()}, needless


def _refuse_computed_positions(stored: Stored, parts: Mapping[str, Tensor], place: Path) -> None:
    if "wte" in parts and "wpe" not in parts:
        raise CheckpointError(
            f"{place}: the weights lack {stored.spelling('wpe')}, the learned row of each "
            "position, so they are of another kind of model (rotary positions, as Llama has, or "
            "computed ones); give a GPT-2 checkpoint"
        )


def _with_head(
    config: Config, parts: Mapping[str, Tensor], place: Path, *, is_official: bool
) -> Config:
    """Settle whether the head is `wte` itself, as transformers does (its `tie_weights`)."""
    if "lm_head.b" in parts:
        if is_official:
            raise CheckpointError(
                f"{place}: the weights have the tensor 'lm_head.bias', which transformers leaves "
                "out; if your model adds it, take model_type out of config.json, otherwise the "
                "tensor out of the weights"
            )
        config = replace(config, head_bias=True)
    head = parts.get("lm_head.w")
    if not config.tie_word_embeddings or head is None or _are_equal(parts["wte"], head):
        return config
    return replace(config, tie_word_embeddings=False)


def _are_equal(a: Tensor, b: Tensor) -> bool:
    if a is b or a.shape != b.shape:
        return a is b
    pieces = zip(a.pieces(), b.pieces(), strict=True)
    return all(np.array_equal(one, other, equal_nan=True) for one, other in pieces)
