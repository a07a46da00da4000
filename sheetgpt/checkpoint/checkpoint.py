"""Loading a checkpoint: its configuration, its weights, its vocabulary.

Weights stay in the mapped file until somebody asks for one, and what looks at all of them does
so in pieces: loading needs a few megabytes, whatever the size of the model. Nothing is ever run
for it: of a pickle only data is read.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sheetgpt.checkpoint import assemble, characters, tokenizer_rules, vocabulary
from sheetgpt.checkpoint.formats import has
from sheetgpt.checkpoint.outline import directory_of, outline
from sheetgpt.checkpoint.tensor import Float32, Tensor
from sheetgpt.errors import CheckpointError
from sheetgpt.gpt2.config import Config
from sheetgpt.gpt2.tokens import Tokenizer

# The sizes of GPT-2's vocabulary: its own, and as nanoGPT and llm.c pad it. The padded rows stay in
# the sheet where they are in the model: its softmax gives them their share.
OF_GPT2 = (50257, 50304)


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
    zeros: the biases that the model does not have, which are zeros here.
    notes: what a person should know of how it was read, a sentence each.
    """

    name: str
    config: Config
    weights: Mapping[str, Float32]
    tokenizer: Tokenizer
    zeros: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def load(place: Path, name: str = "", tokenizer: Tokenizer | None = None) -> Checkpoint:
    """Load a GPT-2 from a directory, or from a file of weights and the directory it is in.

    The model is called `name` or, without, as the directory or the file.

    Configuration and weights: see `outline`. Weights may be float16, bfloat16, float32 or float64
    (which is rounded to float32).
    Vocabulary: `vocab.json` and `merges.txt`, `encoder.json` and `vocab.bpe`, `tokenizer.json`,
    or a file of `characters`, unless a `tokenizer` is given. It may be smaller than the model's
    n_vocab, never larger; ids without a token become `<|unused ID|>`.

    Raises CheckpointError, naming the culprit, for whatever does not hold.
    """
    found = outline(place)
    weights = MappedWeights(assemble.assembled(found.pieces, place))
    directory = directory_of(place)
    tokenizer = tokenizer or read_tokenizer(directory, found.config.n_vocab)
    _refuse_not_finite(weights, found.spelled, place)
    called = name or (place.stem if directory != place else place.resolve().name)
    return Checkpoint(called, found.config, weights, tokenizer, found.zeros, tuple(found.notes()))


def read_tokenizer(directory: Path, n_vocab: int) -> Tokenizer:
    """Of `tokenizer.json`, which transformers prefers as well, else of two files."""
    if has(directory, "tokenizer.json"):
        found = vocabulary.from_tokenizer_json(directory / "tokenizer.json", n_vocab)
        followed = "" if found.leading is None else tokenizer_rules.LEADING
        tokenizer_rules.refuse_settings(directory, followed)
        return found
    for vocab, merges in (("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe")):
        if has(directory, vocab, merges):
            tokenizer_rules.refuse_settings(directory, tokenizer_rules.LEADING)
            return vocabulary.from_files(directory / vocab, directory / merges, n_vocab)
    tokenizer_rules.refuse_settings(directory)
    if (of_characters := characters.find(directory, n_vocab)) is not None:
        return of_characters
    if n_vocab in OF_GPT2:
        raise CheckpointError(
            f"{directory} has no vocabulary; {n_vocab} tokens are those of GPT-2, so put its "
            "vocab.json and merges.txt there, as https://huggingface.co/openai-community/gpt2 has "
            "them"
        )
    raise CheckpointError(
        f"{directory} has no vocabulary, expected vocab.json and merges.txt, encoder.json and "
        f"vocab.bpe, tokenizer.json, or for characters meta.pkl, stoi.json or chars.txt, of "
        f"{n_vocab} tokens; put the files there that the model was trained with"
    )


def _refuse_not_finite(weights: MappedWeights, spelled: Callable[[str], str], place: Path) -> None:
    for name, tensor in weights.tensors():
        before = 0
        for piece in tensor.pieces():
            finite = np.isfinite(piece)
            if not finite.all():
                first = int(finite.argmin())
                at = [int(i) for i in np.unravel_index(before + first, tensor.shape)]
                raise CheckpointError(
                    f"{place}: tensor {spelled(name)} holds {piece[first]} at "
                    f"{at}, expected finite numbers only; the checkpoint is damaged, take another"
                )
            before += len(piece)
