"""Loading a checkpoint directory: its configuration, its weights, its vocabulary.

Weights stay in the mapped file until somebody asks for one, and what looks at all of them does
so in pieces: loading needs a few megabytes, whatever the size of the model. Nothing is ever
unpickled, for a pickle can run code.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from sheetgpt.errors import CheckpointError
from sheetgpt.gpt2 import config as config_file
from sheetgpt.gpt2 import safetensors
from sheetgpt.gpt2.config import Config
from sheetgpt.gpt2.json_file import read_object, shown
from sheetgpt.gpt2.tensor import FLOATS, Float32, Tensor
from sheetgpt.gpt2.tokens import Tokenizer
from sheetgpt.gpt2.weights import checkpoint_name, shapes

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
PREFIX = "transformer."
HEAD = "lm_head.weight"

# Tensors that may stand beside the model's own without changing what it computes: the causal
# masks that older versions of transformers saved, and heads that only read the last state.
HARMLESS = re.compile(
    r"h\.\d+\.attn\.(bias|masked_bias)|(score|classifier|multiple_choice_head|v_head)\..+"
)

# Other files of weights: PyTorch's, which are pickles, and those of TensorFlow and Flax.
PICKLES = ("pytorch_model*.bin", "*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt")
FOREIGN = ("*.ckpt.*", "*.h5", "*.msgpack")


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

    name: str  # of the directory
    config: Config
    weights: Mapping[str, Float32]
    tokenizer: Tokenizer


def load(directory: Path) -> Checkpoint:
    """Load a GPT-2 from a Hugging Face directory; OpenAI's hparams.json and vocabulary also do.

    Weights: `model.safetensors` or the shards of `model.safetensors.index.json`, names with or
    without `transformer.`, float16, bfloat16, float32 or float64 (which is rounded to float32).
    As in transformers, a head that the configuration calls tied but that differs from `wte` is
    used as it is (the returned config says so), and `wte` may be missing where a tied head stands.
    Vocabulary: `vocab.json` and `merges.txt`, `encoder.json` and `vocab.bpe`, or
    `tokenizer.json`. It may be smaller than the model's n_vocab, never larger; ids without a
    token become `<|unused ID|>`.

    Raises CheckpointError, naming the culprit, for whatever does not hold.
    """
    if not os.path.isdir(directory):  # unlike Path's, False for whatever is wrong with the path
        state = "is a file" if os.path.exists(directory) else "does not exist"
        raise CheckpointError(
            f"{directory} {state}, expected the directory of a GPT-2 checkpoint "
            f"(config.json, {SINGLE}, vocab.json and merges.txt)"
        )
    path = _first_of(directory, "config.json", "hparams.json")
    config = config_file.from_json(read_object(path), str(path))
    tensors = _without_prefix(_read_tensors(directory), directory)
    config, tensors = _with_head(config, tensors, directory)
    weights = _needed(config, tensors, directory)
    tokenizer = _read_tokenizer(directory, config.n_vocab)
    _refuse_not_finite(weights, directory)
    return Checkpoint(directory.resolve().name, config, weights, tokenizer)


def _first_of(directory: Path, *names: str) -> Path:
    for name in names:
        if _has(directory, name):
            return directory / name
    _refuse_other_weights(directory)
    raise CheckpointError(
        f"{directory} has no {' or '.join(names)}, so it is no GPT-2 checkpoint; give a directory "
        f"with config.json, {SINGLE}, vocab.json and merges.txt"
    )


def _refuse_other_weights(directory: Path) -> None:
    """If the weights are there in another form only, say how to come to the right one."""
    if _has(directory, SINGLE) or _has(directory, INDEX):
        return
    for path in _matching(directory, PICKLES):
        raise CheckpointError(
            f"{directory} has its weights in {path.name}, a pickle, which can run code and is "
            f"never opened, expected {SINGLE}; where you trust it, convert it with transformers: "
            "GPT2LMHeadModel.from_pretrained(DIRECTORY).save_pretrained(NEW_DIRECTORY)"
        )
    for path in _matching(directory, FOREIGN):
        raise CheckpointError(
            f"{directory} has its weights in {path.name}, a TensorFlow or Flax file, which is not "
            f"read, expected {SINGLE}; take the model's safetensors, as Hugging Face's hub has them"
        )


def _matching(directory: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    return (path for pattern in patterns for path in sorted(directory.glob(pattern)))


def _has(directory: Path, *names: str) -> bool:
    return all(os.path.isfile(directory / name) for name in names)


def _read_tensors(directory: Path) -> dict[str, Tensor]:
    """All tensors of the single file or, where there is none, of all shards."""
    if _has(directory, SINGLE) or not _has(directory, INDEX):
        return safetensors.read(_first_of(directory, SINGLE, INDEX))
    return safetensors.read_shards(directory / INDEX)


def _without_prefix(tensors: Mapping[str, Tensor], directory: Path) -> dict[str, Tensor]:
    plain: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        short = name.removeprefix(PREFIX)
        if short in plain:
            raise CheckpointError(
                f"{directory}: tensor {shown(short)} stands there with and without {PREFIX!r}, "
                "expected it once; save the checkpoint again"
            )
        plain[short] = tensor
    return plain


def _with_head(
    config: Config, tensors: dict[str, Tensor], directory: Path
) -> tuple[Config, dict[str, Tensor]]:
    """Settle whether the head is `wte` itself, as transformers does (its `tie_weights`)."""
    if not config.tie_word_embeddings or HEAD not in tensors:
        return config, tensors
    head = tensors[HEAD]
    others = {name: tensor for name, tensor in tensors.items() if name != HEAD}
    wte = others.setdefault("wte.weight", head)
    for name, tensor in (("wte", wte), ("lm_head", head)):
        _refuse_wrong_form(f"{name}.weight", tensor, (config.n_vocab, config.n_embd), directory)
    pairs = zip(wte.pieces(), head.pieces(), strict=True)
    if all(np.array_equal(a, b, equal_nan=True) for a, b in pairs):
        return config, others
    return replace(config, tie_word_embeddings=False), tensors


def _needed(config: Config, tensors: Mapping[str, Tensor], directory: Path) -> MappedWeights:
    """The tensors of the model under their canonical names, all there and of the right shape."""
    if config.n_layer > len(tensors):  # before a mistyped number becomes as many names
        raise CheckpointError(
            f"{directory}: the configuration says {config.n_layer} blocks, but the weights have "
            f"{len(tensors)} tensors in all; give the config.json that belongs to these weights"
        )
    needed = {name: checkpoint_name(name) for name in shapes(config)}
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
        if name not in known and not HARMLESS.fullmatch(name):
            raise CheckpointError(
                f"{directory}: the weights have the tensor {shown(name)}, which a GPT-2 with "
                "this config.json has not; give a plain GPT-2 checkpoint and the config.json of it"
            )
    return MappedWeights({name: tensors[stored] for name, stored in needed.items()})


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
        if _has(directory, vocab, merges):
            return Tokenizer.from_files(directory / vocab, directory / merges, n_vocab)
    if _has(directory, "tokenizer.json"):
        return Tokenizer.from_tokenizer_json(directory / "tokenizer.json", n_vocab)
    raise CheckpointError(
        f"{directory} has no vocabulary, expected vocab.json and merges.txt, encoder.json and "
        "vocab.bpe, or tokenizer.json; copy them there from the checkpoint's source"
    )


def _refuse_not_finite(weights: MappedWeights, directory: Path) -> None:
    for name, tensor in weights.tensors():
        before = 0
        for piece in tensor.pieces():
            finite = np.isfinite(piece)
            if not finite.all():
                first = int(finite.argmin())
                at = [int(i) for i in np.unravel_index(before + first, tensor.shape)]
                raise CheckpointError(
                    f"{directory}: tensor {checkpoint_name(name)} holds {piece[first]} at {at}, "
                    "expected finite numbers only; the checkpoint is damaged, take another"
                )
            before += len(piece)
