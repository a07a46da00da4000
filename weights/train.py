"""Trains nano, the model that ships with the project: `python weights/train.py`.

Learns the vocabulary, trains the model on the grammar's sentences, rounds the weights to four
decimals, evaluates the rounded weights, and writes everything to `weights/nano/`. One thread and
one seed: on the same machine with the same libraries it writes the same bytes again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from card import write_card
from evaluate import ask_all_families, ask_showcase, look_at_heads
from grammar import FAMILIES, Draw, Piece, pieces, plain, training_documents
from model import Size, Weights, checkpoint_tensors, first_weights, logits
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor
from torch.nn import functional
from vocabulary import END_OF_TEXT, learn_merges, write_vocabulary

NANO = Path(__file__).parent / "nano"


@dataclass(frozen=True)
class Recipe:
    """Everything that can be turned about the training."""

    seed: int = 1
    steps: int = 5000
    rows: int = 32
    n_vocab: int = 1024
    # A word that has one right answer counts fully, a free choice ("Mike" or "Sara") only so much.
    weight_of_free_words: float = 0.2
    muon_rate: float = 0.02
    adam_rate: float = 3e-3
    warm_up_steps: int = 100
    flat_part: float = 0.4

    def rate(self, step: int) -> float:
        """Warm up, stay flat, then fall in a straight line to zero."""
        warm = min(1.0, (step + 1) / self.warm_up_steps)
        falling = (self.steps - step) / (self.steps * (1 - self.flat_part))
        return min(warm, falling)


# ------------------------------------------------------------------------------------ data


def learn_vocabulary(folder: Path, n_vocab: int) -> Tokenizer:
    """The vocabulary of as many documents of each family, and a tokenizer that uses it."""
    texts = []
    for family in FAMILIES:
        draw = Draw(f"vocabulary of {family.name}")
        texts += [plain(family.write(draw)) for _ in range(1000)]
    write_vocabulary(folder, learn_merges(texts, limit=n_vocab - 257))
    return read_tokenizer(folder)


def read_tokenizer(folder: Path) -> Tokenizer:
    bpe = models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt"))
    tokenizer = Tokenizer(bpe)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(END_OF_TEXT)])
    return tokenizer


def rows_of_tokens(
    tokenizer: Tokenizer, recipe: Recipe, length: int
) -> Iterator[tuple[list[int], list[float]]]:
    """Rows of `length` token ids, and how much each token counts in the loss.

    A row begins where a document begins, every other row with the end of the document before:
    a prompt is then understood with `<|endoftext|>` in front of it and without.
    """
    documents = training_documents(recipe.seed)
    end = (tokenizer.token_to_id(END_OF_TEXT), recipe.weight_of_free_words)
    row_number = 0
    while True:
        row = [end] * (row_number % 2)
        while len(row) < length:
            for piece in pieces(next(documents)):
                counts = 1.0 if piece.marked else recipe.weight_of_free_words
                row += [(index, counts) for index in token_ids(tokenizer, piece)]
            row.append(end)
        ids, counted = zip(*row[:length], strict=True)
        yield list(ids), list(counted)
        row_number += 1


def token_ids(tokenizer: Tokenizer, piece: Piece) -> list[int]:
    """Marks stand around whole words, so a document's tokens are those of its pieces."""
    return tokenizer.encode(piece.text).ids


# ------------------------------------------------------------------------------- optimisers


