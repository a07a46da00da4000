"""Trains nano, the model that ships with the project: `python weights/train.py`.

Learns the vocabulary, trains the model on the grammar's sentences, rounds the weights to four
decimals, evaluates the rounded weights, and writes everything to `weights/nano/`. One thread and
one seed: on the same machine with the same libraries it writes the same bytes again.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from card import write_card
from evaluate import ask_all_families, ask_showcase, look_at_heads
from export import count, print_report, rounded, write_json, write_model
from grammar import documents_for_vocabulary, training_documents
from model import Size, Weights, first_weights, surprise
from optimise import Optimiser, Recipe
from rows import rows_of_documents
from tokenizers import Tokenizer
from torch import Tensor
from vocabulary import learn_vocabulary

NANO = Path(__file__).parent / "nano"


@dataclass(frozen=True)
class NanoRecipe(Recipe):
    """Everything that can be turned about the training."""

    seed: int = 1
    steps: int = 5000
    rows: int = 32
    n_vocab: int = 1024


def loss_of(weights: Weights, ids: Tensor, counts: Tensor, n_head: int) -> Tensor:
    """ids, counts [rows, n + 1] -> the mean surprise in nats, weighted by what counts."""
    counted = counts[:, 1:].flatten()
    return (surprise(weights, ids, n_head).flatten() * counted).sum() / counted.sum()


def train(recipe: Recipe, size: Size, tokenizer: Tokenizer) -> tuple[Weights, float]:
    """The trained weights, and the mean loss of the last hundred steps."""
    torch.manual_seed(recipe.seed)
    weights = first_weights(size)
    optimiser = Optimiser(weights, recipe)
    documents = training_documents(recipe.seed)
    rows = rows_of_documents(
        tokenizer, documents, size.n_positions + 1, recipe.weight_of_free_words
    )
    losses: list[float] = []
    started = time.monotonic()
    for step in range(recipe.steps):
        ids, counts = zip(*(next(rows) for _ in range(recipe.rows)), strict=True)
        loss = loss_of(weights, torch.tensor(ids), torch.tensor(counts), size.n_head)
        optimiser.step(step, torch.autograd.grad(loss, list(weights.values())))
        losses.append(loss.item())
        if (step + 1) % 100 == 0:
            recent = sum(losses[-100:]) / 100
            seconds = time.monotonic() - started
            print(f"step {step + 1:5}  loss {recent:.4f}  {seconds:5.0f} s", flush=True)
    return weights, sum(losses[-100:]) / 100


def main() -> None:
    defaults = NanoRecipe()
    options = argparse.ArgumentParser(description="Train nano, the model of the project.")
    options.add_argument("--steps", type=int, default=defaults.steps)
    options.add_argument("--seed", type=int, default=defaults.seed)
    options.add_argument("--output", type=Path, default=NANO, metavar="DIRECTORY")
    chosen = options.parse_args()
    recipe = NanoRecipe(steps=chosen.steps, seed=chosen.seed)
    folder: Path = chosen.output
    folder.mkdir(parents=True, exist_ok=True)

    torch.set_num_threads(1)  # the result depends on the number of threads
    started = time.monotonic()
    tokenizer = learn_vocabulary(folder, documents_for_vocabulary(of_each=1000), recipe.n_vocab)
    size = Size(tokenizer.get_vocab_size())
    weights, loss = train(recipe, size, tokenizer)
    seconds = time.monotonic() - started

    weights = rounded(weights)
    write_model(folder, weights, size)
    report = {
        "training": {
            **asdict(recipe),
            "n_weights": count(weights),
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
