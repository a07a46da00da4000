"""Asks the finished model the grammar's questions, and looks where its attention heads look."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import Any

import numpy as np
import torch
from grammar import FAMILIES, SHOWCASE, Question, evaluation_set
from model import Weights, attention_weights, logits, surprise
from tokenizers import Tokenizer
from torch import Tensor
from vocabulary import END_OF_TEXT

N_HEAD = 4

# A head is looked for by the token that reads and the token that it reads from.
HEADS_PROMPT = "Mike is quick. He moves"
HEADS = ((" He", "Mike"), (" moves", " quick"))

# Written down before any continuation was seen, and never exchanged for better ones.
BEGINNINGS = (
    "Once upon a time",
    "The little dog",
    "Tom and Lily went to",
    "One day, a girl named Sue",
    "There was a big tree",
    "Lily wanted to",
    "The sun was",
    "Mom said,",
    "Ben had a red ball.",
    "It was raining",
)


def starts(tokenizer: Tokenizer) -> tuple[list[int], list[int]]:
    """A prompt may stand alone, or follow the token that ends the document before it."""
    return [], tokenizer.encode(END_OF_TEXT).ids


@torch.no_grad()
def last_logits(weights: Weights, prompts: Sequence[list[int]], batch: int = 256) -> Tensor:
    """Token ids of prompts -> [len(prompts), n_vocab], the logits after each prompt's last."""
    found = []
    for first in range(0, len(prompts), batch):
        some = prompts[first : first + batch]
        longest = max(map(len, some))
        # What stands behind a prompt cannot change it: attention only looks back.
        ids = torch.tensor([prompt + [0] * (longest - len(prompt)) for prompt in some])
        ends = torch.tensor([len(prompt) - 1 for prompt in some])
        found.append(logits(weights, ids, N_HEAD)[torch.arange(len(some)), ends])
    return torch.cat(found)


def ask(weights: Weights, tokenizer: Tokenizer, questions: Sequence[Question]) -> dict[str, Any]:
    """Every question with both starts: how many are right, and by how much.

    A margin is the probability of the right token over that of the likeliest other one, so the
    answer is right when its margin is above 1.
    """
    prompts, answers, asked = [], [], []
    for prompt, answer in questions:
        for start in starts(tokenizer):
            prompts.append(start + tokenizer.encode(prompt).ids)
            answers.append(tokenizer.encode(answer).ids[0])
            asked.append((END_OF_TEXT if start else "") + prompt)
    scores, rows = last_logits(weights, prompts), torch.arange(len(prompts))
    right = scores[rows, answers].clone()
    scores[rows, answers] = -torch.inf
    margins = (right - scores.amax(dim=1)).double().exp().tolist()
    n_right = sum(margin > 1 for margin in margins)
    return {
        "prompts": len(prompts),
        "right": n_right,
        "accuracy": round(n_right / len(prompts), 4),
        "smallest_margin": round(min(margins), 2),
        "median_margin": round(median(margins), 1),
        "hardest_prompt": asked[margins.index(min(margins))],
    }


def ask_all_families(weights: Weights, tokenizer: Tokenizer) -> dict[str, Any]:
    """Accuracy and margins of each family, with held-out combinations reported beside."""
    report = {}
    for family in FAMILIES:
        report[family.name] = {"shown": ask(weights, tokenizer, evaluation_set(family))}
        if family.held_out:
            held_out = ask(weights, tokenizer, evaluation_set(family, held_out=True))
            report[family.name]["held_out"] = {"what": family.held_out, **held_out}
    return report


def ask_showcase(weights: Weights, tokenizer: Tokenizer) -> dict[str, Any]:
    return {
        prompt: {
            "answer": answer,
            "smallest_margin": ask(weights, tokenizer, [Question(prompt, answer)])[
                "smallest_margin"
            ],
            "goes_on": complete(weights, tokenizer, prompt),
        }
        for prompt, answer in SHOWCASE
    }


Choose = Callable[[Tensor], int]


def likeliest(scores: Tensor) -> int:
    """[n_vocab] -> the token id with the highest logit."""
    return int(scores.argmax())


def drawn(temperature: float, seed: int) -> Choose:
    """Draws tokens with the probabilities that their logits have at a temperature."""
    chance = np.random.default_rng(seed)

    def choose(scores: Tensor) -> int:
        probabilities = (scores.double() / temperature).softmax(0).numpy()
        return int(chance.choice(len(probabilities), p=probabilities))

    return choose