def orthogonal(matrices: Tensor) -> Tensor:
    """[count, n_in, n_out] -> the nearest matrices whose singular values are all about one.

    Five Newton-Schulz steps with the coefficients of Keller Jordan's Muon (2024).
    """
    wide = matrices if matrices.shape[1] <= matrices.shape[2] else matrices.mT
    x: Tensor = wide / (wide.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        square = x @ x.mT
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x if wide is matrices else x.mT


class Muon:
    """Momentum, made orthogonal: for the matrices inside the blocks."""

    def __init__(self, matrices: list[Tensor], momentum: float = 0.95) -> None:
        self.matrices, self.momentum = matrices, momentum
        self.averages = [torch.zeros_like(matrix) for matrix in matrices]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        for matrix, average in zip(self.matrices, self.averages, strict=True):
            assert matrix.grad is not None
            average.lerp_(matrix.grad, 1 - self.momentum)
            ahead = matrix.grad.lerp(average, self.momentum)
            n_in, n_out = matrix.shape[1:]
            matrix.sub_(orthogonal(ahead), alpha=rate * max(1.0, n_out / n_in) ** 0.5)


def in_blocks_and_a_matrix(name: str, weight: Tensor) -> bool:
    return name.startswith("h.") and weight.dim() == 3


# --------------------------------------------------------------------------------- training


def loss_of(weights: Weights, ids: Tensor, counts: Tensor, n_head: int) -> Tensor:
    """ids, counts [rows, n + 1] -> the mean surprise in nats, weighted by what counts."""
    predicted = logits(weights, ids[:, :-1], n_head).flatten(0, 1)
    surprise = functional.cross_entropy(predicted, ids[:, 1:].flatten(), reduction="none")
    counted = counts[:, 1:].flatten()
    return (surprise * counted).sum() / counted.sum()


def train(recipe: Recipe, size: Size, tokenizer: Tokenizer) -> tuple[Weights, float]:
    """The trained weights, and the mean loss of the last hundred steps."""
    torch.manual_seed(recipe.seed)
    weights = first_weights(size)
    for_muon = [w for name, w in weights.items() if in_blocks_and_a_matrix(name, w)]
    for_adam = [w for name, w in weights.items() if not in_blocks_and_a_matrix(name, w)]
    muon = Muon(for_muon)
    adam = torch.optim.AdamW(for_adam, recipe.adam_rate, betas=(0.9, 0.98), weight_decay=0.05)
    rows = rows_of_tokens(tokenizer, recipe, size.n_positions + 1)
    losses: list[float] = []
    started = time.monotonic()
    for step in range(recipe.steps):
        ids, counts = zip(*(next(rows) for _ in range(recipe.rows)), strict=True)
        loss = loss_of(weights, torch.tensor(ids), torch.tensor(counts), size.n_head)
        gradients = torch.autograd.grad(loss, list(weights.values()))
        for weight, gradient in zip(weights.values(), gradients, strict=True):
            weight.grad = gradient
        adam.param_groups[0]["lr"] = recipe.adam_rate * recipe.rate(step)
        adam.step()
        muon.step(recipe.muon_rate * recipe.rate(step))
        losses.append(loss.item())
        if (step + 1) % 100 == 0:
            recent = sum(losses[-100:]) / 100
            seconds = time.monotonic() - started
            print(f"step {step + 1:5}  loss {recent:.4f}  {seconds:5.0f} s", flush=True)
    return weights, sum(losses[-100:]) / 100


@torch.no_grad()
def rounded(weights: Weights, decimals: int = 4) -> Weights:
    """Four decimals keep the workbook small; everything below is measured with these."""
    return {
        name: (weight.double() * 10**decimals).round().div(10**decimals).float()
        for name, weight in weights.items()
    }


# ---------------------------------------------------------------------------------- writing


def hugging_face_config(size: Size) -> dict[str, Any]:
    end = size.n_vocab - 1
    return {
        "activation_function": "gelu_new",
        "architectures": ["GPT2LMHeadModel"],
        "attn_pdrop": 0.0,
        "bos_token_id": end,
        "dtype": "float32",
        "embd_pdrop": 0.0,
        "eos_token_id": end,
        "initializer_range": 0.02,
        "layer_norm_epsilon": 1e-05,
        "model_type": "gpt2",
        "n_ctx": size.n_positions,
        "n_embd": size.n_embd,
        "n_head": size.n_head,
        "n_inner": size.n_inner,
        "n_layer": size.n_layer,
        "n_positions": size.n_positions,
        "resid_pdrop": 0.0,
        "tie_word_embeddings": True,
        "vocab_size": size.n_vocab,
    }


def write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")


def print_report(report: dict[str, Any]) -> None:
    for name, figures in report["families"].items():
        for which, measured in figures.items():
            right = f"{measured['right']}/{measured['prompts']}"
            print(f"{name:20} {which:9} {right:>11} margin from {measured['smallest_margin']}")
    for head in report["heads"]:
        print(head)


def main() -> None:
    defaults = Recipe()
    options = argparse.ArgumentParser(description="Train nano, the model of the project.")
    options.add_argument("--steps", type=int, default=defaults.steps)
    options.add_argument("--seed", type=int, default=defaults.seed)
    options.add_argument("--output", type=Path, default=NANO, metavar="DIRECTORY")
    chosen = options.parse_args()
    recipe = Recipe(steps=chosen.steps, seed=chosen.seed)
    folder: Path = chosen.output
    folder.mkdir(parents=True, exist_ok=True)

    torch.set_num_threads(1)  # the result depends on the number of threads
    started = time.monotonic()
    tokenizer = learn_vocabulary(folder, recipe.n_vocab)
    size = Size(tokenizer.get_vocab_size())
    weights, loss = train(recipe, size, tokenizer)
    seconds = time.monotonic() - started

    weights = rounded(weights)
    tensors = checkpoint_tensors(weights)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)  # safetensors leaves it to the owner alone
    write_json(folder / "config.json", hugging_face_config(size))
    report = {
        "training": {
            **asdict(recipe),
            "n_weights": sum(tensor.numel() for tensor in tensors.values()),
            "seconds": round(seconds),
            "loss": round(loss, 4),
            "torch": torch.__version__,
        },
        "families": ask_all_families(weights, tokenizer),
        "showcase": ask_showcase(weights, tokenizer),
        "heads": look_at_heads(weights, tokenizer),
    }
    write_json(folder / "evaluation.json", report)
    print_report(report)
    if folder == NANO:
        write_card()


if __name__ == "__main__":
    main()
