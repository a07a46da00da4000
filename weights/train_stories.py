"""Trains stories, the model that tells them: `python weights/train_stories.py --text FILE`.

Learns the vocabulary, trains the model on TinyStories and on the grammar's sentences, rounds the
weights to four decimals, evaluates the rounded weights, and writes everything to
`weights/stories/`.

It takes hours, so a run can be stopped and started again: the state is kept every 200 steps, and
what a step learns from depends on the seed and the number of the step alone. A run that goes on
may be given another number of steps, as long as its rates have not begun to fall.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from card import write_card
from evaluate import ask_all_families, ask_showcase, look_at_heads, read_on, tell_stories
from export import count, print_report, rounded, write_json, write_model
from grammar import documents_for_vocabulary, training_documents
from model import Size, Weights, first_weights, surprise
from optimise import Optimiser, Recipe
from rows import Stream, rows_of_documents, rows_of_stories, stream_of
from tinystories import WHERE_TO_GET_IT, read_stories, split
from tokenizers import Tokenizer
from torch import Tensor
from vocabulary import learn_vocabulary, read_tokenizer

STORIES = Path(__file__).parent / "stories"


Falls = tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class StoriesRecipe(Recipe):
    """Everything that can be turned about the training."""

    seed: int = 1
    steps: int = 10000
    rows: int = 32
    n_vocab: int = 2048
    # The rates stay until the first of these steps, then go in straight lines: (step, rate). They
    # fall twice, because a run that had ended was sent on.
    falls: Falls = ((4600, 1.0), (7600, 0.0), (7700, 0.5), (10000, 0.0))
    # Of all rows of a step. What must be exact is learned best while the rates fall.
    rows_of_the_grammar: int = 5
    rows_of_the_grammar_at_the_end: int = 12

    def rate(self, step: int) -> float:
        warm = min(1.0, (step + 1) / self.warm_up_steps)
        steps, rates = ([fall[part] for fall in self.falls] for part in (0, 1))
        return min(warm, float(np.interp(step, steps, rates)))

    def grammar_rows(self, step: int) -> int:
        falls = step >= self.falls[0][0]
        return self.rows_of_the_grammar_at_the_end if falls else self.rows_of_the_grammar

    def of_length(self, steps: int) -> StoriesRecipe:
        """The same for another number of steps: flat as long as nano's, then one straight line."""
        flat = round(steps * self.flat_part)
        return replace(self, steps=steps, falls=((flat, 1.0), (steps, 0.0)))


@dataclass(frozen=True)
class Progress:
    """How far a run has come: steps made, and seconds spent on them."""

    step: int = 0
    seconds: float = 0.0


# ------------------------------------------------------------------------------------ data


def vocabulary_of(folder: Path, stories: Sequence[str], n_vocab: int) -> Tokenizer:
    """A fifth of the stories says which words are frequent; and there are so many documents of
    the grammar that its words are worth a token of their own.
    """
    texts = [*stories[::5], *documents_for_vocabulary(of_each=3000)]
    return learn_vocabulary(folder, texts, n_vocab)


def batch(
    tokenizer: Tokenizer, stream: Stream, recipe: StoriesRecipe, length: int, step: int
) -> tuple[Tensor, Tensor]:
    """ids and counts, [rows, length]: the rows of stories, then those of the grammar."""
    n_grammar = recipe.grammar_rows(step)
    n_stories = recipe.rows - n_grammar
    chance = np.random.default_rng([recipe.seed, step])
    told = rows_of_stories(stream, n_stories, length, chance)
    documents = training_documents(f"{recipe.seed} {step}")
    rows = rows_of_documents(
        tokenizer, documents, length, recipe.weight_of_free_words, first_row=step
    )
    ids, counts = zip(*islice(rows, n_grammar), strict=True)
    return (
        torch.cat([torch.from_numpy(told), torch.tensor(ids)]),
        torch.cat([torch.ones(n_stories, length), torch.tensor(counts)]),
    )


# --------------------------------------------------------------------------------- training


def loss_of(weights: Weights, ids: Tensor, counts: Tensor, n_head: int) -> tuple[Tensor, Tensor]:
    """ids, counts [rows, n + 1] -> the loss, and [rows, n] the surprises that it comes from."""
    nats, counted = surprise(weights, ids, n_head), counts[:, 1:]
    return (nats * counted).sum() / counted.sum(), nats.detach()


def keep(state: Path, optimiser: Optimiser, progress: Progress) -> None:
    """Writes beside and renames, so that a run killed while it writes loses nothing."""
    partial = state.with_suffix(".partial")
    torch.save({**optimiser.state(), **asdict(progress)}, partial)
    partial.replace(state)