def complete(
    weights: Weights,
    tokenizer: Tokenizer,
    prompt: str,
    n_tokens: int = 24,
    choose: Choose = likeliest,
) -> str:
    """The likeliest continuation, or one that is drawn, up to the end of the document."""
    ids = tokenizer.encode(prompt).ids
    n_prompt, end = len(ids), tokenizer.token_to_id(END_OF_TEXT)
    while len(ids) < n_prompt + n_tokens and ids[-1] != end:
        ids = [*ids, choose(last_logits(weights, [ids])[0])]
    return tokenizer.decode(ids[n_prompt:], skip_special_tokens=False)


def tell_stories(weights: Weights, tokenizer: Tokenizer, n_tokens: int = 60) -> dict[str, Any]:
    """How each beginning goes on at temperature 0, and once at 0.8; the first draw is kept."""
    return {
        "temperature 0": {
            beginning: complete(weights, tokenizer, beginning, n_tokens) for beginning in BEGINNINGS
        },
        "temperature 0.8": {
            beginning: complete(weights, tokenizer, beginning, n_tokens, drawn(0.8, seed))
            for seed, beginning in enumerate(BEGINNINGS, 1)
        },
    }


def windows(ids: list[int], n_positions: int) -> Iterator[tuple[list[int], int]]:
    """Stretches of at most n_positions + 1 ids, and how many ids at the end of each are new.

    Every id but the first is new once. Where a story is longer than the model can look, windows
    move on by half of its sight, so that at least half of it lies before every later id.
    """
    seen = 1
    while seen < len(ids):
        stop = min(len(ids), max(n_positions + 1, seen + n_positions // 2))
        yield ids[max(0, stop - n_positions - 1) : stop], stop - seen
        seen = stop


@torch.no_grad()
def read_on(
    weights: Weights, tokenizer: Tokenizer, stories: Sequence[str], n_positions: int
) -> dict[str, Any]:
    """How well the model expects what stories say, read from `<|endoftext|>` to `<|endoftext|>`."""
    end = tokenizer.token_to_id(END_OF_TEXT)
    told = [[end, *encoding.ids, end] for encoding in tokenizer.encode_batch(list(stories))]
    every = [window for ids in told for window in windows(ids, n_positions)]
    nats = 0.0
    for first in range(0, len(every), 64):
        some = every[first : first + 64]
        rows = [ids + [end] * (n_positions + 1 - len(ids)) for ids, _ in some]
        surprises = surprise(weights, torch.tensor(rows), N_HEAD).double()
        for (ids, n_new), row in zip(some, surprises, strict=True):
            nats += float(row[len(ids) - 1 - n_new : len(ids) - 1].sum())
    n_tokens, n_bytes = sum(len(ids) - 1 for ids in told), sum(len(s.encode()) for s in stories)
    return {
        "stories": len(stories),
        "bytes": n_bytes,
        "tokens": n_tokens,
        "nats_per_token": round(nats / n_tokens, 4),
        "bits_per_byte": round(nats / math.log(2) / n_bytes, 4),
    }


@torch.no_grad()
def look_at_heads(weights: Weights, tokenizer: Tokenizer) -> list[dict[str, Any]]:
    """For each pair of tokens, the head that reads most plainly from the one to the other.

    The same head is measured again where the token that is read does not open the text: behind
    `<|endoftext|>`, and behind somebody else's sentence. A head that merely looks at the first
    token fails there, so the head is chosen by its smallest weight over all three.
    """
    report = []
    settings = ("", END_OF_TEXT, "Sara is quiet. ")
    for reader, source in HEADS:
        seen = []
        for before in settings:
            encoding = tokenizer.encode(before + HEADS_PROMPT)
            words = [tokenizer.decode([index]) for index in encoding.ids]
            row = words.index(reader)
            column = max(i for i, word in enumerate(words) if word.strip() == source.strip())
            seen.append(attention_weights(weights, torch.tensor(encoding.ids), N_HEAD))
            seen[-1] = seen[-1][:, :, row, column]  # [n_layer, n_head]
        every = torch.stack(seen)
        best = int(every.amin(dim=0).argmax())
        report.append(
            {
                "from": reader,
                "to": source,
                "block": best // N_HEAD,
                "head": best % N_HEAD,
                "weight": round(float(every[0].flatten()[best]), 4),
                "weight_after_end_of_text": round(float(every[1].flatten()[best]), 4),
                "weight_after_another_sentence": round(float(every[2].flatten()[best]), 4),
            }
        )
    return report
