"""Loading a checkpoint directory: its configuration, its weights, its vocabulary.

Weights stay in the mapped file until somebody asks for one, and what looks at all of them does
so in pieces: loading needs a few megabytes, whatever the size of the model. Nothing is ever
unpickled, for a pickle can run code.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from sheetgpt.checkpoint import config_file, formats, vocabulary
from sheetgpt.checkpoint.formats import SINGLE, Dialect, Stored, has, refuse_other_weights
from sheetgpt.checkpoint.json_file import read_object
from sheetgpt.checkpoint.tensor import FLOATS, Float32, Tensor
from sheetgpt.errors import CheckpointError, shown
from sheetgpt.gpt2.config import Config
from sheetgpt.gpt2.tokens import Tokenizer
from sheetgpt.gpt2.weights import shapes


class MappedWeights(Mapping[str, Float32]):
    """Canonical name -> float32 array, in the order of `weights.shapes`.

    Float32 tensors are read-only views of the mapped file; others are converted at each access.
    """

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self._tensors = dict(tensors)

    def __getitem__(self, name: str) -> Float32:
        return self._tensors[name].as_float32()

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)

    def tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Every tensor as it lies in the file, under its canonical name."""
        return iter(self._tensors.items())


@dataclass(frozen=True)
class Checkpoint:
    """A model, ready to run: `weights` hold exactly the tensors of `weights.shapes(config)`.

    `tokenizer.tokens` has config.n_vocab entries.
    """

    name: str
    config: Config
    weights: Mapping[str, Float32]
    tokenizer: Tokenizer


def load(directory: Path, name: str = "") -> Checkpoint:
    """Load a GPT-2 from a directory as Hugging Face or OpenAI publish it.

    The model is called `name` or, without, as the directory.

    Configuration: `config.json` or `hparams.json`.
    Weights: `model.safetensors`, the shards of `model.safetensors.index.json` (names with or
    without `transformer.`), TensorFlow's `model.ckpt.index` and its data, or one CSV file for
    each tensor; float16, bfloat16, float32 or float64 (which is rounded to float32).
    As in transformers, a head that the configuration calls tied but that differs from `wte` is
    used as it is (the returned config says so), and `wte` may be missing where a tied head stands.
    Vocabulary: `vocab.json` and `merges.txt`, `encoder.json` and `vocab.bpe`, or
    `tokenizer.json`. It may be smaller than the model's n_vocab, never larger; ids without a
    token become `<|unused ID|>`.

    Raises CheckpointError, naming the culprit, for whatever does not hold.
    """
    config = read_config(directory)
    config, stored = _with_head(config, formats.read(directory, config), directory)
    weights = _needed(config, stored, directory)
    tokenizer = _read_tokenizer(directory, config.n_vocab)
    _refuse_not_finite(weights, stored.dialect, directory)
    return Checkpoint(name or directory.resolve().name, config, weights, tokenizer)


def read_config(directory: Path) -> Config:
    """What the directory's `config.json` or `hparams.json` says; CheckpointError if none does."""
    if not os.path.isdir(directory):  # unlike Path's, False for whatever is wrong with the path
        state = "is a file" if os.path.exists(directory) else "does not exist"
        raise CheckpointError(
            f"{directory} {state}, expected the directory of a GPT-2 checkpoint "
            f"(config.json, {SINGLE}, vocab.json and merges.txt)"
        )
    for name in ("config.json", "hparams.json"):
        if has(directory, name):
            path = directory / name
            return config_file.from_json(read_object(path), str(path))
    refuse_other_weights(directory)
    raise CheckpointError(
        f"{directory} has no config.json or hparams.json, so it is no GPT-2 checkpoint; give a "
        f"directory with config.json, {SINGLE}, vocab.json and merges.txt"
    )