def go_on(state: Path, optimiser: Optimiser) -> Progress:
    if not state.exists():
        return Progress()
    kept = torch.load(state, weights_only=True)
    optimiser.restore(kept)
    return Progress(kept["step"], kept["seconds"])


def mean_nats(n_stories: int, nats: Tensor, counts: Tensor) -> tuple[float, float]:
    """The surprise of the stories, and that of the grammar's words that have one right answer."""
    marked = counts[n_stories:, 1:] == 1
    return float(nats[:n_stories].mean()), float(nats[n_stories:][marked].mean())


def train(
    recipe: StoriesRecipe,
    size: Size,
    tokenizer: Tokenizer,
    stream: Stream,
    state: Path,
    compiled: bool,
) -> tuple[Weights, Progress]:
    """The trained weights, and the steps and seconds of the whole run."""
    torch.manual_seed(recipe.seed)
    weights = first_weights(size)
    optimiser = Optimiser(weights, recipe)
    before = progress = go_on(state, optimiser)
    compute = torch.compile(loss_of) if compiled else loss_of
    recent: list[tuple[float, float]] = []
    started = time.monotonic()
    for step in range(before.step, recipe.steps):
        ids, counts = batch(tokenizer, stream, recipe, size.n_positions + 1, step)
        loss, nats = compute(weights, ids, counts, size.n_head)
        optimiser.step(step, torch.autograd.grad(loss, list(weights.values())))
        n_stories = recipe.rows - recipe.grammar_rows(step)
        recent = [*recent[-49:], mean_nats(n_stories, nats, counts)]
        progress = Progress(step + 1, before.seconds + time.monotonic() - started)
        if progress.step % 50 == 0:
            told, marked = np.mean(recent, axis=0)
            print(
                f"{time.strftime('%H:%M')}  step {progress.step:5}  stories {told:.4f}  "
                f"grammar {marked:.4f}  {progress.seconds:6.0f} s",
                flush=True,
            )
        if progress.step % 200 == 0 or progress.step == recipe.steps:
            keep(state, optimiser, progress)
    return weights, progress


# -------------------------------------------------------------------------------- measuring


def evaluation(
    weights: Weights, size: Size, tokenizer: Tokenizer, stories: Sequence[str]
) -> dict[str, Any]:
    return {
        "stories": read_on(weights, tokenizer, stories, size.n_positions),
        "families": ask_all_families(weights, tokenizer),
        "showcase": ask_showcase(weights, tokenizer),
        "heads": look_at_heads(weights, tokenizer),
        "continuations": tell_stories(weights, tokenizer),
    }


def main() -> None:
    defaults = StoriesRecipe()
    options = argparse.ArgumentParser(description="Train stories, which tells simple stories.")
    options.add_argument("--text", type=Path, default=Path("stories.txt.xz"), metavar="FILE")
    options.add_argument("--steps", type=int, help="as many, instead of those of the recipe")
    options.add_argument("--seed", type=int, default=defaults.seed)
    options.add_argument("--output", type=Path, default=STORIES, metavar="DIRECTORY")
    options.add_argument("--state", type=Path, default=Path("stories.state"), metavar="FILE")
    options.add_argument(
        "--compile", action="store_true", help="take a third less time; needs a C++ compiler"
    )
    chosen = options.parse_args()
    if not chosen.text.is_file():
        sys.exit(f"there is no text {chosen.text} to learn from; {WHERE_TO_GET_IT}")
    recipe = StoriesRecipe(seed=chosen.seed)
    if chosen.steps:
        recipe = recipe.of_length(chosen.steps)
    folder: Path = chosen.output
    folder.mkdir(parents=True, exist_ok=True)

    torch.set_num_threads(1)  # the result depends on the number of threads
    shown, kept_out = split(read_stories(chosen.text))
    if chosen.state.exists():  # a run goes on, with the vocabulary that it began with
        tokenizer = read_tokenizer(folder)
    else:
        tokenizer = vocabulary_of(folder, shown, recipe.n_vocab)
    size = Size(tokenizer.get_vocab_size(), n_positions=128)
    stream = stream_of(tokenizer, shown)
    weights, progress = train(recipe, size, tokenizer, stream, chosen.state, chosen.compile)

    weights = rounded(weights)
    write_model(folder, weights, size)
    training = {
        **asdict(recipe),
        "n_weights": count(weights),
        "stories": len(shown),
        "tokens_of_the_stories": len(stream.ids),
        "seconds": round(progress.seconds),
        "torch": torch.__version__,
    }
    del training["flat_part"]  # what it would say is said by the falls
    report = {"training": training, **evaluation(weights, size, tokenizer, kept_out)}
    write_json(folder / "evaluation.json", report)
    print_report(report)
    print(report["stories"])
    if folder == STORIES:
        write_card()


if __name__ == "__main__":
    main()
