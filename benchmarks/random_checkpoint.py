"""Writes a checkpoint of any GPT-2 shape with random weights, for what is too large to download.

    python benchmarks/random_checkpoint.py DIRECTORY [--shape gpt2] [--n-layer 12] [--n-embd 768] …
        [--vocabulary DIRECTORY]

The weights are drawn as GPT-2's were before its training (Radford et al. 2019): a normal
distribution with deviation 0.02, the projections into the residual stream less by the square root
of how many there are; gains of 1, biases of 0. A vocabulary is taken from a directory that has
one (Hugging Face's files or OpenAI's); otherwise one is made up: every byte, and merges of those.
"""

import argparse
import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from math import prod, sqrt
from pathlib import Path

import numpy as np

from sheetgpt.checkpoint.config_file import from_json, to_json
from sheetgpt.checkpoint.names import checkpoint_name
from sheetgpt.gpt2.config import Config
from sheetgpt.gpt2.tokens import SPELLING
from sheetgpt.gpt2.weights import shapes

# n_layer, n_head and n_embd of the four sizes that OpenAI published.
SHAPES = {
    "gpt2": (12, 12, 768),
    "gpt2-medium": (24, 16, 1024),
    "gpt2-large": (36, 20, 1280),
    "gpt2-xl": (48, 25, 1600),
}
VOCABULARY = ("vocab.json", "merges.txt", "encoder.json", "vocab.bpe")
N_VOCAB, N_CTX = 50_257, 1024


def write_checkpoint(
    directory: Path, config: Config, vocabulary: Path | None = None, seed: int = 0
) -> None:
    """Write config.json, model.safetensors and the vocabulary; one tensor in memory at a time."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "config.json").write_text(json.dumps(to_json(config)))
    _write_weights(directory / "model.safetensors", config, np.random.default_rng(seed))
    if vocabulary is not None:
        for name in VOCABULARY:
            if (vocabulary / name).exists():
                shutil.copy(vocabulary / name, directory / name)
        return
    tokens, merges = made_up_vocabulary(config.n_vocab)
    vocab = {token: number for number, token in enumerate(tokens)}
    (directory / "vocab.json").write_text(json.dumps(vocab), encoding="utf-8")
    (directory / "merges.txt").write_text("\n".join(["#version: 0.2", *merges, ""]), "utf-8")


def _write_weights(path: Path, config: Config, random: np.random.Generator) -> None:
    header, offset = {}, 0
    for name, shape in shapes(config).items():
        size = 4 * prod(shape)
        header[checkpoint_name(name)] = {
            "dtype": "F32", "shape": shape, "data_offsets": (offset, offset + size)
        }  # fmt: skip
        offset += size
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name, shape in shapes(config).items():
            file.write(_initial(name, shape, config, random).tobytes())


def _initial(
    name: str, shape: Sequence[int], config: Config, random: np.random.Generator
) -> np.ndarray:
    if name.endswith(".g"):
        return np.ones(shape, np.float32)
    if name.endswith(".b"):
        return np.zeros(shape, np.float32)
    deviation = 0.01 if name == "wpe" else 0.02
    if name.endswith("c_proj.w"):
        deviation /= sqrt(2 * config.n_layer)
    return random.standard_normal(shape, np.float32) * np.float32(deviation)


def made_up_vocabulary(n_vocab: int) -> tuple[list[str], list[str]]:
    """All bytes, pairs of letters, and words made of those; then the merges that make them."""
    tokens = [SPELLING[byte] for byte in range(256)]
    known, merges = set(tokens), []
    letters = [SPELLING[ord(each)] for each in " etaoinshrdlucmfwypvbgkjqxz"]
    lefts = list(letters)
    for place in count():
        if len(tokens) >= n_vocab - 1:
            break
        for right in letters:
            merged = lefts[place] + right
            if merged not in known and len(tokens) < n_vocab - 1:
                known.add(merged)
                tokens.append(merged)
                merges.append(f"{lefts[place]} {right}")
                lefts.append(merged)
    return [*tokens, "<|endoftext|>"], merges


def config_of(shape: str, **changes: int | None) -> Config:
    """The configuration of a published size, with some of its numbers changed."""
    n_layer, n_head, n_embd = SHAPES[shape]
    sizes = {"n_layer": n_layer, "n_head": n_head, "n_embd": n_embd}
    sizes |= {"n_vocab": N_VOCAB, "n_ctx": N_CTX}
    sizes |= {name: value for name, value in changes.items() if value is not None}
    config = from_json({**sizes, "vocab_size": sizes["n_vocab"]}, shape)
    return replace(config, n_inner=4 * config.n_embd)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directory", type=Path)
    parser.add_argument("--shape", choices=SHAPES, default="gpt2")
    for name in ("n-layer", "n-head", "n-embd", "n-vocab", "n-ctx"):
        parser.add_argument(f"--{name}", type=int)
    parser.add_argument("--vocabulary", type=Path, help="a directory with vocab.json, merges.txt")
    parser.add_argument("--seed", type=int, default=0)
    given = vars(parser.parse_args())
    directory, shape, vocabulary, seed = (
        given.pop(name) for name in ("directory", "shape", "vocabulary", "seed")
    )
    write_checkpoint(directory, config_of(shape, **given), vocabulary, seed)


if __name__ == "__main__":
    main()