def _with_head(config: Config, stored: Stored, directory: Path) -> tuple[Config, Stored]:
    """Settle whether the head is `wte` itself, as transformers does (its `tie_weights`)."""
    embedding, head = map(stored.dialect.stored_name, ("wte", "lm_head.w"))
    if not config.tie_word_embeddings or head not in stored.tensors:
        return config, stored
    others = {name: tensor for name, tensor in stored.tensors.items() if name != head}
    others.setdefault(embedding, stored.tensors[head])
    both = (others[embedding], stored.tensors[head])
    for name, tensor in zip((embedding, head), both, strict=True):
        _refuse_wrong_form(name, tensor, (config.n_vocab, config.n_embd), directory)
    pieces = zip(*(tensor.pieces() for tensor in both), strict=True)
    if all(np.array_equal(a, b, equal_nan=True) for a, b in pieces):
        return config, replace(stored, tensors=others)
    return replace(config, tie_word_embeddings=False), stored


def _needed(config: Config, stored: Stored, directory: Path) -> MappedWeights:
    """The tensors of the model under their canonical names, all there and of the right shape."""
    tensors = stored.tensors
    if config.n_layer > len(tensors):  # before a mistyped number becomes as many names
        raise CheckpointError(
            f"{directory}: the configuration says {config.n_layer} blocks, but the weights have "
            f"{len(tensors)} tensors in all; give the config.json that belongs to these weights"
        )
    needed = {name: stored.dialect.stored_name(name) for name in shapes(config)}
    missing = [name for name in needed.values() if name not in tensors]
    if missing:
        named = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if missing[5:] else "")
        raise CheckpointError(
            f"{directory}: the weights lack {named}; the model needs {len(needed)} tensors, so "
            "give a whole GPT-2 checkpoint and the config.json that belongs to it"
        )
    for name, shape in shapes(config).items():
        _refuse_wrong_form(needed[name], tensors[needed[name]], shape, directory)
    known = set(needed.values())
    for name in tensors:
        if name not in known and not stored.dialect.harmless.fullmatch(name):
            raise CheckpointError(
                f"{directory}: the weights have the tensor {shown(name)}, which a GPT-2 with "
                "this config.json has not; give a plain GPT-2 checkpoint and the config.json of it"
            )
    return MappedWeights({name: tensors[needed[name]] for name in needed})


def _refuse_wrong_form(name: str, tensor: Tensor, shape: tuple[int, ...], directory: Path) -> None:
    if tensor.shape != shape:
        raise CheckpointError(
            f"{directory}: tensor {name} has the shape {list(tensor.shape)}, expected "
            f"{list(shape)}; give the config.json that belongs to these weights"
        )
    if tensor.dtype not in FLOATS:
        raise CheckpointError(
            f"{directory}: tensor {name} has dtype {tensor.dtype}, expected one of "
            f"{', '.join(FLOATS)}; give the checkpoint before it was quantised"
        )


def _read_tokenizer(directory: Path, n_vocab: int) -> Tokenizer:
    for vocab, merges in (("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe")):
        if has(directory, vocab, merges):
            return vocabulary.from_files(directory / vocab, directory / merges, n_vocab)
    if has(directory, "tokenizer.json"):
        return vocabulary.from_tokenizer_json(directory / "tokenizer.json", n_vocab)
    raise CheckpointError(
        f"{directory} has no vocabulary, expected vocab.json and merges.txt, encoder.json and "
        "vocab.bpe, or tokenizer.json; copy them there from the checkpoint's source"
    )


def _refuse_not_finite(weights: MappedWeights, dialect: Dialect, directory: Path) -> None:
    for name, tensor in weights.tensors():
        before = 0
        for piece in tensor.pieces():
            finite = np.isfinite(piece)
            if not finite.all():
                first = int(finite.argmin())
                at = [int(i) for i in np.unravel_index(before + first, tensor.shape)]
                raise CheckpointError(
                    f"{directory}: tensor {dialect.stored_name(name)} holds {piece[first]} at "
                    f"{at}, expected finite numbers only; the checkpoint is damaged, take another"
                )
            before += len(piece)
